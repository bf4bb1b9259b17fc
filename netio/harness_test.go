package netio

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"logwisp/ring"
	"logwisp/ring/record"
)

// waitLimit bounds every wait. It is not a measure of speed.
const waitLimit = 20 * time.Second

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Lines of the framed form: an entry is "e<seq>:<its JSON>\n.\n", everything
// else is one line that begins with its kind.
func framedForm() *Form {
	return &Form{
		Name: "framed",
		Entry: func(dst []byte, _ record.IDs, seq uint64, line []byte) []byte {
			dst = append(strconv.AppendUint(append(dst, 'e'), seq, 10), ':')
			return append(append(dst, line...), '.', '\n')
		},
		Drop: func(dst []byte, d *record.Drop) []byte {
			return fmt.Appendf(dst, "drop %d %d %d\n", d.From, d.To, d.Total)
		},
		Disconnect: func(dst []byte, reason string) []byte { return fmt.Appendf(dst, "bye %s\n", reason) },
		Heartbeat: func(dst []byte, _ record.IDs, seq uint64, _ *record.Heartbeat) []byte {
			return fmt.Appendf(dst, "beat %d\n", seq)
		},
		Probe: []byte("probe\n"),
	}
}

// rawForm has the ring's bytes for entries, and the notices of framedForm.
func rawForm() *Form {
	f := framedForm()
	f.Name, f.Entry = "raw", nil
	return f
}

// silentForm is like that of a transport without notices.
func silentForm() *Form { return &Form{Name: "silent"} }

// bed is a loop whose passes the test makes itself: no gnet, no goroutines.
type bed struct {
	f         failer
	ring      *ring.Ring
	builder   *ring.Builder
	engine    *Engine
	loop      *loop
	transport *Transport
	pad       func(seq uint64) int // length of an entry's filler
	level     func(seq uint64) ring.Level
	published uint64
	peers     map[*Subscriber]int
}

func info(uint64) ring.Level { return ring.LevelInfo }

func newBed(f failer, o ring.Options, form *Form) *bed {
	r := ring.New(o)
	e := &Engine{
		ring: r, log: slog.New(slog.DiscardHandler), started: time.Now(), views: newViewCache(1 << 20),
		pins: pins{budget: minPinBytes, held: make(map[pinKey]*pin)}, warnings: newClientWarnings(slog.New(slog.DiscardHandler)),
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		f.Fatalf("create an epoll: %v", err)
	}
	l := &loop{engine: e, bellFD: -1, byFD: make(map[int]*Subscriber), groups: make(map[*selection]*group), scan: scan{most: maxScan, slow: time.Hour}, drained: make(chan struct{}), now: time.Now(), out: batch{most: maxWrite}}
	l.poll = &writePoll{loop: l, fd: epoll}
	l.waker = r.NewWaker(l.ring)
	l.reader = r.NewReader()
	l.stay = e.views.newStay()
	return &bed{
		f: f, ring: r, builder: r.NewBuilder(), engine: e, loop: l,
		transport: e.Register(&Transport{Name: "t", Form: form}),
		pad:       func(uint64) int { return 10 }, level: info, peers: make(map[*Subscriber]int),
	}
}

func (b *bed) close() {
	for s := range b.peers {
		b.loop.leave(s, "the test is over")
	}
	for _, fd := range b.peers {
		unix.Close(fd)
	}
	unix.Close(b.loop.poll.fd)
}

// join takes a subscriber in as the loop does, on a socket pair whose other
// end the test reads. It counts as half-closed, so that the loop owns it.
func (b *bed) join(sendBuffer int) *Subscriber { return b.joinAs(sendBuffer, Subscription{}) }

// joinAs is join for one that asks for something.
func (b *bed) joinAs(sendBuffer int, sub Subscription) *Subscriber {
	b.f.Helper()
	s := b.newcomer(sendBuffer, sub)
	b.place(s)
	return s
}

// newcomer returns a subscriber that has no place in the loop yet.
func (b *bed) newcomer(sendBuffer int, sub Subscription) *Subscriber {
	b.f.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.f.Fatalf("create a socket pair: %v", err)
	}
	if sendBuffer > 0 {
		_ = unix.SetsockoptInt(fds[0], unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)
	}
	s := &Subscriber{transport: b.transport, id: "t", loop: b.loop, fd: fds[0], half: true, progress: b.loop.now, wanted: &sub}
	b.transport.live[s] = struct{}{}
	b.transport.active.Add(1)
	b.peers[s] = fds[1]
	return s
}

// place gives a newcomer its place.
func (b *bed) place(s *Subscriber) {
	b.loop.begin(s)
	s.index = len(b.loop.subs)
	b.loop.subs = append(b.loop.subs, s)
	b.loop.byFD[s.fd] = s
	b.loop.ring()
}

