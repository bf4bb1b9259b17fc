package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"logwisp/netio"
	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/parse"
)

// drainTime is how long Stop takes in what the kernel has received, from
// senders that go on sending as well.
const drainTime = 500 * time.Millisecond

// Settings are what all inputs have in common.
type Settings struct {
	Filter filter.IntakeOptions
	Post   bool                  // there is POST /ingest
	Admit  func(netip.Addr) bool // who may connect or send datagrams, nil: everybody
	// Authorize returns the name of a token that may send, "" when there are none
	// at all, and what tells, when rights may have changed, whether whoever has shown
	// it may be here still. The error is for the sender; an address that is not valid
	// is that of a Unix socket. Nil: nobody needs a token.
	Authorize func(token string, from netip.Addr) (who string, still func() bool, err error)
	Stdin     *os.File // what - reads
	Log       *slog.Logger
}

// Server takes in what the inputs receive.
type Server struct {
	ring      *ring.Ring
	log       *slog.Logger
	admit     func(netip.Addr) bool
	authorize func(token string, from netip.Addr) (string, func() bool, error)
	workers   *workers
	inputs    []*input
	post      *input // of POST /ingest, nil without it

	serving sync.WaitGroup
	stopAt  atomic.Pointer[time.Time] // nil until Stop
	mu      sync.Mutex
	conns   map[net.Conn]*entrance

	complaints *netio.Complaints
}

// input is one input at work.
type input struct {
	url    string
	source string // "" = none is set
	endpoint
	syslog      bool
	limit       int // bytes of a line
	connections int
	seats       netio.HostCounts // connections of hosts that are not this machine; under Server.mu
	idle        time.Duration
	auth        string // token, none, or else as Options has it

	format   parse.Format
	pattern  *regexp.Regexp
	location *time.Location
	tags     []byte

	certificates Options                    // the files of tls
	tls          atomic.Pointer[tls.Config] // nil without

	address   net.Addr // that is listened on
	listener  net.Listener
	socket    *datagrams
	stdin     *standardInput
	fragments atomic.Int64 // bytes of unfinished lines that are held
	holders   atomic.Int64 // streams that hold more than smallFragment of them
	stats     counters
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// New opens the inputs: it binds what is listened on, and takes nothing in
// before Serve. An error of the settings names the input and the key; one of
// binding is an *net.OpError or an os.SyscallError. The caller calls Serve, or
// Stop if it never does.
func New(all []Options, set Settings, r *ring.Ring) (_ *Server, err error) {
	s := &Server{ring: r, log: set.Log, complaints: netio.NewComplaints(set.Log), admit: set.Admit, authorize: set.Authorize, conns: make(map[net.Conn]*entrance)}
	if s.workers, err = newWorkers(r, set.Filter); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	for i := range all {
		in, err := newInput(&all[i])
		if err != nil {
			return nil, err
		}
		s.inputs = append(s.inputs, in)
		if err := s.open(in, set); err != nil {
			return nil, fmt.Errorf("input %s: %w", in.url, err)
		}
	}
	if set.Post {
		s.post = &input{url: "/ingest", endpoint: endpoint{scheme: "http"}, limit: 1 << 20}
		s.inputs = append(s.inputs, s.post)
	}
	return s, nil
}

// Reload compiles a filter, reads the certificates again, and returns what has the
// lines and the connections that are received from then on go through these; that
// cannot fail. Of an input that next, the inputs as they are to be, has no more or
// with other files, those that it has stay: it takes a restart, and they may be gone.
func (s *Server) Reload(o filter.IntakeOptions, next []Options) (apply func(), err error) {
	all, err := intakes(cap(s.workers.turns), o)
	if err != nil {
		return nil, err
	}
	configs := make([]*tls.Config, len(s.inputs))
	for i, in := range s.inputs {
		if in.tls.Load() == nil {
			continue
		}
		if !slices.ContainsFunc(next, in.sameFiles) {
			configs[i] = in.tls.Load()
			continue
		}
		if configs[i], err = serverTLS(&in.certificates); err != nil {
			return nil, fmt.Errorf("input %q: %w", in.url, err)
		}
	}
	return func() {
		s.workers.filter(all)
		for i, in := range s.inputs {
			in.tls.Store(configs[i])
		}
	}, nil
}

// sameFiles reports whether o is this input, with the files of TLS that it has.
func (in *input) sameFiles(o Options) bool {
	c := &in.certificates
	return o.URL == c.URL && o.CertFile == c.CertFile && o.KeyFile == c.KeyFile && o.ClientCAFile == c.ClientCAFile
}

// open opens what an input reads.
func (s *Server) open(in *input, set Settings) (err error) {
	switch in.scheme {
	case "-":
		in.stdin, err = newStandardInput(set.Stdin)
	case "unix":
		if in.listener, err = netio.ListenUnix(in.path, s.log); err == nil {
			in.address = in.listener.Addr()
		}
	case "syslog+udp":
		var c net.PacketConn
		if c, err = new(net.ListenConfig).ListenPacket(context.Background(), "udp", net.JoinHostPort(in.host, in.port)); err == nil {
			in.address = c.LocalAddr()
			in.socket, err = newDatagrams(c.(*net.UDPConn))
		}
	default:
		if in.listener, err = netio.Listen(in.host, in.port, set.Admit, s.log); err == nil {
			in.address = in.listener.Addr()
		}
	}
	return err
}

// Serve takes in what comes until Stop. It returns nil then, and at once when
// nothing is listened on.
func (s *Server) Serve() error {
	failed := make(chan error)
	accepting := 0
	for _, in := range s.inputs {
		s.announce(in)
		switch {
		case in.stdin != nil:
			s.start(func() { s.serveStandardInput(in) })
		case in.socket != nil:
			s.start(func() { s.serveDatagrams(in) })
		case in.listener != nil:
			accepting++
			go func() { failed <- s.accept(in) }()
		}
	}
	var err error
	for range accepting {
		if e := <-failed; e != nil && err == nil {
			err = e
			go s.Stop() // ends the others
		}
	}
	return err
}

// announce says where an input listens, and warns when that is more than this
// machine.
func (s *Server) announce(in *input) {
	if in.address == nil {
		return
	}
	s.log.Info("input listens", "url", in.url, "address", in.address.String())
	if host, err := netip.ParseAddrPort(in.address.String()); err == nil && !host.Addr().IsLoopback() && !s.guarded(in) && (in.tls.Load() == nil || in.tls.Load().ClientCAs == nil) {
		s.log.Warn("input: every host that can reach this address can send entries", "url", in.url,
			"hint", "name a host of this machine in the URL, such as 127.0.0.1, or let in whom [acl], [[auth.tokens]] or client_ca_file of the input names")
	}
}

// start runs what Stop waits for, and reports false after that.
func (s *Server) start(serve func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping() {
		return false
	}
	s.serving.Go(serve)
	return true
}

// accept takes connections of an input.
func (s *Server) accept(in *input) error {
	slots := make(chan struct{}, in.connections)
	full := false
	for {
		if !full && len(slots) == cap(slots) {
			full = true
			s.log.Warn("an input has as many connections as it may, further ones wait", "url", in.url, "max_connections", in.connections)
		}
		slots <- struct{}{}
		c, err := in.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept connections of the input %s: %w", in.url, err)
		}
		from := addressOf(c)
		if !s.seat(in, from) {
			in.stats.refused.Add(1)
			s.complaints.Warn("a sender is refused", errSeats, "url", in.url, "address", c.RemoteAddr())
			_ = c.Close()
			<-slots
			continue
		}
		if !s.start(func() {
			s.serveConn(in, c)
			s.unseat(in, from)
			<-slots
		}) {
			_ = c.Close()
			return nil
		}
	}
}

