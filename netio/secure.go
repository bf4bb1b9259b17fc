package netio

import (
	"container/list"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// TLSOptions are the settings of a server's TLS.
type TLSOptions struct {
	Enabled      bool   `toml:"enabled" kong:"-" default:"false"`
	CertFile     string `toml:"cert_file" kong:"-"`      // PEM, the chain with the server's own certificate first
	KeyFile      string `toml:"key_file" kong:"-"`       // PEM
	ClientCAFile string `toml:"client_ca_file" kong:"-"` // PEM; clients need a certificate of one of these authorities; "" = they need none
	MinVersion   string `toml:"min_version" kong:"-" default:"1.2" enum:"1.2,1.3"`
}

// Load reads the files. The error begins with the key and names the file; nil
// options, or ones that are not enabled, give nil.
func (o *TLSOptions) Load() (*tls.Config, error) {
	if !o.Enabled {
		return nil, nil
	}
	if o.CertFile == "" || o.KeyFile == "" {
		return nil, errors.New("tls.enabled needs tls.cert_file and tls.key_file")
	}
	cert, noCert := os.ReadFile(o.CertFile)
	if noCert != nil {
		noCert = fmt.Errorf("tls.cert_file: %w", noCert)
	}
	key, noKey := os.ReadFile(o.KeyFile)
	if noKey != nil {
		noKey = fmt.Errorf("tls.key_file: %w", noKey)
	}
	if err := errors.Join(noCert, noKey); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("tls.cert_file: certificate %s and key %s: %w", o.CertFile, o.KeyFile, err)
	}
	// Records are of full size from the beginning: small ones, one a packet, cost a
	// stream much and would only have its very first bytes decrypted earlier.
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, DynamicRecordSizingDisabled: true}
	if o.MinVersion == "1.3" {
		c.MinVersion = tls.VersionTLS13
	}
	if o.ClientCAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(o.ClientCAFile)
	if err != nil {
		return nil, fmt.Errorf("tls.client_ca_file: %w", err)
	}
	c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls.client_ca_file: %s holds no certificate in PEM", o.ClientCAFile)
	}
	return c, nil
}

const (
	// maxHandshakes is how many handshakes are under way at once: one more pushes
	// out the one that has taken longest, so that who says nothing keeps nobody out.
	maxHandshakes = 256
	// securePiece is how much is encrypted at a time: with it a client's share
	// of a loop's work stays small, and records are as large as they may be.
	securePiece = 64 << 10
	// stuckTime is how long a client may take nothing before its connection is
	// given up here. The engine's slow_timeout is usually shorter.
	stuckTime = 10 * time.Minute
)

// patience is how long a client may take for its handshake, and for how long it
// may take nothing once the engine has closed its connection.
type patience struct{ handshake, left time.Duration }

// SecureListener speaks TLS with those that connect, and hands over a plain
// connection for each: one end of a socket pair, whose other end is served by
// two goroutines here. So event loops write pages to every client in the same
// way. What is in the pair and not sent yet counts as what is in a kernel's
// buffer does.
type SecureListener struct {
	net.Listener
	config   atomic.Pointer[tls.Config]
	patience patience
	log      *slog.Logger
	refused  func(error) // Places.Failed

	complaints *Complaints

	plain   chan net.Conn
	failed  chan error // has the error of Accept, once
	closing context.Context
	close   context.CancelFunc
	pumps   sync.WaitGroup
	buffers sync.Pool // of pieces
	records sync.Pool // of what a piece becomes
}

// Secure returns ln with TLS. failed hears of handshakes that failed; nil: nobody
// does.
func Secure(ln net.Listener, config *tls.Config, failed func(error), log *slog.Logger) *SecureListener {
	return secure(ln, config, failed, patience{10 * time.Second, 10 * time.Second}, log)
}

func secure(ln net.Listener, config *tls.Config, failed func(error), p patience, log *slog.Logger) *SecureListener {
	l := &SecureListener{Listener: ln, patience: p, refused: failed, log: log, complaints: NewComplaints(log), plain: make(chan net.Conn), failed: make(chan error, 1)}
	l.closing, l.close = context.WithCancel(context.Background())
	l.buffers.New = func() any { b := make([]byte, securePiece); return &b }
	l.records.New = func() any { b := make([]byte, 0, securePiece+securePiece/16); return &b }
	l.config.Store(config)
	go l.acceptAll()
	return l
}

// Replace has clients that connect from now on get another certificate.
func (l *SecureListener) Replace(config *tls.Config) { l.config.Store(config) }

// Accept returns the next connection whose handshake has been done.
func (l *SecureListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.plain:
		return c, nil
	case err := <-l.failed:
		l.failed <- err
		return nil, err
	}
}

// Close stops accepting. Connections that were handed over stay.
func (l *SecureListener) Close() error {
	l.close()
	return l.Listener.Close()
}

