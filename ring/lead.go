package ring

// Lead returns how much of the ring lies between the furthest reader (see
// Reader.Reach) and the newest entry: 0 when it has all, 1 when the ring would
// overtake it with the next page. ok is false when nobody says that he reads.
//
// A producer with a backlog of its own compares it with what it wants to leave
// to readers; nothing ever waits for them here.
func (r *Ring) Lead() (share float64, ok bool) {
	var furthest uint64
	if rs := r.readers.Load(); rs != nil {
		for _, rd := range *rs {
			furthest = max(furthest, rd.reached.Load())
		}
	}
	if furthest == 0 {
		return 0, false
	}
	h := r.head.Load()
	p := r.pageOf(furthest, h)
	if p == nil {
		return 0, true
	}
	bytes := float64(h.end()-p.start) / float64(r.budget)
	slots := float64(h.index-p.index+1) / float64(len(r.slots))
	return max(bytes, slots), true
}

// pageOf returns the page that holds entry seq, or the oldest found held when
// seq is older; nil when seq is behind h, the head.
func (r *Ring) pageOf(seq uint64, h *page) *page {
	if seq >= h.nextSeq() || h.count == 0 {
		return nil
	}
	p := h
	lo, hi := max(r.tail.Load(), 1), h.index
	for lo < hi {
		mid := lo + (hi-lo)/2
		q := r.slots[mid&r.mask].Load()
		switch {
		case q == nil || q.index != mid:
			lo = mid + 1 // overwritten since: older than what is held
		case q.nextSeq() <= seq:
			lo = mid + 1
		default:
			p, hi = q, mid
		}
	}
	return p
}
