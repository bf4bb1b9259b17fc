package netio

import (
	"logwisp/ring"
	"logwisp/ring/filter"
)

const (
	// smallPage is the size below which a page is not worth a piece of its own
	// in a write: it is gathered with its neighbours.
	smallPage = 16 << 10
	// blockBytes is about the size of a gathered block.
	blockBytes = 64 << 10
	// blockEntries is about how many entries a block covers at most: of those a
	// filter rejects nothing but the place is in it.
	blockEntries = 4096
	// maxBlocks is how many gathered blocks a loop keeps, at most half of them
	// for one write.
	maxBlocks = 16
)

// block is a run of small pages gathered into one piece for one selection. Its
// memory is used again, so nothing but the write it is collected for may hold
// it: entries in it are shorter than maxCopy.
type block struct {
	selection *selection
	first     uint64
	text      []byte
	ends      []uint32
	after     ring.Cursor // behind the last entry
	batch     uint64      // the last batch that used it
	stamp     int64       // of the newest page in it
}

func (b *block) holds(seq uint64, sel *selection) bool {
	return b.selection == sel && b.first <= seq && seq < b.first+uint64(len(b.ends))
}

// gatherer keeps the latest blocks of a loop, so that what was gathered for one
// subscriber serves all others at the same place.
type gatherer struct {
	blocks [maxBlocks]block
	newest int
}

// find returns the block that holds entry seq for a group.
func (g *gatherer) find(seq uint64, of *group) *block {
	if of.own != nil && of.own.holds(seq, of.selection) {
		return of.own
	}
	for i := range maxBlocks {
		if b := &g.blocks[(g.newest-i+maxBlocks)%maxBlocks]; b.holds(seq, of.selection) {
			return b
		}
	}
	return nil
}

// take returns a block to fill from entry seq on: the group's own for what is
// newest, else the oldest that the current batch does not use.
func (g *gatherer) take(seq, batch uint64, of *group) *block {
	if of.mayOwn {
		if of.own == nil {
			of.own = new(block)
		}
		if of.own.batch != batch && seq >= of.own.first {
			return of.own
		}
	}
	for range maxBlocks {
		g.newest = (g.newest + 1) % maxBlocks
		if b := &g.blocks[g.newest]; b.batch != batch {
			return b
		}
	}
	return nil
}

// spanAt returns the entries at c as group g wants them: the page itself, a
// view of it, a gathered block, or a span without text for entries that do not
// pass. c is moved past lost entries only.
func (l *loop) spanAt(c *ring.Cursor, g *group) (sp span, lost uint64, ok bool) {
	if sp, ok := g.runAt(c); ok {
		return sp, 0, true
	}
	if b := l.out.gather.find(c.Seq(), g); b != nil {
		b.batch = l.out.number
		return b.span(c), 0, true
	}
	p, lost, ok := c.Page()
	if !ok || lost > 0 {
		return span{}, lost, ok
	}
	sel, filtered := g.selection, false
	if g.filter != nil {
		switch sel.verdict(&p) {
		case filter.None:
			return g.blankTo(c, p.First+uint64(p.Count())), 0, true
		case filter.All:
			sel = sel.plain
		case filter.Some:
			filtered = true
		}
	}
	if l.gathers(&p, sel) {
		if b := l.out.gather.take(c.Seq(), l.out.number, g); b != nil {
			l.fill(b, *c, g)
			if len(b.text) > 0 {
				return b.span(c), 0, true
			}
			g.noteRun(b.first, b.after)
			b.selection = nil
			return blankSpan(c, b.after), 0, true
		}
	}
	return l.pageSpan(c, g, sel, &p, filtered), 0, true
}

// pageSpan returns the entries at c from page p itself or from a view of it:
// all of them, or those up to where this pass has looked.
func (l *loop) pageSpan(c *ring.Cursor, g *group, sel *selection, p *ring.Page, filtered bool) span {
	skip := int(c.Seq() - p.First)
	sp := span{text: p.Text, page: *p, first: p.First, count: p.Count(), skip: skip, at: *c, picked: filtered}
	if filtered || sel.form.Entry != nil {
		sp.text, sp.ends = l.engine.views.get(p, skip, l.engine.ids, sel, &l.scan)
		sp.count = len(sp.ends)
	}
	sp.from, sp.to = sp.end(skip-1), len(sp.text)
	if sp.from == sp.to {
		return g.blankTo(c, p.First+uint64(sp.count))
	}
	sp.after = *c
	sp.after.Advance(p.First + uint64(sp.count))
	return sp
}

// blankTo returns the entries from c to before entry seq, of which none passes.
func (g *group) blankTo(c *ring.Cursor, seq uint64) span {
	after := *c
	after.Advance(seq)
	g.noteRun(c.Seq(), after)
	return blankSpan(c, after)
}

// gathers reports whether p is written from a block: because it is small and
// not alone, or because a view of it would serve one subscriber only.
func (l *loop) gathers(p *ring.Page, sel *selection) bool {
	if sel.form.Entry == nil && sel.filter == nil {
		return len(p.Text) < smallPage && p.First+uint64(p.Count()) <= l.engine.ring.Head()
	}
	return len(p.Text) < smallPage || len(p.Text) <= ring.PageTarget && sel.users.Load() == 1
}

// fill gathers small pages from c on until the block is full, enough was looked
// at for one pass (N7), a large page comes or the head is reached. The first
// page may be a large one.
func (l *loop) fill(b *block, c ring.Cursor, g *group) {
	b.selection, b.first, b.batch, b.after = g.selection, c.Seq(), l.out.number, c
	b.text, b.ends = b.text[:0], b.ends[:0]
	ids := l.engine.ids
	for len(b.text) < blockBytes-smallPage && len(b.ends) < blockEntries && (len(b.ends) == 0 || !l.scan.over()) {
		p, lost, ok := c.Page()
		if !ok || lost > 0 || len(p.Text) >= smallPage && len(b.ends) > 0 {
			break
		}
		b.text, b.ends = g.appendEntries(b.text, b.ends, &p, int(c.Seq()-p.First), ids, &l.scan)
		c.Advance(b.first + uint64(len(b.ends)))
		b.after, b.stamp = c, p.Stamp
	}
}

// span returns the block's entries from c on.
func (b *block) span(c *ring.Cursor) span {
	sp := span{
		text: b.text, ends: b.ends, page: ring.Page{Stamp: b.stamp}, first: b.first, count: len(b.ends),
		skip: int(c.Seq() - b.first), at: *c, after: b.after, picked: b.selection.filter != nil,
	}
	sp.from, sp.to = sp.end(sp.skip-1), len(sp.text)
	return sp
}
