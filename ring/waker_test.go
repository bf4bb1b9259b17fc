package ring_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"logwisp/ring"
)

func TestParkedWakerIsWokenOnceHoweverMuchIsPublished(t *testing.T) {
	r := slots(8)
	var woken int
	w := r.NewWaker(func() { woken++ })
	publish(r, 1, 1)
	if woken != 0 {
		t.Fatal("woken while awake")
	}
	for park := 1; park <= 3; park++ {
		if !w.Park(r.Head()) {
			t.Fatal("Park refused with everything seen")
		}
		publish(r, 1, 2, 1)
		if woken != park {
			t.Fatalf("woken %d times after %d parks", woken, park)
		}
	}
}

func TestParkRefusesWhenThereIsMore(t *testing.T) {
	r := slots(8)
	publish(r, 2, 1)
	var woken int
	w := r.NewWaker(func() { woken++ })
	for head := range uint64(3) {
		if w.Park(head) {
			t.Fatalf("Park(%d) went to sleep at head 3", head)
		}
	}
	publish(r, 1)
	if woken != 0 {
		t.Fatal("woken after a refused Park")
	}
}

func TestEveryParkedWakerIsWoken(t *testing.T) {
	r := slots(8)
	var woken [5]int
	var wakers []*ring.Waker
	for i := range woken {
		wakers = append(wakers, r.NewWaker(func() { woken[i]++ }))
	}
	for i, w := range wakers {
		if i != 2 {
			w.Park(r.Head())
		}
	}
	publish(r, 1)
	if woken != [5]int{1, 1, 0, 1, 1} {
		t.Fatalf("woken %v, the third was awake", woken)
	}
}

func TestClosedWakerIsNotWokenAndTheOthersAre(t *testing.T) {
	r := slots(8)
	var woken [3]int
	var wakers []*ring.Waker
	for i := range woken {
		wakers = append(wakers, r.NewWaker(func() { woken[i]++ }))
	}
	for _, w := range wakers {
		w.Park(r.Head())
	}
	wakers[1].Close()
	wakers[1].Close()
	publish(r, 1)
	if woken != [3]int{1, 0, 1} {
		t.Fatalf("woken %v, the second was closed", woken)
	}
	wakers[0].Close()
	wakers[2].Close()
	publish(r, 1)
}

// loop is a reader loop that sleeps whenever there is nothing to read. It
// sends the seq it has reached before it parks, so that what the receiver
// publishes then races with the parking.
func loop(r *ring.Ring, at chan<- uint64, stop <-chan struct{}) {
	wake := make(chan struct{}, 1)
	w := r.NewWaker(func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	defer w.Close()
	c := r.Live()
	for got := uint64(1); ; got, _ = drain(&c) {
		if got > 0 {
			select {
			case at <- c.Seq() - 1:
			case <-stop:
				return
			}
		}
		if w.Park(c.Seq() - 1) {
			select {
			case <-wake:
			case <-stop:
				return
			}
		}
	}
}

// Each round waits until every loop has seen the page; a single wake-up lost
// stops the rounds for ever.
func TestNoWakeUpIsLostBetweenPublishAndPark(t *testing.T) {
	rounds := uint64(5000)
	if testing.Short() {
		rounds = 500
	}
	const loops = 8
	r := slots(16)
	stop, at := make(chan struct{}), [loops]chan uint64{}
	var wg sync.WaitGroup
	for i := range at {
		at[i] = make(chan uint64)
		wg.Go(func() { loop(r, at[i], stop) })
	}
	var round atomic.Uint64
	done := spawn(func() {
		for i := range at {
			<-at[i]
		}
		for range rounds {
			publishLines(r, "ping")
			for i := range at {
				for <-at[i] != r.Head() {
				}
			}
			round.Add(1)
		}
	})
	within(t, done, "the last round (a wake-up was lost)")
	close(stop)
	wg.Wait()
	if round.Load() != rounds {
		t.Fatalf("%d of %d rounds", round.Load(), rounds)
	}
}

func TestWakersComeAndGoWhilePagesArePublished(t *testing.T) {
	r := slots(16)
	stop, at := make(chan struct{}), make(chan uint64)
	var lasting, passing sync.WaitGroup
	lasting.Go(func() { loop(r, at, stop) })
	<-at
	for range 4 {
		passing.Go(func() {
			for range 300 {
				w := r.NewWaker(func() {})
				w.Park(r.Head())
				w.Close()
			}
		})
	}
	over := make(chan struct{})
	go func() { passing.Wait(); close(over) }()
	done := spawn(func() {
		for ended := false; !ended; {
			select {
			case <-over:
				ended = true
			default:
			}
			publishLines(r, "ping")
			for <-at != r.Head() {
			}
			// On one processor two goroutines that hand over to each other can
			// keep the others from ever starting.
			runtime.Gosched()
		}
	})
	within(t, done, "waking the lasting loop")
	close(stop)
	lasting.Wait()
}
