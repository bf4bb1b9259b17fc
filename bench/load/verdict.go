package main

import "fmt"

// judge lists what the clients saw that must never happen.
func (r *report) judge(b *bench) {
	for _, f := range []struct {
		n    uint64
		what string
	}{
		{r.Gaps, "lines missing without a drop notice"},
		{r.Mismatches, "jumps that differ from the announced count"},
		{r.Duplicates, "lines delivered twice"},
		{r.Disorder, "lines out of order"},
		{r.Content, "entries that differ from what was written"},
		{r.Protocols, "protocol errors"},
	} {
		if f.n > 0 {
			r.breaks("%d %s%s", f.n, f.what, firstFault(b.clients))
		}
	}
	for _, c := range b.clients {
		r.judgeEnd(b, c)
	}
}

// judgeEnd looks at how the client's stream ended.
func (r *report) judgeEnd(b *bench, c *client) {
	// A client that stopped reading may be disconnected as slow: what it
	// missed then is in the report, and nobody has promised it.
	if c.closed && c.role == stalled {
		return
	}
	if c.closed {
		r.breaks("client %d was disconnected after line %d (%s)", c.index, c.ledger.accounted(), c.reason)
	}
	if n := c.short(r.Lines); n > 0 {
		r.breaks("client %d got no line after %d: %d neither delivered nor announced as dropped", c.index, c.ledger.accounted(), n)
	}
	if c.ledger.accounted() > r.Lines {
		r.breaks("client %d was told of %d dropped lines that were never written", c.index, c.ledger.accounted()-r.Lines)
	}
	switch {
	case c.ledger.lost == 0 || b.o.announced():
	case b.o.peer().IsValid() || b.o.listen.IsValid(): // they have no /status
		r.breaks("client %d misses %d lines; first: %s", c.index, c.ledger.lost, c.firstFault)
	case !b.http:
		r.breaks("client %d misses %d lines and there is no /status to confirm them: name it with -http", c.index, c.ledger.lost)
	}
}

// judgeStatus compares the daemon's own sums with what the clients saw.
func (r *report) judgeStatus(b *bench, after status) {
	t := after.Totals.minus(b.before.Totals)
	r.Status = &t
	if a := after.Totals; !a.balanced() {
		r.breaks("/status: delivered %d + filtered %d + dropped %d = %d, offered %d", a.Delivered, a.Filtered, a.Dropped, a.Delivered+a.Filtered+a.Dropped, a.Offered)
	}
	var entries uint64
	// Exact only when ours were the only subscribers and each read all it was
	// sent; else what others got is in the sums as well.
	exact := b.o.never == 0 && b.before.Clients.TCP+b.before.Clients.SSE == 0
	for _, c := range b.clients {
		entries += c.entries
		exact = exact && !c.closed
	}
	dropped := r.Dropped + r.Gaps
	if t.Delivered < entries || exact && t.Delivered != entries {
		r.breaks("/status: %d delivered, the clients received %d (with probe lines)", t.Delivered, entries)
	}
	if t.Dropped < dropped || exact && t.Dropped != dropped {
		r.breaks("/status: %d dropped, the clients miss %d", t.Dropped, dropped)
	}
}

// firstFault describes the fault of the first client that has one.
func firstFault(clients []*client) string {
	for _, c := range clients {
		if c.firstFault != "" {
			return fmt.Sprintf("; client %d first: %s", c.index, c.firstFault)
		}
	}
	return ""
}