// line is entry seq as it is published.
func (b *bed) line(seq uint64) string {
	return `{"n":` + strconv.FormatUint(seq, 10) + `,"pad":"` + strings.Repeat("x", b.pad(seq)) + "\"}\n"
}

// publish appends n entries, perPage to a page.
func (b *bed) publish(n, perPage int) {
	for range n {
		b.published++
		b.builder.Add(append(b.builder.Text(), b.line(b.published)...), 1, b.level(b.published))
		if b.builder.Len() >= perPage {
			b.builder.Publish()
		}
	}
	b.builder.Publish()
}

// receive returns what has arrived at a subscriber's peer.
func (b *bed) receive(s *Subscriber, most int) []byte {
	var got []byte
	buf := make([]byte, 64<<10)
	for len(got) < most {
		n, err := unix.Read(b.peers[s], buf[:min(len(buf), most-len(got))])
		if n <= 0 || err != nil {
			break
		}
		got = append(got, buf[:n]...)
	}
	return got
}

// writable tells the loop what the kernel would tell it.
func (b *bed) writable(s *Subscriber) {
	b.loop.unblock(s.fd, false)
	b.loop.ring()
}

// batchBytes returns what a batch would hand to the socket.
func batchBytes(b *batch) []byte {
	var all []byte
	for _, v := range b.iov {
		all = append(all, unsafe.Slice(v.Base, int(v.Len))...)
	}
	return all
}

// stream checks what a client gets: whole items, entries in order, a notice
// exactly where entries are missing.
type stream struct {
	next      uint64 // seq of the next entry
	delivered uint64
	dropped   uint64
	beats     int
	bye       bool
	rest      []byte // of an item that has not arrived whole
}

// feed takes p, which may end anywhere.
func (st *stream) feed(b *bed, framed bool, p []byte) {
	b.f.Helper()
	st.rest = append(st.rest, p...)
	for {
		line, rest, ok := bytes.Cut(st.rest, []byte("\n"))
		if !ok {
			return
		}
		if framed && line[0] == 'e' {
			if len(rest) < 2 {
				return
			}
			if string(rest[:2]) != ".\n" {
				b.f.Fatalf("behind entry %d stands %.40q", st.next, rest)
			}
			head := "e" + strconv.FormatUint(st.next, 10) + ":"
			if !bytes.HasPrefix(line, []byte(head)) {
				b.f.Fatalf("got %.40q, want entry %d", line, st.next)
			}
			line, rest = line[len(head):], rest[2:]
		}
		st.item(b, string(line)+"\n")
		st.rest = rest
	}
}

func (st *stream) item(b *bed, line string) {
	b.f.Helper()
	var from, to, total uint64
	switch {
	case st.bye:
		b.f.Fatalf("%.60q came after the disconnect notice", line)
	case line == b.line(st.next):
		st.next++
		st.delivered++
	case strings.HasPrefix(line, "drop "):
		if _, err := fmt.Sscanf(line, "drop %d %d %d\n", &from, &to, &total); err != nil {
			b.f.Fatalf("notice %q: %v", line, err)
		}
		st.dropped += to - from + 1
		if from != st.next || to < from || total != st.dropped {
			b.f.Fatalf("notice %q where entry %d is next and %d are lost", line, st.next, st.dropped)
		}
		st.next = to + 1
	case strings.HasPrefix(line, "beat "):
		if _, err := fmt.Sscanf(line, "beat %d\n", &from); err != nil || from > b.published {
			b.f.Fatalf("heartbeat %q with %d published (%v)", line, b.published, err)
		}
		st.beats++
	case strings.HasPrefix(line, "bye "):
		st.bye = true
	case line == "probe\n" || strings.HasPrefix(line, "hello "):
	default:
		b.f.Fatalf("got %.60q, want entry %d", line, st.next)
	}
}

// wantTotals compares a subscriber's counters with what its client has seen.
func (st *stream) wantTotals(b *bed, s *Subscriber) {
	b.f.Helper()
	t := s.Totals()
	if t.Delivered+t.Filtered+t.Dropped != t.Offered {
		b.f.Fatalf("delivered %d + filtered %d + dropped %d != offered %d", t.Delivered, t.Filtered, t.Dropped, t.Offered)
	}
	if t.Delivered != st.delivered {
		b.f.Fatalf("%d counted as delivered, the client has %d", t.Delivered, st.delivered)
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	end := time.Now().Add(waitLimit)
	for !done() {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// pair returns the two ends of a TCP connection.
func pair(t *testing.T) (server, client *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return s.(*net.TCPConn), c.(*net.TCPConn)
}

// start returns a running engine that is drained and closed at the end.
func start(t *testing.T, r *ring.Ring, o Options) *Engine {
	t.Helper()
	e, err := New(r, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(e) })
	return e
}

func stop(e *Engine) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	e.Drain(ctx)
	e.Close()
}
