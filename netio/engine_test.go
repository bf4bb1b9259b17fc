package netio

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"logwisp/ring"
)

// host is a running engine with one transport.
type host struct {
	*bed // for publishing and for checking what arrives
	t    *testing.T
}

// newHost starts an engine with as many loops; it ends with the test.
func newHost(t *testing.T, loops int, r ring.Options, tr *Transport) *host {
	t.Helper()
	h := &host{t: t, bed: &bed{f: t, ring: ring.New(r), level: info, pad: func(uint64) int { return 100 }}}
	h.builder = h.ring.NewBuilder()
	h.engine = start(t, h.ring, Options{Loops: loops})
	h.transport = h.engine.Register(tr)
	return h
}

// connect enrols one end of a new connection and returns the other.
func (h *host) connect() *net.TCPConn {
	h.t.Helper()
	server, client := pair(h.t)
	if err := h.transport.Enroll(server, Subscription{}); err != nil {
		h.t.Fatal(err)
	}
	return client
}

// readTo reads until entry n has arrived or is known to be lost.
func (h *host) readTo(c net.Conn, st *stream, n uint64) error {
	_ = c.SetReadDeadline(time.Now().Add(waitLimit))
	buf := make([]byte, 64<<10)
	for st.next <= n {
		k, err := c.Read(buf)
		st.feed(h.bed, true, buf[:k])
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *host) empty() bool { return h.transport.Stats().Active == 0 }

// TestChurnOverSeveralLoopsLosesNothing has steady readers on three loops while
// others come and go, also half-closed and with a reset.
func TestChurnOverSeveralLoopsLosesNothing(t *testing.T) {
	h := newHost(t, 3, ring.Options{Entries: 1 << 15, Bytes: 32 << 20}, &Transport{Name: "t", Form: framedForm(), SendBuffer: 16 << 10})
	const pages, perPage = 400, 10
	var workers sync.WaitGroup
	for range 6 {
		c := h.connect()
		workers.Go(func() {
			if err := h.readTo(c, &stream{next: 1}, pages*perPage); err != nil {
				t.Errorf("a steady reader: %v", err)
			}
		})
	}
	for i := range 3 {
		workers.Go(func() {
			for j := range 25 {
				c := h.connect()
				_, _ = io.CopyN(io.Discard, c, 1)
				switch (i + j) % 3 {
				case 0:
					_ = c.SetLinger(0)
				case 1:
					_ = c.CloseWrite()
					_, _ = io.CopyN(io.Discard, c, 1000)
				}
				c.Close()
			}
		})
	}
	for range pages {
		h.publish(perPage, 3)
		time.Sleep(100 * time.Microsecond) // spreads the entries over the churn
	}
	left := make(chan struct{})
	go func() { defer close(left); workers.Wait() }()
	for done := false; !done; {
		select {
		case <-left:
			done = true
		case <-time.After(time.Millisecond):
			h.publish(1, 1) // for those who wait for a first byte
		}
	}
	if s := h.transport.Stats(); s.Joined != 6+75 || s.Dropping != 0 {
		t.Errorf("%d joined, %d of them lost entries", s.Joined, s.Dropping)
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestNoDescriptorOutlivesTheEngine ends subscribers in every way there is.
func TestNoDescriptorOutlivesTheEngine(t *testing.T) {
	before := openDescriptors(t)
	r := ring.New(ring.Options{Entries: 64, Bytes: 1 << 20})
	e, err := New(r, Options{Loops: 2})
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, bed: &bed{f: t, ring: r, builder: r.NewBuilder(), engine: e, level: info, pad: func(uint64) int { return 4000 }}}
	h.transport = e.Register(&Transport{Name: "t", Form: framedForm(), SendBuffer: 8 << 10, MaxClients: 5})
	halfThenReset, half, reset, stuck := h.connect(), h.connect(), h.connect(), h.connect()
	_ = stuck.SetReadBuffer(4 << 10)
	quiet := h.connect()
	server, refused := pair(t)
	if err := h.transport.Enroll(server, Subscription{}); !errors.Is(err, ErrFull) {
		t.Errorf("the sixth of five clients: %v", err)
	}
	_ = half.CloseWrite()
	_ = halfThenReset.CloseWrite()
	h.publish(200, 4)
	_, _ = io.CopyN(io.Discard, halfThenReset, 1000)
	_ = halfThenReset.SetLinger(0)
	halfThenReset.Close()
	_ = reset.SetLinger(0)
	reset.Close()
	eventually(t, "the two that are gone", func() bool {
		h.publish(1, 1)
		return h.transport.Stats().Active == 3
	})
	stop(e)
	for _, c := range []net.Conn{half, stuck, quiet, refused} {
		c.Close()
	}
	if !h.empty() {
		t.Errorf("%d subscribers after the end", h.transport.Stats().Active)
	}
	if n := len(e.pins.held); n != 0 {
		t.Errorf("%d entries stay pinned", n)
	}
	eventually(t, "the descriptors to be closed", func() bool { return openDescriptors(t) == before })
	if s := h.transport.Stats().Totals; s.Delivered+s.Dropped != s.Offered {
		t.Errorf("delivered %d + dropped %d != offered %d", s.Delivered, s.Dropped, s.Offered)
	}
}

// TestEnrolmentsThatRaceTheEndNeitherHangNorStay drains and closes while
// clients join.
func TestEnrolmentsThatRaceTheEndNeitherHangNorStay(t *testing.T) {
	before := openDescriptors(t)
	for i := range 200 {
		r := ring.New(ring.Options{Entries: 64, Bytes: 1 << 20})
		e, err := New(r, Options{Loops: 1 + i%3})
		if err != nil {
			t.Fatal(err)
		}
		tr := e.Register(&Transport{Name: "t", Form: framedForm()})
		var joining sync.WaitGroup
		for range 3 {
			server, client := pair(t)
			joining.Go(func() {
				defer client.Close()
				if err := tr.Enroll(server, Subscription{}); err != nil && !errors.Is(err, ErrStopping) {
					t.Errorf("enrol: %v", err)
				}
			})
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			stop(e)
			joining.Wait()
		}()
		select {
		case <-done:
		case <-time.After(waitLimit):
			t.Fatalf("round %d hangs", i)
		}
		if n := tr.Stats().Active; n != 0 {
			t.Fatalf("round %d: %d subscribers after the end", i, n)
		}
	}
	eventually(t, "the descriptors to be closed", func() bool { return openDescriptors(t) <= before })
}

// TestAStuckClientOnOneLoopDoesNotCutTheGoodbyesOfAnother has one client that
// never reads on one of two loops, and one that reads on the other.
func TestAStuckClientOnOneLoopDoesNotCutTheGoodbyesOfAnother(t *testing.T) {
	h := newHost(t, 2, ring.Options{Entries: 256, Bytes: 4 << 20}, &Transport{Name: "t", Form: framedForm(), SendBuffer: 8 << 10})
	h.pad = func(uint64) int { return 4000 }
	stuck, reader := h.connect(), h.connect() // each goes to the loop with fewer
	_ = stuck.SetReadBuffer(4 << 10)
	h.publish(200, 1)
	if err := h.readTo(reader, &stream{next: 1}, 200); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	drained := make(chan struct{})
	go func() { defer close(drained); h.engine.Drain(ctx) }()
	rest, err := io.ReadAll(reader)
	<-drained
	if err != nil {
		t.Errorf("the stream ended with %v", err)
	}
	if want := "bye server_shutdown\n"; len(rest) < len(want) || string(rest[len(rest)-len(want):]) != want {
		t.Errorf("the client that reads was cut off without a goodbye after %d bytes", len(rest))
	}
}

// TestDrainingTwiceAndWithNobodyThereReturns needs no client at all.
func TestDrainingTwiceAndWithNobodyThereReturns(t *testing.T) {
	h := newHost(t, 2, ring.Options{Entries: 64, Bytes: 1 << 20}, &Transport{Name: "t", Form: framedForm()})
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { h.engine.Drain(t.Context()) })
	}
	both.Wait()
	server, _ := pair(t)
	if err := h.transport.Enroll(server, Subscription{}); !errors.Is(err, ErrStopping) {
		t.Errorf("enrolling after the drain: %v", err)
	}
}

// TestClosingTwiceIsHarmless is what a deferred Close beside an explicit one
// does.
func TestClosingTwiceIsHarmless(t *testing.T) {
	e, err := New(ring.New(ring.Options{Entries: 64, Bytes: 1 << 20}), Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	stop(e)
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("the second Close panics: %v", p)
		}
	}()
	e.Close()
}

// TestABellThatIsRungAfterTheEndWritesNowhere imitates a producer whose
// wake-up is in flight while the engine closes: the bell's number belongs to
// another file by then.
func TestABellThatIsRungAfterTheEndWritesNowhere(t *testing.T) {
	e, err := New(ring.New(ring.Options{Entries: 64, Bytes: 1 << 20}), Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	l := e.loops[0]
	stop(e)
	file, err := os.CreateTemp(t.TempDir(), "other")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := unix.FcntlInt(uintptr(l.bellFD), unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
		t.Skip("the bell's number is in use already")
	}
	if err := unix.Dup3(int(file.Fd()), l.bellFD, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(l.bellFD)
	l.rung.Store(false)
	l.ring()
	if info, err := file.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("the bell wrote %d bytes into a file that got its descriptor's number (%v)", info.Size(), err)
	}
}
