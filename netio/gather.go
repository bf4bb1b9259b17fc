package netio

import "logwisp/ring"

const (
	// smallPage is the size below which a page is not worth a piece of its own
	// in a write: it is gathered with its neighbours.
	smallPage = 16 << 10
	// blockBytes is about the size of a gathered block.
	blockBytes = 64 << 10
	// maxBlocks is how many gathered blocks a loop keeps, at most half of them
	// for one write.
	maxBlocks = 16
)

// block is a run of small pages gathered into one piece in one form. Its
// memory is used again, so nothing but the write it is collected for may hold
// it: entries in it are shorter than maxCopy.
type block struct {
	form  *Form
	first uint64
	text  []byte
	ends  []uint32
	after ring.Cursor // behind the last entry
	batch uint64      // the last batch that used it
}

// gatherer keeps the latest blocks of a loop, so that what was gathered for one
// subscriber serves all others at the same place.
type gatherer struct {
	blocks [maxBlocks]block
	newest int
}

// find returns the block that holds entry seq in form f.
func (g *gatherer) find(seq uint64, f *Form) *block {
	for i := range maxBlocks {
		b := &g.blocks[(g.newest-i+maxBlocks)%maxBlocks]
		if b.form == f && b.first <= seq && seq < b.first+uint64(len(b.ends)) {
			return b
		}
	}
	return nil
}

// take returns a block to fill: the oldest that the current batch does not use.
func (g *gatherer) take(batch uint64) *block {
	for range maxBlocks {
		g.newest = (g.newest + 1) % maxBlocks
		if b := &g.blocks[g.newest]; b.batch != batch {
			b.text, b.ends = b.text[:0], b.ends[:0]
			return b
		}
	}
	return nil
}

// spanAt returns the entries at c in form f: the page itself, a view of it, or
// a gathered block. c is moved past lost entries only.
func (l *loop) spanAt(c *ring.Cursor, f *Form) (sp span, lost uint64, ok bool) {
	g := &l.out.gather
	if b := g.find(c.Seq(), f); b != nil {
		b.batch = l.out.number
		return b.span(c), 0, true
	}
	p, lost, ok := c.Page()
	if !ok || lost > 0 {
		return span{}, lost, ok
	}
	skip := int(c.Seq() - p.First)
	if l.gathers(&p, f) {
		if b := g.take(l.out.number); b != nil {
			l.fill(b, *c, f)
			return b.span(c), 0, true
		}
	}
	sp = span{text: p.Text, page: p, first: p.First, count: p.Count(), skip: skip, at: *c}
	if f.Entry != nil {
		v := l.engine.views.get(&p, l.engine.ring.Epoch(), f)
		sp.text, sp.ends = v.text, v.ends
	}
	sp.from = sp.end(skip - 1)
	sp.after = *c
	sp.after.Advance(p.First + uint64(p.Count()))
	return sp, 0, true
}

// gathers reports whether p is written from a block: because it is small and
// not alone, or because a view of it would serve one subscriber only.
func (l *loop) gathers(p *ring.Page, f *Form) bool {
	if f.Entry == nil {
		return len(p.Text) < smallPage && p.First+uint64(p.Count()) <= l.engine.ring.Head()
	}
	return len(p.Text) < smallPage || len(p.Text) <= ring.PageTarget && f.users.Load() == 1
}

// fill gathers small pages from c on until the block is full, a large page
// comes or the head is reached. The first page may be a large one.
func (l *loop) fill(b *block, c ring.Cursor, f *Form) {
	b.form, b.first, b.batch, b.after = f, c.Seq(), l.out.number, c
	epoch := l.engine.ring.Epoch()
	for len(b.text) < blockBytes-smallPage {
		p, lost, ok := c.Page()
		if !ok || lost > 0 || len(p.Text) >= smallPage && len(b.ends) > 0 {
			return
		}
		b.text, b.ends = appendEntries(b.text, b.ends, &p, int(c.Seq()-p.First), epoch, f)
		c.Advance(p.First + uint64(p.Count()))
		b.after = c
	}
}

// span returns the block's entries from c on.
func (b *block) span(c *ring.Cursor) span {
	sp := span{
		text: b.text, ends: b.ends, first: b.first, count: len(b.ends),
		skip: int(c.Seq() - b.first), at: *c, after: b.after,
	}
	sp.from = sp.end(sp.skip - 1)
	return sp
}
