package forward

import (
	"logwisp/ring"
	"logwisp/ring/filter"
)

// maxEntries is how many entries a batch has at most: short ones take more room
// encoded than they have themselves.
const maxEntries = 16 << 10

// batch is a copy of entries that pass, on their way to the counterpart.
type batch struct {
	text []byte   // newline-ended entries
	ends []int    // behind each
	seqs []uint64 // of each
	from []uint16 // the source of each; 0: it is in its text only

	next     uint64 // entries before this one are in it, or filtered or lost
	filtered uint64
	lost     uint64 // overwritten before they could be read
	stamp    int64  // when the oldest entry was published, nanoseconds since 1970
}

func (b *batch) reset(next uint64) {
	*b = batch{text: b.text[:0], ends: b.ends[:0], seqs: b.seqs[:0], from: b.from[:0], next: next}
	if cap(b.text) > 4<<20 {
		b.text = nil // a huge entry must not keep its memory
	}
}

// len returns the number of entries.
func (b *batch) len() int { return len(b.ends) }

// entry returns entry i with its newline.
func (b *batch) entry(i int) []byte { return b.text[b.end(i-1):b.ends[i]] }

// end returns the offset behind entry i, 0 for i = -1.
func (b *batch) end(i int) int {
	if i < 0 {
		return 0
	}
	return b.ends[i]
}

// part is a run of a batch's entries, from first to before last.
type part struct {
	*batch
	first, last int
}

func (b *batch) all() part { return part{b, 0, b.len()} }

func (p part) len() int      { return p.last - p.first }
func (p part) bytes() []byte { return p.text[p.end(p.first-1):p.end(p.last-1)] }

// entries calls visit with every entry, without its newline.
func (p part) entries(visit func(line []byte)) {
	for i := p.first; i < p.last; i++ {
		line := p.entry(i)
		visit(line[:len(line)-1])
	}
}

// collector fills batches from a ring.
type collector struct {
	ring    *ring.Ring
	reader  *ring.Reader
	cursor  ring.Cursor
	matcher *filter.Matcher // nil: every entry passes
	limit   int             // bytes of a batch
}

// fill adds what follows to b until it is full or the head is reached, and
// reports whether it is full. A page is entered and left as a whole (F3), unless
// the batch is full in the middle of it.
func (c *collector) fill(b *batch) (full bool) {
	for {
		c.reader.Enter()
		full, more := c.fillFromPage(b)
		c.reader.Exit()
		if full || !more {
			return full
		}
	}
}

func (c *collector) fillFromPage(b *batch) (full, more bool) {
	p, lost, ok := c.cursor.Page()
	b.lost += lost
	b.next = c.cursor.Seq()
	if !ok {
		return false, false
	}
	verdict := filter.All
	if c.matcher != nil {
		verdict = c.matcher.Page(&p)
	}
	at := int(c.cursor.Seq() - p.First)
	for i := at; i < p.Count(); i++ {
		if verdict == filter.None || verdict == filter.Some && !c.matcher.Match(&p, i) {
			b.filtered++
			continue
		}
		e := p.Entry(i)
		if b.len() > 0 && len(b.text)+len(e) > c.limit || b.len() == maxEntries {
			c.advance(b, p.First+uint64(i))
			return true, true
		}
		if b.len() == 0 {
			b.stamp = p.Stamp
		}
		b.text = append(b.text, e...)
		b.ends = append(b.ends, len(b.text))
		b.seqs = append(b.seqs, p.First+uint64(i))
		b.from = append(b.from, p.Source(i))
	}
	c.advance(b, p.First+uint64(p.Count()))
	return len(b.text) >= c.limit, true
}

func (c *collector) advance(b *batch, seq uint64) {
	c.cursor.Advance(seq)
	b.next = seq
}
