package netio

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// Listen opens a TCP listener at host:port; an empty host means every address
// of the machine, IPv4 and IPv6, and port 0 picks a free one. It is Persistent.
//
// admit says who may connect, nil: everybody. Others are closed at once.
func Listen(host, port string, admit func(netip.Addr) bool, log *slog.Logger) (net.Listener, error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false) // its sockets lack options that are set on every subscriber
	ln, err := config.Listen(context.Background(), "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	return Persistent(ln, admit, log), nil
}

// Persistent returns ln with an Accept that survives running out of descriptors
// or memory: it waits and goes on, since an error would end the servers built
// on it. admit is as for Listen.
func Persistent(ln net.Listener, admit func(netip.Addr) bool, log *slog.Logger) net.Listener {
	return &listener{Listener: ln, admit: admit, log: log, closed: make(chan struct{})}
}

type listener struct {
	net.Listener
	admit     func(netip.Addr) bool
	turnAway  func(net.Conn) bool // see Places
	log       *slog.Logger
	closed    chan struct{}
	closeOnce atomic.Bool
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	wait := 5 * time.Millisecond
	for {
		c, err := l.Listener.Accept()
		if err == nil && l.admit != nil && !l.admit(AddressOf(c.RemoteAddr())) {
			l.log.Debug("connection refused by acl", "address", c.RemoteAddr())
			c.Close()
			continue
		}
		if err == nil && l.turnAway != nil && l.turnAway(c) {
			continue
		}
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

// AddressOf returns the address of a peer without its port; invalid for one of a
// Unix socket.
func AddressOf(peer net.Addr) netip.Addr {
	if a, ok := peer.(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
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
		syscall.ENETDOWN, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EHOSTUNREACH, errNoNetwork,
	}, func(e error) bool { return errors.Is(err, e) })
}
