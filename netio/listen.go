package netio

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// Listen opens a TCP listener at host:port; an empty host means every address
// of the machine, IPv4 and IPv6, and port 0 picks a free one. It is Persistent.
func Listen(host, port string, log *slog.Logger) (net.Listener, error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false) // its sockets lack options that are set on every subscriber
	ln, err := config.Listen(context.Background(), "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	return Persistent(ln, log), nil
}

// Persistent returns ln with an Accept that survives running out of descriptors
// or memory: it waits and goes on, since an error would end the servers built
// on it.
func Persistent(ln net.Listener, log *slog.Logger) net.Listener {
	return &listener{Listener: ln, log: log, closed: make(chan struct{})}
}

type listener struct {
	net.Listener
	log       *slog.Logger
	closed    chan struct{}
	closeOnce atomic.Bool
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	wait := 5 * time.Millisecond
	for {
		c, err := l.Listener.Accept()
		if err == nil || !passing(err) {
			return c, err
		}
		l.log.Warn("accept a connection: waiting before the next try", "address", l.Addr(), "error", err, "wait", wait)
		select {
		case <-l.closed:
			return nil, net.ErrClosed
		case <-time.After(wait):
		}
		wait = min(2*wait, time.Second)
	}
}

// Close stops accepting.
func (l *listener) Close() error {
	if l.closeOnce.CompareAndSwap(false, true) {
		close(l.closed)
	}
	return l.Listener.Close()
}

// passing reports whether an error of accept goes away by itself: the process
// or the machine is short of something, or, as accept(2) says, the error is
// that of the connection that was to be accepted.
func passing(err error) bool {
	return slices.ContainsFunc([]error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.EPERM, syscall.EPROTO, syscall.ENOPROTOOPT, syscall.EOPNOTSUPP,
		syscall.ENETDOWN, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENONET,
	}, func(e error) bool { return errors.Is(err, e) })
}
