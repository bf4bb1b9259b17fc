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

	"golang.org/x/time/rate"
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
	return &listener{Listener: ln, admit: admit, log: log, credit: newCredit(), complaints: NewComplaints(log), closed: make(chan struct{})}
}

const (
	// acceptRate is how many connections a listener takes in a second, behind a
	// burst: who opens and closes them as fast as can be must not take the time of
	// those that are there. More wait in the kernel's queue.
	acceptRate  = 500
	acceptBurst = 2000
	acceptPause = 10 * time.Millisecond
	// turnedAway is how many that are closed at once count as much as one that is
	// let in: so those whom nobody wants do not use up what the others may.
	turnedAway = 4
)

type listener struct {
	net.Listener
	admit      func(netip.Addr) bool
	turnAway   func(net.Conn) bool // see Places
	failed     func(error)         // likewise
	log        *slog.Logger
	complaints *Complaints
	closed     chan struct{}
	closeOnce  atomic.Bool

	credit *rate.Limiter // of connections, each as many as turnedAway
}

// newCredit allows for a burst.
func newCredit() *rate.Limiter {
	return rate.NewLimiter(acceptRate*turnedAway, acceptBurst*turnedAway)
}

// mayAccept reports whether one more connection may be let in.
func (l *listener) mayAccept(now time.Time) bool { return l.credit.TokensAt(now) >= turnedAway }

// spend takes note of a connection.
func (l *listener) spend(now time.Time, letIn bool) {
	if letIn {
		l.credit.AllowN(now, turnedAway)
	} else {
		l.credit.AllowN(now, 1)
	}
}

// Accept waits for the next connection. It is called by one goroutine.
func (l *listener) Accept() (net.Conn, error) {
	wait := 5 * time.Millisecond
	for {
		if !l.mayAccept(time.Now()) {
			if !l.sleep(acceptPause) {
				return nil, net.ErrClosed
			}
			continue
		}
		c, err := l.Listener.Accept()
		if err == nil {
			letIn := l.letsIn(c)
			if l.spend(time.Now(), letIn); !letIn {
				continue
			}
		}
		if err == nil || !passing(err) {
			return c, err
		}
		if l.failed != nil {
			l.failed(err)
		}
		l.complaints.Warn("accept a connection: waiting before the next try", err, "address", l.Addr(), "wait", wait)
		if !l.sleep(wait) {
			return nil, net.ErrClosed
		}
		wait = min(2*wait, time.Second)
	}
}

// letsIn reports whether a connection is one to serve. If not, it is closed or will
// be.
func (l *listener) letsIn(c net.Conn) bool {
	if isReset(c) {
		c.Close()
		return false
	}
	if l.admit != nil && !l.admit(AddressOf(c.RemoteAddr())) {
		l.log.Debug("connection refused by acl", "address", c.RemoteAddr())
		if l.failed != nil {
			l.failed(ErrDenied)
		}
		c.Close()
		return false
	}
	return l.turnAway == nil || !l.turnAway(c)
}

// isReset reports whether the peer of a connection that has just been accepted has
// already ended it with a reset. To find out later costs the loops far more.
func isReset(c net.Conn) bool {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return true
	}
	var pending int
	err = raw.Control(func(fd uintptr) { pending = pendingError(int(fd)) })
	return err != nil || pending != 0
}

// sleep returns false when the listener is closed meanwhile.
func (l *listener) sleep(d time.Duration) bool {
	select {
	case <-l.closed:
		return false
	case <-time.After(d):
		return true
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
