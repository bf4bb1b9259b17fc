// Package tcp serves the stream as raw JSON lines: whoever connects gets every
// entry from then on, one a line, and needs to say nothing. A client that says
// hello with one line of JSON gets what it asks for there.
package tcp

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"logwisp/netio"
	"logwisp/netio/access"
)

// Options are the settings of the TCP server.
type Options struct {
	Enabled    bool   `toml:"enabled" name:"enable-tcp" negatable:"" default:"false" help:"Serve raw JSON lines over TCP (default: off)."`
	Host       string `toml:"host" name:"tcp-host" default:"" placeholder:"HOST" help:"Address the TCP server listens on (default: all)."`
	Port       int    `toml:"port" name:"tcp-port" default:"9090" min:"0" max:"65535" placeholder:"PORT" help:"Port of the TCP server, 0 picks a free one (default: ${default})."`
	BufferSize int    `toml:"buffer_size" name:"tcp-buffer-size" default:"1000" min:"1" max:"4194304" placeholder:"N" help:"Entries a TCP client may be behind without loss (default: ${default})."`

	Unix     string       `toml:"unix" kong:"-"` // path of a Unix socket that is listened on as well
	Listener net.Listener `toml:"-" kong:"-"`    // is served instead of Host and Port, when there is one

	netio.ClientOptions
	access.ArrivalOptions
	TLS       netio.TLSOptions `toml:"tls" kong:"-"`
	Handshake string           `toml:"handshake" kong:"-" default:"optional" enum:"off,optional,required"`
	Heartbeat Heartbeat        `toml:"heartbeat" kong:"-"`
}

// Heartbeat are the settings of [tcpserver.heartbeat]. On TCP the format is
// always JSON; the key exists because both servers have the same table.
type Heartbeat struct {
	Enabled bool   `toml:"enabled" kong:"-" default:"false"`
	Format  string `toml:"format" kong:"-" default:"json" enum:"json,comment"`
	netio.HeartbeatOptions
}

// Server accepts TCP subscribers.
type Server struct {
	gate       *access.Gate
	listeners  *netio.Listeners
	arrivals   *access.Arrivals
	transport  *netio.Transport
	complaints *netio.Complaints
	log        *slog.Logger
	accepting  sync.WaitGroup
}

// maxEnrolling is how many accepted connections wait for their event loop at
// once; more of them wait in the listener's queue.
const maxEnrolling = 64

// New binds the listeners, but for one that it is given. Nothing is accepted before Serve. gate says who may
// connect and read.
func New(o Options, e *netio.Engine, gate *access.Gate, log *slog.Logger) (*Server, error) {
	arrivals, err := access.NewArrivals(o.ArrivalOptions, nil)
	if err != nil {
		return nil, fmt.Errorf("tcpserver: %w", err)
	}
	t := o.Transport("tcp", netio.JSONLines(false, false), o.Heartbeat.Policy(o.Heartbeat.Enabled))
	t.Handshake = newHandshake(o.Handshake, e, gate)
	s := &Server{gate: gate, arrivals: arrivals, transport: e.Register(t), complaints: netio.NewComplaints(log), log: log}
	at := netio.Places{Host: o.Host, Port: o.Port, Unix: o.Unix, Given: o.Listener, TurnAway: s.turnAway, Failed: s.transport.Rejected}
	if s.listeners, err = netio.ListenAll(at, &o.TLS, gate.Admits, log); err != nil {
		return nil, fmt.Errorf("listen for TCP clients: %w", err)
	}
	return s, nil
}

// turnAway closes a connection that is one too many in its minute.
func (s *Server) turnAway(c net.Conn) bool {
	if s.arrivals.Admit(netio.AddressOf(c.RemoteAddr())) {
		return false
	}
	s.transport.Rejected(netio.ErrTooOften)
	if s.arrivals.Tell() {
		s.log.Warn("TCP clients are turned away", "address", c.RemoteAddr(), "error", netio.ErrTooOften)
	}
	c.Close()
	return true
}

// Reload checks o and returns what puts into effect what of it can be changed
// under way: TLS's files, limits and heartbeats.
func (s *Server) Reload(o Options) (apply func(), err error) {
	secure, err := s.listeners.Reload(o.TLS)
	if err != nil {
		return nil, err
	}
	arrivals, err := s.arrivals.Reload(o.ArrivalOptions, nil)
	if err != nil {
		return nil, err
	}
	return func() {
		secure()
		arrivals()
		s.transport.Reload(o.ClientOptions, o.Heartbeat.Policy(o.Heartbeat.Enabled))
	}, nil
}

// Addr returns the TCP address that is listened on.
func (s *Server) Addr() net.Addr { return s.listeners.Addr() }

// Listeners returns what is listened on.
func (s *Server) Listeners() *netio.Listeners { return s.listeners }

// Transport returns the figures of the server's clients.
func (s *Server) Transport() *netio.Transport { return s.transport }

// Serve accepts subscribers until Close. It returns nil after Close.
func (s *Server) Serve() error {
	defer s.accepting.Wait() // once nobody is accepted any more
	return s.listeners.Serve(s.accept)
}

// accept accepts the subscribers of one listener.
func (s *Server) accept(ln net.Listener) error {
	slots := make(chan struct{}, maxEnrolling)
	for {
		c, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept TCP clients: %w", err)
		}
		slots <- struct{}{}
		s.accepting.Go(func() {
			defer func() { <-slots }()
			address := c.RemoteAddr()
			arrived := netio.Subscription{Still: s.gate.Arrived(access.Stream, netio.AddressOf(address))}
			if err := s.transport.Enroll(c, arrived); err != nil {
				s.complaints.Warn("TCP client refused", err, "address", address)
			}
		})
	}
}

// Close stops accepting. Subscribers stay until the engine is drained.
func (s *Server) Close() error { return s.listeners.Close() }
