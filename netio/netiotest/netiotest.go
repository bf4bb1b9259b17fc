// Package netiotest holds the cases that every transport passes: order,
// completeness, exact accounting of losses, heartbeats, half-closed and stuck
// clients, and the end of the stream.
package netiotest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"logwisp/netio"
	"logwisp/ring"
)

// Transport is what a transport's test hands to Run.
type Transport struct {
	// Start serves e's entries on a loopback port until the test ends.
	Start func(t *testing.T, e *netio.Engine, o netio.ClientOptions, h netio.HeartbeatPolicy) (addr net.Addr, clients *netio.Transport)
	// Secure is what a client does with TLS, nil for none.
	Secure *tls.Config
	// Request returns what a client sends first, "" for nothing.
	Request func(Ask) string
	// Read reads one thing from the stream.
	Read func(r *bufio.Reader) (Item, error)
	// Asks tells whether clients can ask for anything.
	Asks bool
	// Greets tells whether an item "connected" comes before what was asked for.
	Greets bool
	// Notices tells whether losses are announced in the stream, Places whether
	// it says where they are.
	Notices, Places bool
	// IDs tells whether entries have ids, so that a client can resume.
	IDs bool
	// Lacks lists the kinds of items that this wire does not have.
	Lacks []string
	// LinesOnly tells that a client must not send long lines.
	LinesOnly bool
}

// Ask is what a client asks for; the zero value for nothing.
type Ask struct {
	Level  string // least severe level
	Resume string // id behind which to go on
	Limit  int    // entries
}

// Item is one thing a client reads.
type Item struct {
	Kind  string // "entry", "drop", "gap", "heartbeat", "connected", "disconnect", "other"
	Line  []byte // the entry's JSON with its newline, without its id
	ID    string // of an entry, a drop or a gap
	Count uint64 // of a drop or a gap
	From  uint64 // seq of the first entry of a drop, 0 = not told
}

// deadline bounds every wait of a case. It is not a measure of speed.
const deadline = time.Minute

// patient is a connection whose every read may take as long as a wait.
type patient struct{ net.Conn }

func (p patient) Read(b []byte) (int, error) {
	_ = p.SetReadDeadline(time.Now().Add(deadline))
	return p.Conn.Read(b)
}

// Rig is one running engine with one transport.
type Rig struct {
	t         *testing.T
	Ring      *ring.Ring
	Engine    *netio.Engine
	Clients   *netio.Transport
	transport Transport
	addr      net.Addr
	builder   *ring.Builder
	published uint64
	pad       []byte
	level     func(n uint64) ring.Level
}

// settings of a rig; the zero value suits most cases.
type settings struct {
	ring      ring.Options
	clients   netio.ClientOptions
	heartbeat netio.HeartbeatPolicy
	views     int64
}

func newRig(t *testing.T, tr Transport, s settings) *Rig {
	t.Helper()
	if s.ring.Bytes == 0 {
		s.ring = ring.Options{Entries: 1 << 16, Bytes: 64 << 20}
	}
	s.ring.Recycle = true // as in the daemon
	r := ring.New(s.ring)
	e, err := netio.New(r, netio.Options{ViewBytes: s.views})
	if err != nil {
		t.Fatal(err)
	}
	rig := &Rig{t: t, Ring: r, Engine: e, transport: tr, builder: r.NewBuilder()}
	rig.level = func(uint64) ring.Level { return ring.LevelInfo }
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		e.Drain(ctx)
		e.Close()
	})
	rig.addr, rig.Clients = tr.Start(t, e, s.clients, s.heartbeat)
	return rig
}

// line returns entry n as it must arrive.
func (g *Rig) line(n uint64) []byte {
	return fmt.Appendf(nil, `{"time":"2024-01-01T12:00:00.000000Z","source":"app.log","message":"entry %d %s"}`+"\n", n, g.pad)
}

// publish appends n entries in pages of at most perPage.
func (g *Rig) publish(n, perPage int) {
	for range n {
		g.published++
		g.builder.Add(append(g.builder.Text(), g.line(g.published)...), 1, g.level(g.published))
		if g.builder.Len() >= perPage {
			g.builder.Publish()
		}
	}
	g.builder.Publish()
}

// client is one connected reader.
type client struct {
	t    *testing.T
	rig  *Rig
	conn wire
	r    *bufio.Reader
	next uint64 // number of the next entry expected
	got  uint64
	lost uint64

	wants func(n uint64) bool // nil: every entry
}

// connect joins and waits until the engine has the client.
func (g *Rig) connect(receiveBuffer int) *client {
	g.t.Helper()
	return g.connectAs(Ask{}, receiveBuffer)
}

