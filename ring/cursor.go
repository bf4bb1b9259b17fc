package ring

// Cursor is one reader's place in the ring: the next entry it expects. It is a
// small value; a copy reads on independently. Not safe for concurrent use.
type Cursor struct {
	ring  *Ring
	index uint64 // page that holds seq, or the next one to be published
	seq   uint64 // next entry expected
	end   uint64 // seq behind the page last returned
}

// Live returns a cursor behind the newest entry.
func (r *Ring) Live() Cursor {
	h := r.head.Load()
	return Cursor{ring: r, index: h.index + 1, seq: h.nextSeq()}
}

// Seek returns a cursor at entry seq and how many entries from seq on are no
// longer held (I15). A seq beyond the newest entry gives a live cursor.
func (r *Ring) Seek(seq uint64) (Cursor, uint64) {
	h := r.head.Load()
	if seq >= h.nextSeq() || h.count == 0 {
		next := h.nextSeq()
		return Cursor{ring: r, index: h.index + 1, seq: next}, next - min(seq, next)
	}
	lo, hi := max(r.tail.Load(), 1), h.index
	// The largest index whose page starts at or before seq. Pages that are
	// overwritten or released while we look are older than what is held.
	for lo < hi {
		mid := lo + (hi-lo+1)/2
		p := h
		if mid < h.index {
			p = r.slots[mid&r.mask].Load()
		}
		switch {
		case p.index == mid && p.firstSeq > seq:
			hi = mid - 1
		default:
			lo = mid
		}
	}
	c := Cursor{ring: r, index: lo, seq: seq}
	_, lost, _ := c.Page()
	return c, lost
}

// Page returns the page that holds the next entry, which is entry Seq()-First
// of it, or false when the cursor is at the head. lost is the number of entries
// the cursor was moved past since the last call because they are no longer
// held; it is told once, with ok true or false.
func (c *Cursor) Page() (p Page, lost uint64, ok bool) {
	r := c.ring
	for {
		pg := r.slots[c.index&r.mask].Load()
		if pg == nil || pg.index < c.index {
			// Not in its slot: look at the head, so that a producer asleep
			// between its two steps holds up nobody (I10).
			r.pause()
			h := r.head.Load()
			if h.index < c.index {
				return Page{}, lost, false
			}
			if h.index > c.index {
				continue // I2: it is in its slot by now
			}
			pg = h
		}
		if pg.index > c.index {
			c.jump()
			continue
		}
		view, held := pg.view()
		if !held {
			c.jump()
			continue
		}
		if pg.firstSeq > c.seq {
			lost += pg.firstSeq - c.seq // I9
			c.seq = pg.firstSeq
		}
		if c.end = pg.nextSeq(); c.seq < c.end {
			return view, lost, true
		}
		c.index++ // I8
	}
}

// jump moves the cursor to the middle of what is held. The page at the cursor
// is older than the head (the head is never released), so there is a page to
// go to; it is at least the next one even when the producer that released the
// current page has not moved the tail yet.
func (c *Cursor) jump() {
	t, h := c.ring.tail.Load(), c.ring.head.Load().index
	c.index = max(t+(h-min(t, h))/2, c.index+1)
}

// Seq returns the next entry expected.
func (c *Cursor) Seq() uint64 { return c.seq }

// Advance moves the cursor to seq, which must not be before Seq and at most one
// behind the last entry of the page last returned.
func (c *Cursor) Advance(seq uint64) {
	if seq == c.seq {
		return
	}
	if seq < c.seq || seq > c.end {
		panic("ring: Advance out of the page")
	}
	c.seq = seq
	if seq == c.end {
		// Go on now: were the page looked up again after its release, the
		// cursor would be taken for overtaken and lose what is still held.
		c.index++
		c.end = 0
	}
}

// Behind returns how many published entries the cursor has not passed.
func (c *Cursor) Behind() uint64 {
	if next := c.ring.head.Load().nextSeq(); next > c.seq {
		return next - c.seq
	}
	return 0
}
