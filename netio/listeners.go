package netio

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Listeners are what one server listens on: a TCP port, with TLS or without, and
// a Unix socket if there is one, which is never encrypted.
type Listeners struct {
	tcp    net.Listener
	secure *SecureListener // tcp, when it speaks TLS
	unix   net.Listener    // nil: none
}

// Places are where a server listens.
type Places struct {
	Host string
	Port int
	Unix string // path of a Unix socket; "" = none
	// TurnAway deals with a connection that may not be made now, and reports
	// whether it was one: then it has closed the connection, or is about to. It is
	// called before TLS, for those that admit lets in, and must not wait. nil: none
	// is turned away.
	TurnAway func(net.Conn) bool
	// Failed hears of every connection that could not be accepted for want of
	// something, was denied, or did not get through its TLS handshake. It must not
	// wait. nil: nobody does.
	Failed func(error)

	Given net.Listener // has been opened by somebody else, and takes the place of Host and Port; nil: none
}

// ListenAll opens what at names. Errors name what could not be had.
func ListenAll(at Places, o *TLSOptions, admit func(netip.Addr) bool, log *slog.Logger) (*Listeners, error) {
	config, err := o.Load()
	if err != nil {
		return nil, err
	}
	l := &Listeners{}
	if at.Given != nil {
		l.tcp = Persistent(at.Given, admit, log)
	} else if l.tcp, err = Listen(at.Host, strconv.Itoa(at.Port), admit, log); err != nil {
		return nil, err
	}
	l.tcp.(*listener).turnAway, l.tcp.(*listener).failed = at.TurnAway, at.Failed
	if config != nil {
		l.secure = Secure(l.tcp, config, at.Failed, log)
		l.tcp = l.secure
	}
	if at.Unix != "" {
		if l.unix, err = ListenUnix(at.Unix, log); err != nil {
			l.tcp.Close()
			return nil, err
		}
	}
	return l, nil
}

// unixMode lets owner and group connect: who else may is for the directory's
// owner to say.
const unixMode = 0o660

// ListenUnix opens a Unix socket that streams, as Listen does a port. What an
// earlier run has left there, a socket that nobody listens on, is taken away;
// Close removes the socket.
func ListenUnix(path string, log *slog.Logger) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("unix socket %s: there is something else at this path: name a path that may be created", path)
		}
		c, err := net.DialTimeout("unix", path, time.Second)
		if err == nil {
			c.Close()
			return nil, &net.OpError{Op: "listen", Net: "unix", Err: fmt.Errorf("another process listens at %s: %w", path, syscall.EADDRINUSE)}
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("unix socket: %w", err)
		}
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("unix socket: %w", err)
	}
	if err := os.Chmod(path, unixMode); err != nil {
		ln.Close()
		return nil, fmt.Errorf("unix socket: %w", err)
	}
	return Persistent(ln, nil, log), nil
}

// OfUnixSocket reports whether an error of listening is about a Unix socket.
func OfUnixSocket(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Net == "unix"
}

// Addr returns the address of the TCP port.
func (l *Listeners) Addr() net.Addr { return l.tcp.Addr() }

// AsksCertificates reports whether clients have to show a certificate, other than
// on the Unix socket.
func (l *Listeners) AsksCertificates() bool {
	return l.secure != nil && l.secure.config.Load().ClientAuth == tls.RequireAndVerifyClientCert
}

// Secure reports whether the port speaks TLS.
func (l *Listeners) Secure() bool { return l.secure != nil }

// Serve calls serve for every listener, each in a goroutine, and returns the first
// error once all have returned.
func (l *Listeners) Serve(serve func(net.Listener) error) error {
	all := []net.Listener{l.tcp}
	if l.unix != nil {
		all = append(all, l.unix)
	}
	errs := make([]error, len(all))
	var done sync.WaitGroup
	for i, ln := range all {
		done.Go(func() {
			if errs[i] = serve(ln); errs[i] != nil {
				_ = l.Close() // a server that serves half of what it should is no server
			}
		})
	}
	done.Wait()
	return errors.Join(errs...)
}

// Close stops accepting. The Unix socket goes away.
func (l *Listeners) Close() error {
	err := l.tcp.Close()
	if l.unix != nil {
		_ = l.unix.Close()
	}
	return err
}

// Flush waits until what was written to TLS clients is sent, or ctx ends. Their
// connections have been closed.
func (l *Listeners) Flush(ctx context.Context) {
	if l.secure != nil {
		l.secure.Flush(ctx)
	}
}

// Reload reads certificate and key again and returns what has them hold for
// clients that come from then on; whether TLS is spoken at all does not change.
func (l *Listeners) Reload(o TLSOptions) (apply func(), err error) {
	if l.secure == nil || !o.Enabled {
		return func() {}, nil
	}
	config, err := o.Load()
	if err != nil {
		return nil, err
	}
	return func() { l.secure.Replace(config) }, nil
}
