package netio

import "logwisp/ring"

// maxSpans is the most pieces one write gathers.
const maxSpans = 64

// span is a run of entries as a selection wants them: count of them from entry
// first on, of which the subscriber has the first skip, in text[from:to]. It may
// have no text at all: then it only moves the cursor.
type span struct {
	text  []byte
	first uint64   // seq of entry 0
	ends  []uint32 // offset behind each entry; nil: page has them
	page  ring.Page
	count int
	skip  int
	from  int
	to    int
	at    ring.Cursor // at entry skip
	after ring.Cursor // behind the last entry

	picked  bool // some entries may not pass the filter: they have no text
	sampled bool // those that pass are dropped all the same, for max_rate
	cut     bool // count was made less: after is further on
	goesOn  bool // the next span of the batch is the rest of this one
}

// blankSpan is a span without text from c to after.
func blankSpan(c *ring.Cursor, after ring.Cursor) span {
	return span{first: c.Seq(), count: int(after.Seq() - c.Seq()), at: *c, after: after}
}

// end returns the offset behind entry i, 0 for i = -1.
func (s *span) end(i int) int {
	switch {
	case i < 0 || s.text == nil:
		return 0
	case s.ends != nil:
		return int(s.ends[i])
	default:
		return s.page.End(i)
	}
}

// entriesWithin returns how many entries end at or before offset.
func (s *span) entriesWithin(offset int) int {
	if offset == s.to {
		return s.count
	}
	lo, hi := 0, s.count
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if s.end(mid) <= offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// passing returns how many of the entries from skip to before number i pass.
func (s *span) passing(i int) int {
	switch {
	case s.text == nil:
		return 0
	case !s.picked:
		return i - s.skip
	}
	n, last := 0, s.end(s.skip-1)
	for _, end := range s.ends[s.skip:i] {
		if int(end) != last {
			n++
			last = int(end)
		}
	}
	return n
}

// keep returns the number of the entry behind the n-th that passes from skip
// on, count when there are no more than n.
func (s *span) keep(n int) int {
	switch {
	case s.text == nil:
		return s.count
	case !s.picked:
		return min(s.skip+n, s.count)
	}
	last := s.end(s.skip - 1)
	for i, end := range s.ends[s.skip:s.count] {
		if int(end) == last {
			continue
		}
		if last = int(end); n == 0 {
			return s.skip + i
		}
		n--
	}
	return s.count
}

// shorten ends the span before entry i.
func (s *span) shorten(i int) {
	if i < s.count {
		s.count, s.to, s.cut = i, s.end(i-1), true
	}
}

// batch is what one write call is given. The loop owns it and uses it anew for
// every write.
type batch struct {
	iov    []iovec
	most   int // bytes, about, beyond which no more is collected
	bytes  int
	spans  []span
	hits   int    // entries with text in it; counted for a bounded subscriber only
	number uint64 // of this batch; blocks used by it must not be overwritten
	newest int64  // stamp of the newest entry that the socket took whole, 0 = none
	gather gatherer
}

func (b *batch) begin() {
	b.iov, b.spans, b.bytes = b.iov[:0], b.spans[:0], 0
	b.hits, b.newest = 0, 0
	b.number++
}

// end lets go of the pages (N6).
func (b *batch) end() {
	clear(b.iov)
	clear(b.spans)
}

func (b *batch) add(p []byte) {
	if len(p) == 0 {
		return
	}
	b.iov = append(b.iov, iovecOf(p))
	b.bytes += len(p)
}

// maxLooks is how many spans one write is collected from, those without text
// included.
const maxLooks = 4 * maxSpans

// collect adds the entries from s's cursor on, until most is reached, and
// returns whether it got to the head. When entries
// were lost at the very start, it moves the cursor past them and returns their
// number, with nothing collected; a loss further on is left for the next write.
func (b *batch) collect(l *loop, s *Subscriber) (caughtUp bool, lost uint64) {
	c := s.cursor
	for range maxLooks {
		if b.bytes >= b.most || len(b.spans) >= maxSpans || len(b.spans) > 0 && l.scan.over() {
			return false, 0
		}
		sp, lost, ok := l.spanAt(&c, s.group)
		if lost > 0 {
			if len(b.spans) > 0 {
				return false, 0
			}
			s.cursor = c
			return false, lost
		}
		if !ok {
			return true, 0
		}
		c = sp.after
		if s.bounds != nil {
			if last := b.collectBounded(s, sp); last {
				return false, 0
			}
			continue
		}
		b.push(sp)
	}
	return false, 0
}

// push adds a span; runs of spans without text are one.
func (b *batch) push(sp span) {
	if sp.text == nil && len(b.spans) > 0 {
		if last := &b.spans[len(b.spans)-1]; last.text == nil && !last.cut && last.after.Seq() == sp.first {
			last.count += sp.count
			last.after, last.cut = sp.after, sp.cut
			return
		}
	}
	b.spans = append(b.spans, sp)
	b.add(sp.text[sp.from:sp.to])
}
