package ring

import (
	"math"
	"sync"
	"sync/atomic"
)

// maxReleased is how many released blocks wait to be used again; beyond, they are
// garbage.
const maxReleased = 6 << 20 / blockBytes

// outside is the Reader's place while it is not inside.
const outside = math.MaxUint64

// Reader is one goroutine that reads pages of a ring whose memory is used
// again (Options.Recycle). It may look at the bytes of a Page between the call
// of Enter that precedes the call that returned the Page and the next Exit, and
// keep nothing of them beyond. While it is inside, what is released after it
// entered is not used again, so it goes out now and then: a long stay costs
// fresh memory, no correctness. On other rings all this does nothing.
//
// One goroutine owns it.
type Reader struct {
	ring    *Ring
	from    atomic.Uint64 // pages before this one are not looked at; or outside
	reached atomic.Uint64 // see Reach
	_       [104]byte     // producers read it, others of its kind are written
}

// NewReader registers a reader, which begins outside.
func (r *Ring) NewReader() *Reader {
	rd := &Reader{ring: r}
	rd.from.Store(outside)
	r.setup.Lock()
	defer r.setup.Unlock()
	var all []*Reader
	if rs := r.readers.Load(); rs != nil {
		all = append(all, *rs...)
	}
	all = append(all, rd)
	r.readers.Store(&all)
	return rd
}

// Enter begins a look at pages.
//
// The place is told before any page is looked at (I16): a page that is still
// held then, or found held later, is released after it and waits for Exit.
func (rd *Reader) Enter() { rd.from.Store(rd.ring.tail.Load()) }

// Exit ends it.
func (rd *Reader) Exit() { rd.from.Store(outside) }

// Reach says how far the furthest of those has come that the goroutine reads
// for, not counting any that stand still: the entry it expects next. 0 = there
// is none. It holds until the next call.
func (rd *Reader) Reach(seq uint64) { rd.reached.Store(seq) }

// Close unregisters the Reader, which must be outside.
func (rd *Reader) Close() {
	r := rd.ring
	r.setup.Lock()
	defer r.setup.Unlock()
	var rest []*Reader
	for _, o := range *r.readers.Load() {
		if o != rd {
			rest = append(rest, o)
		}
	}
	r.readers.Store(&rest)
}

// released is a block whose last page was released.
type released struct {
	page  uint64 // its index
	block *byte
}

// recycler keeps released blocks until they can be used again. Producers never
// wait for its lock (I12): who does not get it does without.
type recycler struct {
	mu     sync.Mutex
	blocks []released // in the order of release
}

// put takes the block of a page, which was just released. Two producers may
// release neighbours in either order, so a block's page may be lower than that
// of the one before it.
func (c *recycler) put(page uint64, block *byte) {
	if !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	if len(c.blocks) < maxReleased {
		c.blocks = append(c.blocks, released{page, block})
	}
}

// take returns a block that nobody can be looking at, nil if there is none:
// one whose page was released before every Reader that is inside went in (I16). The
// Readers are looked up after the block: one that is not among them comes later than
// its release.
func (c *recycler) take(readers *atomic.Pointer[[]*Reader]) *byte {
	if !c.mu.TryLock() {
		return nil
	}
	defer c.mu.Unlock()
	if len(c.blocks) == 0 {
		return nil
	}
	first := c.blocks[0]
	if all := readers.Load(); all != nil {
		for _, rd := range *all {
			if rd.from.Load() <= first.page {
				return nil
			}
		}
	}
	c.blocks = append(c.blocks[:0], c.blocks[1:]...)
	return first.block
}
