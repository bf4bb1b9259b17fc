package ring

import "sync/atomic"

const (
	awake uint32 = iota
	parked
)

// Waker wakes one reader loop, at most once per park, however many pages are
// published and however many cursors the loop serves.
type Waker struct {
	ring  *Ring
	wake  func()
	state atomic.Uint32
	_     [64]byte // keep the flags of different loops apart
}

// NewWaker registers a reader loop. wake is called from a producer and must
// not block; a send on a channel of capacity one, or a write to an eventfd, is
// what is meant. The Waker starts awake.
func (r *Ring) NewWaker(wake func()) *Waker {
	w := &Waker{ring: r, wake: wake}
	r.setup.Lock()
	defer r.setup.Unlock()
	var all []*Waker
	if ws := r.wakers.Load(); ws != nil {
		all = append(all, *ws...)
	}
	all = append(all, w)
	r.wakers.Store(&all)
	return w
}

// Close unregisters the Waker. A wake-up may still be in flight.
func (w *Waker) Close() {
	r := w.ring
	r.setup.Lock()
	defer r.setup.Unlock()
	var rest []*Waker
	for _, o := range *r.wakers.Load() {
		if o != w {
			rest = append(rest, o)
		}
	}
	r.wakers.Store(&rest)
}

// Park says that the loop has seen everything up to entry head and goes to
// sleep. It returns false when there is more already: then the loop is awake
// and must go on. After true, wake is called when the next page is published.
//
// The flag is raised before the head is looked at (I13); looking first would
// lose the page published in between.
func (w *Waker) Park(head uint64) bool {
	w.state.Swap(parked)
	w.ring.pause()
	if w.ring.Head() == head {
		return true
	}
	w.state.Swap(awake)
	return false
}

// notify wakes the loop if it is parked. PUBLISHES: nothing; the page is
// visible already.
func (w *Waker) notify() {
	if w.state.Load() == parked && w.state.Swap(awake) == parked {
		w.wake()
	}
}