// Flush waits until what the engine has written to those whose connections it
// has closed is sent, or ctx ends.
func (l *SecureListener) Flush(ctx context.Context) {
	done := make(chan struct{})
	go func() { l.pumps.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (l *SecureListener) acceptAll() {
	// Those pushed out take a moment to end, and those whose handshake is done wait
	// to be taken.
	slots := make(chan struct{}, 2*maxHandshakes)
	var under handshakes
	for {
		slots <- struct{}{}
		raw, err := l.Listener.Accept()
		if err != nil {
			l.failed <- err
			return
		}
		end := under.begin(raw)
		l.pumps.Go(func() {
			l.shake(raw, end)
			<-slots
		})
	}
}

// handshakes are those under way, in the order in which they began.
type handshakes struct {
	mu  sync.Mutex
	all list.List // of net.Conn
}

// begin adds one. end is called when it is over, well or not.
func (h *handshakes) begin(c net.Conn) (end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all.Len() >= maxHandshakes {
		oldest := h.all.Remove(h.all.Front()).(net.Conn)
		oldest.Close()
	}
	e := h.all.PushBack(c)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all.Remove(e) // does nothing to one that was pushed out
	}
}

// shake does the handshake, of which end is told, and hands the connection over.
func (l *SecureListener) shake(raw net.Conn, end func()) {
	ctx, cancel := context.WithTimeout(l.closing, l.patience.handshake)
	defer cancel()
	out := &gathered{Conn: raw}
	c := tls.Server(out, l.config.Load())
	err := c.HandshakeContext(ctx)
	end()
	if err != nil {
		raw.Close()
		l.log.Debug("TLS handshake failed", "address", raw.RemoteAddr(), "error", err)
		if l.refused != nil {
			l.refused(ErrHandshake)
		}
		return
	}
	ours, theirs, err := socketPair()
	if err != nil {
		raw.Close()
		l.complaints.Warn("TLS client refused", err, "address", raw.RemoteAddr())
		return
	}
	select {
	case l.plain <- &secured{theirs, raw}:
	case <-l.closing.Done():
		raw.Close()
		ours.Close()
		theirs.Close()
		return
	}
	l.pumps.Go(func() { l.send(c, out, ours) })
	l.pumps.Go(func() { receive(c, raw, ours) })
}

// secured is what is handed over: a plain socket with the address of the client.
type secured struct {
	*net.UnixConn
	raw net.Conn
}

func (s *secured) RemoteAddr() net.Addr { return s.raw.RemoteAddr() }
func (s *secured) LocalAddr() net.Addr  { return s.raw.LocalAddr() }

// plainSocket returns the socket of a connection that was accepted.
func plainSocket(c net.Conn) net.Conn {
	if s, ok := c.(*secured); ok {
		return s.UnixConn
	}
	return c
}

// gathered is a connection on which the records of a piece are sent with one
// call. Both goroutines of a connection may write, as TLS has answers of its own:
// what one writes while the other gathers goes out with it, in order.
type gathered struct {
	net.Conn
	mu   sync.Mutex
	held *[]byte // nil: nothing is held back
}

func (g *gathered) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held == nil {
		return g.Conn.Write(p)
	}
	*g.held = append(*g.held, p...)
	return len(p), nil
}

// gather holds back what is written from now on, in a buffer that is lent until
// flush.
func (g *gathered) gather(buf *[]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	*buf = (*buf)[:0]
	g.held = buf
}

// flush sends what is held back. A client that takes nothing is given up after
// stuckTime, or after less if left says that the engine has closed its end.
func (g *gathered) flush(left func() bool, leftTime time.Duration) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := *g.held
	g.held = nil
	defer func() { _ = g.Conn.SetWriteDeadline(time.Now().Add(stuckTime)) }() // of what TLS has to say itself
	for took := time.Now(); ; {
		_ = g.Conn.SetWriteDeadline(time.Now().Add(leftTime / 4))
		n, err := g.Conn.Write(p)
		p = p[n:]
		if n > 0 {
			took = time.Now()
		}
		idle := time.Since(took)
		if !errors.Is(err, os.ErrDeadlineExceeded) || idle >= stuckTime || idle >= leftTime && left() {
			return err
		}
	}
}

// send encrypts what the server writes, until it closes its end or the client is
// gone. A connection that waits has no buffer.
func (l *SecureListener) send(c *tls.Conn, out *gathered, from *net.UnixConn) {
	defer from.Close()
	defer c.Close() // sends the alert that the stream is whole
	raw, err := from.SyscallConn()
	left := func() (closed bool) {
		_ = raw.Control(func(fd uintptr) { closed = hungUp(int(fd)) })
		return closed
	}
	for err == nil {
		var piece *[]byte
		n := 0
		err = raw.Read(func(fd uintptr) bool {
			piece = l.buffers.Get().(*[]byte)
			var errno error
			if n, errno = readSocket(int(fd), *piece); errno == syscall.EAGAIN {
				l.buffers.Put(piece)
				piece = nil
			}
			return piece != nil
		})
		if piece == nil {
			return
		}
		if n <= 0 {
			err = io.EOF
		} else if err == nil {
			records := l.records.Get().(*[]byte)
			out.gather(records)
			_, err = c.Write((*piece)[:n])
			l.buffers.Put(piece) // it is in the records, which may wait long
			piece = nil
			if err = errors.Join(err, out.flush(left, l.patience.left)); err != nil {
				out.Conn.Close() // there is nobody to say the end to
			}
			l.records.Put(records)
		}
		if piece != nil {
			l.buffers.Put(piece)
		}
	}
}

// receive passes on what the client says. That it will say no more does not end
// its stream.
func receive(c *tls.Conn, raw net.Conn, to *net.UnixConn) {
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{c}, make([]byte, 4<<10))
	if err == nil {
		_ = to.CloseWrite()
		awaitHangUp(raw) // else it would be noticed at the next write only
	}
	raw.Close() // wakes the other direction
	to.Close()
}

// awaitHangUp returns when a connection is broken or closed in both directions.
func awaitHangUp(c net.Conn) {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	if raw, err := t.SyscallConn(); err == nil {
		_ = raw.Read(func(fd uintptr) bool { return hungUp(int(fd)) })
	}
}

// socketPair returns two connected sockets.
func socketPair() (a, b *net.UnixConn, err error) {
	fds, err := socketFDs()
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "pair")
		c, e := net.FileConn(file)
		file.Close()
		if e != nil {
			err = e
			continue
		}
		ends[i] = c.(*net.UnixConn)
	}
	if err != nil {
		for _, c := range ends {
			if c != nil {
				c.Close()
			}
		}
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	return ends[0], ends[1], nil
}
