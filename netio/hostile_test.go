package netio

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
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
		views.get(&p, 0, record.Epoch(1), sel, &scan{most: maxScan})
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
		b.engine.views.get(&p, 0, record.Epoch(1), sel, &scan{most: maxScan})
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
	e.Last(1, f, e.Head(), nil)
	if calls >= pages {
		t.Errorf("names were asked for %d times, there are %d pages", calls, pages)
	}
}

func TestALookBackEndsWhenNobodyWaitsForIt(t *testing.T) {
	r := ring.New(ring.Options{Entries: 4096, Bytes: 1 << 20})
	e, err := New(r, Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(e)
	b := r.NewBuilder()
	for range 500 {
		b.Add(append(b.Text(), "{}\n"...), r.Source("app.log"), ring.LevelInfo)
		b.Publish()
	}
	f, err := filter.Compile(filter.Spec{Source: []string{"other.log"}}, r.SourceName)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	e.Last(1, f, e.Head(), func() bool { asked++; return asked == 3 })
	if asked != 3 {
		t.Errorf("it went on: %d pages were looked at", asked)
	}
}

func TestSoManyMayLookBackAtOnce(t *testing.T) {
	e := &Engine{}
	address := netip.MustParseAddr
	var ends []func()
	look := func(from netip.Addr, want error) {
		t.Helper()
		end, err := e.LookBack(from)
		if !errors.Is(err, want) {
			t.Fatalf("%v, the %dth: %v, want %v", from, len(ends)+1, err, want)
		}
		if err == nil {
			ends = append(ends, end)
		}
	}
	for i := range maxLookingOf {
		look(address(fmt.Sprintf("2001:db8::%d", i+1)), nil)
	}
	look(address("2001:db8::ffff"), ErrLooking) // the same host
	for len(ends) < maxLooking {
		look(address("::1"), nil)
	}
	look(address("127.0.0.1"), ErrLooking)
	look(address("192.0.2.1"), ErrLooking)
	ends[0]()
	ends[maxLookingOf]()
	look(address("2001:db8::ffff"), nil)
	look(netip.Addr{}, nil)
	look(netip.Addr{}, ErrLooking)
}

func TestWhoHasClosedItsSendingSideIsKnown(t *testing.T) {
	ours, c := pair(t)
	defer ours.Close()
	_, _ = c.Write([]byte("GET"))
	if closedSending(ours) {
		t.Error("it may still say something")
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); !closedSending(ours); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is not noticed")
		}
	}
	if Gone(ours)() {
		t.Error("it is not waited for at all")
	}
}

// costlyFilter is within every limit and takes about 20 microseconds for each
// byte, as 1,000 states of it are alive at every byte.
func costlyFilter(t *testing.T) *filter.Filter {
	t.Helper()
	f, err := filter.Compile(filter.Spec{Re: []string{`(?:.?){500}[\x01\x02]`}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// publishMessages makes one page of n entries with messages of so many bytes.
func (b *bed) publishMessages(n, length int) {
	const line = `{"time":"2024-01-01T12:00:00.000000Z","source":"a","level":"info","message":"`
	for range n {
		b.published++
		b.builder.Add(append(b.builder.Text(), line+strings.Repeat("x", length)+"\"}\n"...), 1, ring.LevelInfo)
	}
	b.builder.Publish()
}

// TestOneFilterDoesNotHoldUpTheLoop: the others get what is theirs in the first
// pass, and the filter looks at a part of the page in each (N7).
func TestOneFilterDoesNotHoldUpTheLoop(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, rawForm())
	defer b.close()
	costly, other := b.joinAs(0, Subscription{Filter: costlyFilter(t)}), b.join(0)
	b.settle()
	const entries = 60
	b.publishMessages(entries, 200)
	work := costly.group.matcher.Work
	passes := 0
	for before := work(); costly.Totals().Offered < entries; before = work() {
		b.loop.pass()
		if passes++; work()-before > maxScan+maxScan/2 {
			t.Fatalf("%d bytes' worth of work in pass %d", work()-before, passes)
		}
		if got := other.Totals().Delivered; got != entries {
			t.Fatalf("the other client has %d of %d entries after pass %d", got, entries, passes)
		}
	}
	if passes < 10 {
		t.Errorf("the page was done in %d passes: the case does not test what it says", passes)
	}
	if got := costly.Totals(); got.Filtered != entries || got.Offered != entries {
		t.Errorf("the client with the filter has %+v", got)
	}
}

// TestASlowFilterRestsWhileOthersAreServed: one that is set aside as long as
// nothing passes, and one that is served by itself.
func TestASlowFilterRestsWhileOthersAreServed(t *testing.T) {
	for name, expression := range map[string]string{"aside": "", "not aside": "|x$"} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, rawForm())
			defer b.close()
			f, err := filter.Compile(filter.Spec{Re: []string{`(?:.?){500}[\x01\x02]` + expression}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			b.loop.scan.slow = slowEntry
			slow, other := b.joinAs(0, Subscription{Filter: f}), b.join(0)
			b.settle()
			const entries = 20
			b.publishMessages(entries, 2000)
			b.loop.pass()
			if !slow.group.slow || !b.loop.rest.After(b.loop.now) {
				t.Fatal("it does not rest after a pass that it took all the time of")
			}
			b.loop.rest = b.loop.now.Add(time.Hour)
			looked := slow.group.matcher.Work()
			b.publish(5, 1)
			for range 5 {
				b.loop.pass()
			}
			if got := slow.group.matcher.Work(); got != looked {
				t.Errorf("%d bytes' worth of work are done for it while it rests", got-looked)
			}
			if got := other.Totals(); got.Delivered != entries+5 {
				t.Errorf("the other client has %+v", got)
			}
			if !b.loop.alarmAt.After(b.loop.now) {
				t.Error("nothing will wake the loop for it")
			}
			for slow.Totals().Offered < entries+5 {
				b.loop.rest = time.Time{}
				b.loop.pass()
			}
			if got := slow.Totals(); got.Delivered+got.Filtered != entries+5 || got.Dropped > 0 {
				t.Errorf("it has %+v in the end", got)
			}
		})
	}
}

