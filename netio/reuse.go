package netio

import (
	"math"
	"sync/atomic"

	"logwisp/ring"
)

const (
	// viewBytes is the length of the blocks that views of whole pages are built in and
	// that are used again: a full page and what its form adds, 64 bytes an entry at most,
	// for entries of 125 bytes and more.
	viewBytes = 96 << 10
	// maxRetired is how many wait for that.
	maxRetired = 64
	// outside is a loop's place between two passes.
	outside = math.MaxUint64
)

// reuse keeps the blocks of views that went until no loop can be looking at them
// (N13): without it a view costs, beside what is copied into it, fresh memory that
// the kernel has to find and the collector to free.
type reuse struct {
	age    atomic.Uint64 // how many blocks were retired
	loops  []*stay       // under viewCache.mu, as is what follows
	blocks []retired     // oldest first
}

type retired struct {
	age   uint64
	block []byte
}

// stay is one loop's look at views, from enter to leave. One goroutine at a time
// owns it.
type stay struct {
	reuse *reuse
	since atomic.Uint64 // what was retired later may be looked at; or outside
}

// newStay returns that of one more loop, outside. Under viewCache.mu.
func (r *reuse) newStay() *stay {
	s := &stay{reuse: r}
	s.since.Store(outside)
	r.loops = append(r.loops, s)
	return s
}

// enter comes before the look into the cache: what is found there is retired after
// it (N13).
func (s *stay) enter() { s.since.Store(s.reuse.age.Load()) }

func (s *stay) leave() { s.since.Store(outside) }

// put takes the block of a view that is in the cache no more. Under viewCache.mu.
func (r *reuse) put(block []byte) {
	age := r.age.Add(1)
	if len(r.blocks) < maxRetired {
		r.blocks = append(r.blocks, retired{age, block[:0]})
	}
}

// take returns an empty block that nobody looks at, new if there is none: one that
// was retired before every loop that is inside went in (N13). Under viewCache.mu.
func (r *reuse) take() []byte {
	if len(r.blocks) == 0 {
		return newViewBlock()
	}
	first := r.blocks[0]
	for _, s := range r.loops {
		if s.since.Load() < first.age {
			return newViewBlock()
		}
	}
	r.blocks = append(r.blocks[:0], r.blocks[1:]...)
	return first.block
}

func newViewBlock() []byte {
	block := make([]byte, 0, viewBytes)
	ring.AdviseHugePages(block)
	return block
}
