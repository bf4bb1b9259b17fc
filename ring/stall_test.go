package ring_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"logwisp/ring"
)

// stall stops whoever takes the at-th step after it was armed, until released.
// It disarms itself, so everybody else passes.
type stall struct {
	at       int64
	steps    atomic.Int64
	armed    atomic.Bool
	reached  chan struct{}
	released chan struct{}
}

func stallAt(r *ring.Ring, at int) *stall {
	s := &stall{at: int64(at), reached: make(chan struct{}), released: make(chan struct{})}
	ring.SetYield(r, func() {
		if s.armed.Load() && s.steps.Add(1) == s.at {
			s.armed.Store(false)
			close(s.reached)
			<-s.released
		}
	})
	return s
}

// eachStall runs f once for every step a publish has in a ring prepared by
// fill, with the producer asleep at that step. r.Head() may or may not count
// the sleeper's entry.
func eachStall(t *testing.T, o ring.Options, fill int, f func(t *testing.T, r *ring.Ring, wake func())) {
	for at := 1; ; at++ {
		r := ring.New(o)
		publish(r, ones(fill)...)
		s := stallAt(r, at)
		s.armed.Store(true)
		done := spawn(func() { publishLines(r, "the sleeper's") })
		select {
		case <-done:
			if at == 1 {
				t.Fatal("no step was reached: the hook is not called")
			}
			return
		case <-s.reached:
		}
		t.Run(fmt.Sprintf("step %d", at), func(t *testing.T) {
			asleep := true
			wake := func() {
				if asleep {
					asleep = false
					close(s.released)
					within(t, done, "the end of the sleeping producer's publish")
				}
			}
			defer wake()
			f(t, r, wake)
		})
	}
}

// stallRings are where a sleeping producer could do harm: nothing published,
// one slot of two, just full, lapped, and releasing by bytes.
var stallRings = []struct {
	name string
	o    ring.Options
	fill int
}{
	{"empty", ring.Options{Entries: 4, Bytes: 1 << 20}, 0},
	{"two slots", ring.Options{Entries: 2, Bytes: 1 << 20}, 1},
	{"two slots full", ring.Options{Entries: 2, Bytes: 1 << 20}, 2},
	{"four slots lapped", ring.Options{Entries: 4, Bytes: 1 << 20}, 9},
	{"releasing by bytes", ring.Options{Entries: 64, Bytes: 3 * pageCost(1)}, 9},
	{"releasing several", ring.Options{Entries: 64, Bytes: 1}, 1},
}

func eachStalledRing(t *testing.T, f func(t *testing.T, r *ring.Ring, wake func())) {
	for _, sr := range stallRings {
		t.Run(sr.name, func(t *testing.T) { eachStall(t, sr.o, sr.fill, f) })
	}
}

// allRead reads from the start to the head and checks that nothing is missing
// from the account.
func allRead(t *testing.T, r *ring.Ring) {
	t.Helper()
	head := r.Head()
	c, lost := r.Seek(1)
	got, more := drain(&c)
	if got+lost+more != head || c.Seq() != head+1 {
		t.Errorf("got %d, lost %d; want %d in all", got, lost+more, head)
	}
}

func TestReaderReachesTheHeadWhileAProducerSleeps(t *testing.T) {
	eachStalledRing(t, func(t *testing.T, r *ring.Ring, wake func()) {
		c, lost := r.Seek(1)
		within(t, spawn(func() {
			got, more := drain(&c)
			if got+lost+more != r.Head() {
				t.Errorf("got %d, lost %d of %d", got, lost+more, r.Head())
			}
		}), "the end of reading")
		head := r.Head()
		wake()
		got, _ := drain(&c)
		if got != r.Head()-head {
			t.Errorf("got %d of %d entries after the producer woke", got, r.Head()-head)
		}
	})
}

func TestLateStoreOfASleepingProducerIsIgnored(t *testing.T) {
	eachStalledRing(t, func(t *testing.T, r *ring.Ring, wake func()) {
		live := r.Live()
		start := live.Seq()
		within(t, spawn(func() { publish(r, ones(5*ring.Slots(r))...) }), "publishing past a sleeping producer")
		allRead(t, r)
		wake()
		allRead(t, r)
		if got, lost := drain(&live); got+lost != r.Head()+1-start {
			t.Errorf("live reader: got %d, lost %d of %d", got, lost, r.Head()+1-start)
		}
		head := ring.HeadIndex(r)
		for i := ring.Tail(r); i <= head; i++ {
			if in, _ := ring.SlotIndex(r, i); in != i {
				t.Errorf("page %d is in the slot of page %d, head %d", in, i, head)
			}
		}
		s := r.Stats()
		if _, bytes := ring.Unreleased(r); bytes != s.Bytes || s.Bytes > max(s.CapacityBytes, uint64(pageCost(2))) {
			t.Errorf("%d bytes are alive, Stats says %d of %d", bytes, s.Bytes, s.CapacityBytes)
		}
	})
}

// The sleeper wakes after any number of pages, also when its page's slot has
// just come round again. Before that its page is read like any other.
func TestProducerThatSleptAnyNumberOfPagesDoesNoHarm(t *testing.T) {
	for _, slots := range []int{2, 4} {
		for pages := range 10 {
			t.Run(fmt.Sprintf("%d slots, %d pages", slots, pages), func(t *testing.T) {
				eachStall(t, ring.Options{Entries: slots, Bytes: 1 << 20}, 5, func(t *testing.T, r *ring.Ring, wake func()) {
					publish(r, ones(pages)...)
					within(t, spawn(func() { allRead(t, r) }), "reading past a sleeping producer")
					wake()
					allRead(t, r)
					publish(r, 1)
					allRead(t, r)
					if s := r.Stats(); s.Entries != uint64(slots) {
						t.Errorf("%+v, want %d entries held", s, slots)
					}
				})
			})
		}
	}
}

func TestStatsAnswerWhileAProducerSleeps(t *testing.T) {
	eachStalledRing(t, func(t *testing.T, r *ring.Ring, wake func()) {
		within(t, spawn(func() {
			s := r.Stats()
			if s.Oldest > s.Head+1 || s.Entries > s.Head || r.Oldest() > s.Head+1 {
				t.Errorf("%+v, oldest %d", s, r.Oldest())
			}
			if _, lost := r.Seek(s.Oldest); lost != 0 {
				t.Errorf("the oldest entry %d is not held", s.Oldest)
			}
			if _, lost := r.Seek(s.Oldest - 1); lost == 0 {
				t.Errorf("entry %d, before the oldest, is held", s.Oldest-1)
			}
		}), "the answer of Stats")
	})
}

func TestParkLooksAtTheHeadAfterTheFlagIsRaised(t *testing.T) {
	r := slots(4)
	publish(r, 1)
	var woken int
	w := r.NewWaker(func() { woken++ })
	head := r.Head()
	ring.SetYield(r, func() { // a page arrives in the middle of Park
		ring.SetYield(r, nil)
		publish(r, 1)
	})
	if asleep := w.Park(head); asleep && woken == 0 {
		t.Fatal("asleep with an unseen page and no wake-up")
	}
}
