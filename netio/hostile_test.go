package netio

import (
	"context"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"logwisp/ring"
	"logwisp/ring/filter"
)

func TestAKickBeforeASubscriberHasItsPlaceHolds(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, rawForm())
	defer b.close()
	s := b.newcomer(0, Subscription{})
	if !b.engine.Kick(s.id) {
		t.Fatal("there is no such client, though it is listed")
	}
	b.loop.ring()
	b.settle() // takes notice of the kick while the subscriber is elsewhere
	b.place(s)
	b.settle()
	if got := string(b.receive(s, 1<<10)); got != "bye kicked\n" || !s.gone {
		t.Errorf("the client has %q, gone: %t", got, s.gone)
	}
}

func TestViewsWithoutTextCountInTheBudget(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, rawForm())
	defer b.close()
	b.publish(1, 1)
	c := b.ring.Live()
	c, _ = b.ring.Seek(c.Seq() - 1)
	p, _, _ := c.Page()
	const budget = 64 << 10
	views := newViewCache(budget)
	sel := b.engine.selections.take(rawForm(), levelFilter(t, "fatal"))
	for p.Index = 1; p.Index <= 10_000; p.Index++ {
		views.get(&p, 1, sel)
	}
	const least = 100 // bytes: the view, its key and its places in the map and in the order
	if n := len(views.views); n*least > budget {
		t.Errorf("%d views are held within %d bytes", n, budget)
	}
}

func TestViewsDoNotKeepTheFilterOfOneWhoHasLeft(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, rawForm())
	defer b.close()
	b.publish(1, 1)
	c, _ := b.ring.Seek(1)
	p, _, _ := c.Page()
	f := func() weak.Pointer[filter.Filter] {
		sel := b.engine.selections.take(b.transport.Form, levelFilter(t, "fatal"))
		defer b.engine.selections.release(sel)
		b.engine.views.get(&p, 1, sel)
		return weak.Make(sel.filter)
	}()
	runtime.GC()
	runtime.GC()
	if f.Value() != nil {
		t.Error("a view of it is enough to keep it")
	}
	if len(b.engine.views.views) != 1 {
		t.Error("the view went too")
	}
}

func TestEveryBatchThatIsStuckCountsAsPinned(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 8 << 20}, tellingForm(true))
	defer b.close()
	b.pad = func(uint64) int { return 1 << 20 }
	const clients = 3
	for range clients {
		b.joinAs(4<<10, Subscription{Batch: time.Second})
	}
	b.settle()
	b.publish(1, 1)
	b.settle()
	own := int64(0)
	for _, s := range b.loop.subs {
		if !s.blocked || len(s.rest) <= maxCopy {
			t.Fatalf("a client is not stuck in its batch: blocked %t, %d bytes left", s.blocked, len(s.rest))
		}
		own += int64(len(s.rest))
	}
	if got := b.engine.pins.bytes; got < own {
		t.Errorf("%d clients keep %d bytes of their own, %d are counted", clients, own, got)
	}
	for len(b.loop.subs) > 0 {
		b.loop.leave(b.loop.subs[0], "leaves")
	}
	if got := b.engine.pins.bytes; got != 0 || len(b.engine.pins.held) > 0 {
		t.Errorf("%d bytes are counted when all have left", got)
	}
}

// TestALookBackEndsWhenTheEngineStops: a filter may need minutes for all that
// is held, and Drain waits for enrolments.
func TestALookBackEndsWhenTheEngineStops(t *testing.T) {
	r := ring.New(ring.Options{Entries: 1024, Bytes: 8 << 20})
	e, err := New(r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(e)
	source := r.Source("app.log")
	const pages = 500
	b := r.NewBuilder()
	for range pages {
		b.Add(append(b.Text(), "{}\n"...), source, ring.LevelInfo)
		b.Publish()
	}
	calls := 0
	var once sync.Once
	f, err := filter.Compile(filter.Spec{Source: []string{"other.log"}}, func(id uint16) string {
		calls++
		once.Do(func() { // in the midst of the first page
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			e.Drain(ctx)
		})
		return r.SourceName(id)
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Last(1, f, e.Head())
	if calls >= pages {
		t.Errorf("names were asked for %d times, there are %d pages", calls, pages)
	}
}

// TestOneFilterDoesNotHoldUpTheLoop has a filter within every limit that takes
// about 20 microseconds for each byte, as 1,000 states of it are alive at every
// byte.
func TestOneFilterDoesNotHoldUpTheLoop(t *testing.T) {
	t.Skip("a page is matched as a whole: one of 50 KiB holds the loop, and all its subscribers, for a second (N7)")
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, rawForm())
	defer b.close()
	f, err := filter.Compile(filter.Spec{Re: []string{`(?:.?){1000}[\x01\x02]`}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.joinAs(0, Subscription{Filter: f})
	b.settle()
	const line = `{"time":"2024-01-01T12:00:00.000000Z","source":"a","level":"info","message":"`
	for range 180 {
		b.builder.Add(append(b.builder.Text(), line+strings.Repeat("x", 200)+"\"}\n"...), 1, ring.LevelInfo)
	}
	b.builder.Publish()
	began := time.Now()
	b.loop.pass()
	if took := time.Since(began); took > 50*maxPass {
		t.Errorf("a pass took %v", took)
	}
}

func TestHellosBeingReadCountAsClientsWhenTheirClientsHaveGone(t *testing.T) {
	e := start(t, ring.New(ring.Options{Entries: 64, Bytes: 1 << 20}), Options{})
	reading, goOn := make(chan bool, 10), make(chan bool)
	tr := e.Register(&Transport{Name: "t", Form: rawForm(), MaxClients: 1, Handshake: &Handshake{
		Answer: func([]byte, netip.Addr) (Subscription, error) {
			reading <- true
			<-goOn
			return Subscription{}, nil
		},
	}})
	server, client := pair(t)
	if err := tr.Enroll(server, Subscription{}); err != nil {
		t.Fatal(err)
	}
	_, _ = client.Write([]byte("{}\n"))
	<-reading
	_ = client.SetLinger(0) // a reset: the server knows at once
	client.Close()
	eventually(t, "the client to leave", func() bool { return len(e.Clients()) == 0 })
	server, _ = pair(t)
	if err := tr.Enroll(server, Subscription{}); err != ErrFull {
		t.Errorf("another one is taken meanwhile: %v", err)
	}
	close(goOn)
	eventually(t, "the place to be free", func() bool { return !tr.Full() })
}
