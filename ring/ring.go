package ring

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// MaxEntries is the largest number of page slots a Ring can have.
const MaxEntries = 1 << 22

// Options are the settings of a Ring.
type Options struct {
	Entries int   `toml:"entries" name:"ring-entries" default:"65536" min:"1" max:"4194304" placeholder:"N" help:"Entries the ring holds at least, as long as they fit in --ring-bytes (default: ${default})."`
	Bytes   int64 `toml:"bytes" name:"ring-bytes" type:"bytes" default:"64MiB" min:"4096" max:"1099511627776" placeholder:"SIZE" help:"Memory the ring may hold; the oldest entries go first (default: ${default})."`

	Epoch uint64 `toml:"-" kong:"-"` // names this run in ids; 0 = the time of the start, in milliseconds
	First uint64 `toml:"-" kong:"-"` // seq of the first entry; 0 = 1

	// Recycle uses the memory of released pages again, so that a busy ring makes
	// no garbage. Then every look at a Page must lie between Enter and Exit of a
	// Reader.
	Recycle bool `toml:"-" kong:"-"`
}

// Ring is the shared buffer. All methods are safe for concurrent use.
type Ring struct {
	slots  []atomic.Pointer[page]
	mask   uint64
	budget uint64
	epoch  uint64
	first  uint64

	_    [64]byte // head, tail and the wakers are written by different parties
	head atomic.Pointer[page]
	_    [120]byte
	tail atomic.Uint64 // index of the oldest page held
	_    [120]byte

	wakers  atomic.Pointer[[]*Waker]
	readers atomic.Pointer[[]*Reader]
	setup   sync.Mutex // guards replacing wakers and readers
	recycle *recycler  // nil: released blocks are garbage
	sources sourceTable

	// yield is called between the steps of publish and Page; tests widen race
	// windows with it.
	yield func()
}

// New returns an empty ring. Entries is rounded up to a power of two, at least
// 2 and at most MaxEntries; Bytes below 1 counts as 1.
func New(o Options) *Ring {
	n := min(max(o.Entries, 2), MaxEntries)
	slots := 1 << bits.Len(uint(n-1))
	r := &Ring{
		slots:  make([]atomic.Pointer[page], slots),
		mask:   uint64(slots - 1),
		budget: uint64(max(o.Bytes, 1)),
		epoch:  o.Epoch,
		first:  max(o.First, 1),
	}
	if r.epoch == 0 {
		r.epoch = uint64(time.Now().UnixMilli())
	}
	// The first head is an empty page, so that publish needs no special case.
	// It is never released (I5) and holds no entry.
	empty := &page{firstSeq: r.first}
	empty.raw.Store(new(byte))
	r.head.Store(empty)
	r.tail.Store(1)
	r.sources.init()
	if o.Recycle {
		r.recycle = new(recycler)
	}
	return r
}

// publish makes p the newest page. p's text, meta and bitmaps are set; index,
// firstSeq and start are set here. The caller owes the readers a wake.
func (r *Ring) publish(p *page) {
	for {
		h := r.head.Load()
		r.settle(h) // I2: before the head can move past h
		p.index = h.index + 1
		p.firstSeq = h.nextSeq() // I3
		p.start = h.end()
		r.pause()
		if r.head.CompareAndSwap(h, p) {
			break
		} // I11: somebody else published
	}
	r.pause()
	r.settle(p)
	r.evict()
}

// wake wakes the loops that are parked. Every publish is followed by it (I13).
func (r *Ring) wake() {
	if ws := r.wakers.Load(); ws != nil {
		for _, w := range *ws {
			w.notify()
		}
	}
}

// settle puts p into its slot unless a newer page is there already: a producer
// that slept a whole lap between its two steps must not bring back an old page
// (I1). Whoever needs the slot settled does it, so nobody waits for the owner.
func (r *Ring) settle(p *page) {
	slot := &r.slots[p.index&r.mask]
	for {
		cur := slot.Load()
		if cur == p || (cur != nil && cur.index >= p.index) {
			return
		}
		r.pause()
		if slot.CompareAndSwap(cur, p) {
			return
		}
	}
}

