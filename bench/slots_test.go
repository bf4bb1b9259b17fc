package bench

import (
	"sync"
	"sync/atomic"
)

const (
	slotCount   = 1 << 16 // as many lines as the daemon's ring holds pages
	slotTurn    = 256     // lines a reader takes before the next has its turn: about a page
	slabEntries = 64      // entries allocated at once
	slabBytes   = 16 << 10
)

// slotEntry is one line; immutable once its slot has it.
type slotEntry struct {
	seq  uint64
	text []byte
}

// slotRing is the plain design of a ring: an atomic pointer to an entry for
// every slot, and a head behind them. One goroutine publishes. Entries and their
// text are cut from slabs, so that allocation is not what is measured; parked
// loops are woken as the ring's are.
type slotRing struct {
	slots []atomic.Pointer[slotEntry]
	_     [64]byte // readers poll the head: nothing else shares its line
	head  atomic.Uint64
	_     [64]byte
	loops []*slotLoop

	next uint64 // the publisher's own copy of head
	slab []slotEntry
	text []byte
}

// slotLoop serves some of the readers, as one event loop does.
type slotLoop struct {
	ring   *slotRing
	seqs   []uint64 // of each reader's next line
	wake   chan struct{}
	sum    heard
	_      [64]byte
	parked atomic.Bool
	_      [64]byte
}

// slots is a slotRing with its readers.
type slots struct {
	ring    *slotRing
	closing atomic.Bool
	running sync.WaitGroup
}

func followSlots(n int) *slots {
	s := &slots{ring: &slotRing{slots: make([]atomic.Pointer[slotEntry], slotCount)}}
	for l := range min(2, n) {
		loop := &slotLoop{ring: s.ring, wake: make(chan struct{}, 1), seqs: make([]uint64, (n+1-l)/2)}
		s.ring.loops = append(s.ring.loops, loop)
	}
	for _, loop := range s.ring.loops {
		s.running.Go(func() { loop.run(&s.closing) })
	}
	return s
}

// publish copies line into the next slot.
func (r *slotRing) publish(line []byte) {
	if len(r.slab) == 0 {
		r.slab = make([]slotEntry, slabEntries)
	}
	if cap(r.text)-len(r.text) < len(line) {
		r.text = make([]byte, 0, max(slabBytes, len(line)))
	}
	at := len(r.text)
	r.text = append(r.text, line...)
	e := &r.slab[0]
	r.slab = r.slab[1:]
	e.seq, e.text = r.next, r.text[at:len(r.text):len(r.text)]
	r.slots[r.next%slotCount].Store(e)
	r.next++
	r.head.Store(r.next)
	for _, l := range r.loops {
		if l.parked.Load() && l.parked.Swap(false) {
			nudge(l.wake)
		}
	}
}

func (l *slotLoop) run(closing *atomic.Bool) {
	for {
		last := closing.Load() // before the head: then the head is final
		head := l.ring.head.Load()
		l.pass(head)
		if last {
			return
		}
		l.parked.Store(true) // before the head is looked at again
		if l.ring.head.Load() == head && !closing.Load() {
			<-l.wake
		}
		l.parked.Store(false)
	}
}

// pass takes every reader to head, some lines a turn.
func (l *slotLoop) pass(head uint64) {
	for more := true; more; {
		more = false
		for i, seq := range l.seqs {
			if seq == head {
				continue
			}
			l.seqs[i] = l.turn(seq, head)
			more = more || l.seqs[i] != head
		}
	}
}

// turn gives one reader its next lines and returns where it is then. One that
// was overtaken goes on in the middle of what is held.
func (l *slotLoop) turn(seq, head uint64) uint64 {
	for end := min(head, seq+slotTurn); seq < end; seq++ {
		e := l.ring.slots[seq%slotCount].Load()
		if e.seq != seq {
			// e is the newest of its slot: half a lap before it is still held,
			// but no reader goes beyond the head it was given.
			on := min(e.seq-slotCount/2, head)
			l.sum.dropped += on - seq
			return on
		}
		l.sum.delivered++
	}
	return seq
}

// stop lets every reader come to the head and returns what they were given.
func (s *slots) stop() heard {
	s.closing.Store(true)
	for _, l := range s.ring.loops {
		nudge(l.wake)
	}
	s.running.Wait()
	var sum heard
	for _, l := range s.ring.loops {
		sum.delivered += l.sum.delivered
		sum.dropped += l.sum.dropped
	}
	return sum
}

// circle is the floor of publishing: lines copied into one large buffer, round
// and round. Nobody can tell where a line begins, and nobody reads it.
type circle struct {
	buf []byte
	at  int
}

func newCircle() *circle {
	c := &circle{buf: make([]byte, ringOptions.Bytes)}
	for i := 0; i < len(c.buf); i += 4 << 10 {
		c.buf[i] = 1 // the pages are there before the clock runs
	}
	return c
}

func (c *circle) publish(line []byte) {
	if c.at+len(line) > len(c.buf) {
		c.at = 0
	}
	c.at += copy(c.buf[c.at:], line)
}
