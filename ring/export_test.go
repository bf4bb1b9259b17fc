package ring

// What the external tests need to see or to set of a Ring's inside.

// PageHeader and EntryMeta are what a page and an entry cost beyond their text, the
// rest is about the blocks they are cut from.
const (
	PageHeader = int(headerBytes)
	EntryMeta  = metaBytes
	BlockBytes = blockBytes
	BlockSpare = blockSpare
	Alignment  = alignment
)

// MaxSources is the number of source names that get an id of their own.
const MaxSources = maxSources

// SetYield sets the hook between the steps. It must be called before r is
// shared.
func SetYield(r *Ring, f func()) { r.yield = f }

// SetBytesSoFar makes an empty r count as if n bytes had been published.
func SetBytesSoFar(r *Ring, n uint64) {
	h := &page{firstSeq: r.first, start: n}
	h.raw.Store(new(byte))
	r.head.Store(h)
}

// Tail returns the index of the oldest page held.
func Tail(r *Ring) uint64 { return r.tail.Load() }

// HeadIndex returns the index of the newest page.
func HeadIndex(r *Ring) uint64 { return r.head.Load().index }

// SlotIndex returns the index of the page in the slot that page index i uses.
func SlotIndex(r *Ring, i uint64) (uint64, bool) {
	p := r.slots[i&r.mask].Load()
	if p == nil {
		return 0, false
	}
	return p.index, true
}

// Unreleased returns the pages and bytes whose payload the slots still keep
// alive, found by looking at each of them.
func Unreleased(r *Ring) (pages int, bytes uint64) {
	for i := range r.slots {
		if p := r.slots[i].Load(); p != nil && p.index > 0 && p.raw.Load() != nil {
			pages++
			bytes += uint64(p.size)
		}
	}
	return pages, bytes
}

// Slots returns the number of page slots.
func Slots(r *Ring) int { return len(r.slots) }