// connectAs is connect for a client that asks for something.
func (g *Rig) connectAs(ask Ask, receiveBuffer int) *client {
	g.t.Helper()
	before := g.Clients.Stats().Joined
	conn := g.dial()
	g.t.Cleanup(func() { conn.Close() })
	c := &client{t: g.t, rig: g, conn: conn}
	if receiveBuffer > 0 {
		_ = c.conn.SetReadBuffer(receiveBuffer)
	}
	_, _ = io.WriteString(conn, g.transport.Request(ask))
	c.r = bufio.NewReaderSize(patient{conn}, 64<<10)
	g.wait("the client to join", func() bool { return g.Clients.Stats().Joined > before })
	c.next = g.published + 1
	if g.transport.Greets {
		c.readKind("connected")
	}
	return c
}

// wait polls a condition.
func (g *Rig) wait(what string, done func() bool) {
	g.t.Helper()
	end := time.Now().Add(deadline)
	for !done() {
		if time.Now().After(end) {
			g.t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// read returns the next item, checking an entry's place and bytes.
func (c *client) read() (Item, error) {
	it, err := c.rig.transport.Read(c.r)
	if err != nil {
		return it, err
	}
	switch it.Kind {
	case "entry":
		n, err := number(it.Line)
		if err != nil {
			c.t.Fatalf("entry %q: %v", it.Line, err)
		}
		c.skipTo(n)
		if c.wants != nil && !c.wants(n) {
			c.t.Fatalf("got entry %d, which was not asked for", n)
		}
		if want := c.rig.line(n); !bytes.Equal(it.Line, want) {
			c.t.Fatalf("entry %d arrived as %.200q, want %.200q", n, it.Line, want)
		}
		c.next = n + 1
		c.got++
	case "drop":
		if it.From > 0 {
			c.skipTo(it.From)
		}
		c.next += it.Count
		c.lost += it.Count
	}
	return it, nil
}

// skipTo accounts for entries that did not come before entry n: those that
// were not asked for, and, where they are not told, lost ones.
func (c *client) skipTo(n uint64) {
	if n < c.next {
		c.t.Fatalf("got entry %d, want %d", n, c.next)
	}
	for ; c.next < n; c.next++ {
		if c.wants != nil && !c.wants(c.next) {
			continue
		}
		if c.rig.transport.Notices {
			c.t.Fatalf("got entry %d, want %d", n, c.next)
		}
		c.lost++
	}
}

// readTo reads until entry n has arrived or is known to be lost.
func (c *client) readTo(n uint64) {
	c.t.Helper()
	for c.next <= n {
		if _, err := c.read(); err != nil {
			c.t.Fatalf("after entry %d of %d: %v", c.next-1, n, err)
		}
	}
}

// readKind reads until something of a kind comes.
func (c *client) readKind(kind string) Item {
	c.t.Helper()
	for {
		it, err := c.read()
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", kind, err)
		}
		if it.Kind == kind {
			return it
		}
	}
}

// number takes the entry's number from its message.
func number(line []byte) (uint64, error) {
	_, rest, ok := bytes.Cut(line, []byte(`"message":"entry `))
	digits, _, end := bytes.Cut(rest, []byte(" "))
	if !ok || !end {
		return 0, errors.New("not an entry of this test")
	}
	return strconv.ParseUint(string(digits), 10, 64)
}

// wantBalance checks the promise that nothing is lost silently. It holds when
// everybody is idle: a client has an entry a moment before it is counted.
func (g *Rig) wantBalance() {
	g.t.Helper()
	var s netio.Totals
	balanced := func() bool {
		s = g.Clients.Stats().Totals
		return s.Delivered+s.Filtered+s.Dropped == s.Offered
	}
	for end := time.Now().Add(20 * time.Second); !balanced() && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if !balanced() {
		g.t.Errorf("delivered %d + filtered %d + dropped %d != offered %d", s.Delivered, s.Filtered, s.Dropped, s.Offered)
	}
}

// wire is a client's connection.
type wire interface {
	net.Conn
	CloseWrite() error
	SetLinger(seconds int) error
	SetReadBuffer(bytes int) error
}

// encrypted is one with TLS.
type encrypted struct {
	*tls.Conn
	tcp *net.TCPConn
}

func (e encrypted) Close() error                  { return e.tcp.Close() }
func (e encrypted) SetLinger(seconds int) error   { return e.tcp.SetLinger(seconds) }
func (e encrypted) SetReadBuffer(bytes int) error { return e.tcp.SetReadBuffer(bytes) }

// dial opens a connection that says nothing yet.
func (g *Rig) dial() wire {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.addr.String())
	if err != nil {
		g.t.Fatal(err)
	}
	tcp := conn.(*net.TCPConn)
	if g.transport.Secure == nil {
		return tcp
	}
	c := tls.Client(tcp, g.transport.Secure)
	if err := c.Handshake(); err != nil {
		g.t.Fatal(err)
	}
	return encrypted{c, tcp}
}

func isReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }

// IgnoreLibraries lists the goroutines that libraries start when they are
// linked in and never end.
func IgnoreLibraries() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreTopFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreTopFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"), // ends within MaxIdleWorkerDuration
	}
}