// serveConn takes in what a connection sends.
func (s *Server) serveConn(in *input, c net.Conn) {
	in.stats.accepted.Add(1)
	in.stats.open.Add(1)
	s.mu.Lock()
	s.conns[c] = &entrance{}
	s.mu.Unlock()
	if s.stopping() {
		_ = c.SetReadDeadline(time.Now()) // Stop may not have seen it
	}
	defer func() {
		in.stats.open.Add(-1)
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
		_ = c.Close()
	}()
	if s.denied(c) {
		return // it was let in before a change, and Recheck did not see it
	}
	k, err := newSocket(c, in.idle, s.stopping)
	var from reader = k
	talk := &talking{conn: c, socket: c}
	refused := false
	if config := in.tls.Load(); err == nil && config != nil {
		var t *secure
		if t, err = newSecure(k, config); err == nil {
			from, talk.conn = t, t.conn
		}
	}
	if err == nil {
		st := s.newStream(in, peerName(in, c), from)
		if !in.syslog {
			st.talk = talk
		}
		if s.guarded(in) {
			talk.limited = k
			k.until = time.Now().Add(helloTime)
		}
		err = st.run()
		refused = st.refused != nil
	}
	if refused {
		in.stats.refused.Add(1)
		if !s.stopping() {
			linger(c)
		}
	}
	if err != nil {
		s.log.Debug("a connection of an input ended", "url", in.url, "peer", c.RemoteAddr(), "error", err)
	}
}

// peerName is the source of lines that name none: the sender's host, of a Unix
// socket the name of that.
func peerName(in *input, c net.Conn) string {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return a.IP.String()
	}
	return filepath.Base(in.path)
}

func (s *Server) serveStandardInput(in *input) {
	in.stats.accepted.Add(1)
	in.stats.open.Add(1)
	err := s.newStream(in, "stdin", in.stdin).run()
	in.stats.open.Add(-1)
	switch {
	case err != nil:
		s.log.Warn("standard input cannot be read any more", "error", err)
	case !s.stopping():
		s.log.Info("standard input has ended")
	}
}

// stopping reports whether Stop was called.
func (s *Server) stopping() bool { return s.stopAt.Load() != nil }

// deadline is until when a stream may take in more after Stop was called.
func (s *Server) deadline() time.Time { return s.stopAt.Load().Add(drainTime) }

// Stop stops listening, takes in what the kernel has received by then, and
// returns when all of it is in the ring (G4). It may be called again.
func (s *Server) Stop() {
	now := time.Now()
	s.mu.Lock()
	s.stopAt.CompareAndSwap(nil, &now)
	for c := range s.conns {
		_ = c.SetReadDeadline(now)
		_ = c.SetWriteDeadline(s.deadline())
	}
	s.mu.Unlock()
	for _, in := range s.inputs {
		if in.listener != nil {
			_ = in.listener.Close()
		}
		if in.socket != nil {
			_ = in.socket.conn.SetReadDeadline(now)
		}
		if in.stdin != nil {
			in.stdin.end()
		}
	}
	s.serving.Wait()
	for _, in := range s.inputs {
		if in.socket != nil {
			in.socket.close()
		}
		if in.stdin != nil {
			in.stdin.close()
		}
	}
}