// evict releases the oldest pages until what is held fits the budget and the
// slots. It only ever looks at pages behind the head (I5).
func (r *Ring) evict() {
	for {
		t, h := r.tail.Load(), r.head.Load()
		if t >= h.index {
			return // I6
		}
		p := r.slots[t&r.mask].Load()
		switch {
		case p == nil || p.index < t:
			return // I2 makes this unreachable; another producer will evict
		case p.index == t && h.index-t <= r.mask && h.end()-p.start <= r.budget:
			return // I7 holds
		case p.index == t:
			// The slot keeps the header: niling it would let a late settle bring the page back.
			if raw := p.raw.Swap(nil); raw != nil {
				r.giveBack(p, raw)
			}
		}
		r.pause()
		r.tail.CompareAndSwap(t, t+1)
	}
}

func (r *Ring) pause() {
	if r.yield != nil {
		r.yield()
	}
}

// Epoch returns the number that names this run of the stream in ids.
func (r *Ring) Epoch() uint64 { return r.epoch }

// Head returns the seq of the newest entry, or the one before the first when
// nothing was published yet.
func (r *Ring) Head() uint64 { return r.head.Load().nextSeq() - 1 }

// block returns an empty block: a short one where memory is not used again, which
// is when there is little to hold.
func (r *Ring) block() []byte {
	if r.recycle == nil {
		return newBlock(MaxPage)
	}
	if b := r.recycle.take(&r.readers); b != nil {
		return unsafe.Slice(b, blockBytes)[:0]
	}
	return newBlock(blockBytes)
}

// giveBack takes the block that p, which was released, was cut from, when it is
// the last of it. The pages cut from it before are older, so the tail has passed
// them: nobody comes to them any more (I17).
func (r *Ring) giveBack(p *page, raw *byte) {
	if p.last > 0 && r.recycle != nil {
		begin := int(p.last-1) * alignment
		r.recycle.put(p.index, (*byte)(unsafe.Add(unsafe.Pointer(raw), -begin)))
	}
}

// oldest returns the oldest page held when h was the head, which is h when that
// is the only one. A page that was overtaken in its slot before its producer moved the tail
// is passed over, so that no producer can hold this up (I10).
func (r *Ring) oldest(h *page) *page {
	for t := r.tail.Load(); t < h.index; t++ {
		if p := r.slots[t&r.mask].Load(); p != nil && p.index == t && p.raw.Load() != nil {
			return p
		}
	}
	return h
}

// Oldest returns the seq of the oldest entry held, Head()+1 when there is none.
func (r *Ring) Oldest() uint64 { return r.oldest(r.head.Load()).firstSeq }

// Stats is what the ring holds at one moment.
type Stats struct {
	Entries         uint64 `json:"entries"`
	Bytes           uint64 `json:"bytes"`
	CapacityEntries int    `json:"capacity_entries"`
	CapacityBytes   uint64 `json:"capacity_bytes"`
	Oldest          uint64 `json:"oldest"`
	Head            uint64 `json:"head"`
}

// Stats returns what the ring holds.
func (r *Ring) Stats() Stats {
	h := r.head.Load() // first: pages that came later were never held together with the oldest
	old := r.oldest(h)
	return Stats{
		Entries:         h.nextSeq() - old.firstSeq,
		Bytes:           h.end() - old.start,
		CapacityEntries: len(r.slots),
		CapacityBytes:   r.budget,
		Oldest:          old.firstSeq,
		Head:            h.nextSeq() - 1,
	}
}

// Appended returns the number of entries published since New.
func (r *Ring) Appended() uint64 { return r.head.Load().nextSeq() - r.first }