// TestAPageDoneInPiecesIsLookedAtOnceForAll has clients with one filter go
// through a page in the same passes.
func TestAPageDoneInPiecesIsLookedAtOnceForAll(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, rawForm())
	defer b.close()
	b.publishMessages(60, 200)
	var clients []*Subscriber
	for range 3 {
		clients = append(clients, b.joinAs(0, Subscription{Filter: costlyFilter(t), From: Earliest}))
	}
	b.settle()
	c, _ := b.ring.Seek(1)
	p, _, _ := c.Page()
	once := costlyFilter(t).NewMatcher()
	for i := range p.Count() {
		once.Match(&p, i)
	}
	if got := clients[0].group.matcher.Work(); got != once.Work() {
		t.Errorf("%d bytes' worth of work, once takes %d", got, once.Work())
	}
	for _, s := range clients {
		if got := s.Totals(); got.Filtered != 60 || got.Offered != 60 {
			t.Errorf("a client has %+v", got)
		}
	}
}

// TestOneLongEntryCostsOneFilterNoMoreThanItsShare: of a long entry RE2s see the
// beginning.
func TestOneLongEntryCostsOneFilterNoMoreThanItsShare(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 8 << 20}, rawForm())
	defer b.close()
	s := b.joinAs(0, Subscription{Filter: costlyFilter(t)})
	b.settle()
	b.publishMessages(1, 1<<20)
	b.settle()
	if got := s.group.matcher.Work(); got > filter.MaxWork/8 {
		t.Errorf("%d bytes' worth of work", got)
	}
	if got := s.Totals(); got.Filtered != 1 {
		t.Errorf("the client has %+v", got)
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
	eventually(t, "the place to be free", func() bool { return tr.Room(netip.Addr{}) == nil })
}

// TestARingOfOnePageKeepsTheAccount: all but the newest is lost to whoever does
// not read at once, and counted.
func TestARingOfOnePageKeepsTheAccount(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 1, Bytes: 64 << 10}, rawForm())
	defer b.close()
	s := b.join(0)
	b.settle()
	for range 50 {
		b.publish(1, 1)
		b.settle()
		b.receive(s, 1<<20)
		b.writable(s)
	}
	if got := s.Totals(); got.Delivered != 50 || got.Dropped != 0 {
		t.Errorf("one that reads each has %+v", got)
	}
	b.publish(1000, 1)
	b.settle()
	b.receive(s, 1<<20)
	b.writable(s)
	b.settle()
	got := s.Totals()
	if got.Offered != 1050 || got.Delivered+got.Dropped != got.Offered || got.Dropped == 0 || got.Delivered == 50 {
		t.Errorf("one that missed most has %+v", got)
	}
}

// One entry may be in several places: a view that gave way is built anew.
func TestWhatIsPinnedIsCountedByItsMemory(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 8 << 20}, framedForm())
	defer b.close()
	b.pad = func(uint64) int { return 1 << 20 }
	first := b.join(4 << 10)
	b.settle()
	b.publish(1, 1)
	b.settle()
	one := b.engine.pins.bytes
	if !first.shared || one < 1<<20 {
		t.Fatalf("%d bytes are pinned, shared %t", one, first.shared)
	}
	b.engine.views.views, b.engine.views.order, b.engine.views.bytes = make(map[viewKey]*view), nil, 0
	second := b.joinAs(4<<10, Subscription{From: At(1)})
	b.settle()
	if got := b.engine.pins.bytes; !second.shared || got < 2*one {
		t.Errorf("two copies of it: %d bytes are pinned, want %d", got, 2*one)
	}
}
