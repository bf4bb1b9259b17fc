package netio

import "logwisp/ring"

// maxOwnBlocks is how many groups of a loop have a block of their own.
const maxOwnBlocks = 64

// group is the subscribers of a loop that have the same selection.
type group struct {
	*selection
	members int

	// The newest run of entries [from, to) of which none passes the filter. Who
	// stands in it goes on at its end without a look at a page.
	from, to uint64
	after    ring.Cursor // at entry to

	own    *block // for what is newest; nil: the loop's are used
	mayOwn bool

	idle  []*Subscriber // members that are set aside
	at    ring.Cursor   // where they stand
	place counter       // at.Seq()

	slow    bool // its filter takes long for an entry; see scan.go
	watched bool // in the loop's list of those with idle members
}

// groupOf takes one more member into the group of a form and a filter.
func (l *loop) groupOf(sub *Subscription, form *Form) *group {
	sel := l.engine.selections.take(form, sub.Filter)
	g := l.groups[sel]
	if g == nil {
		g = &group{selection: sel}
		if sel.filter != nil && l.owners < maxOwnBlocks {
			g.mayOwn = true
			l.owners++
		}
		l.groups[sel] = g
	}
	g.members++
	return g
}

// leaveGroup is groupOf undone.
func (l *loop) leaveGroup(g *group) {
	if g.members--; g.members == 0 {
		delete(l.groups, g.selection)
		if g.mayOwn {
			l.owners--
		}
	}
	l.engine.selections.release(g.selection)
}

// noteRun takes note that no entry of [from, after) passes. Of two runs that
// do not touch the newer one is kept.
func (g *group) noteRun(from uint64, after ring.Cursor) {
	switch to := after.Seq(); {
	case from < g.from || from > g.to:
		if to > g.to {
			g.from, g.to, g.after = from, to, after
		}
	case to > g.to:
		g.to, g.after = to, after
	}
}

// runAt returns the run of entries at c that do not pass, if one is known.
func (g *group) runAt(c *ring.Cursor) (span, bool) {
	seq := c.Seq()
	if seq < g.from || seq >= g.to {
		return span{}, false
	}
	return blankSpan(c, g.after), true
}
