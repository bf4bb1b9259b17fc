package netio

import (
	"sync"

	"logwisp/ring"
)

// view is a page in another form, or what a filter leaves of it. It never
// changes.
type view struct {
	text []byte
	ends []uint32 // offset behind each of the page's entries
}

// viewOverhead is about what a view costs beside its text and offsets: many are
// of pages of which nothing passes, and have next to none.
const viewOverhead = 256

func (v *view) size() int64 { return int64(viewOverhead + cap(v.text) + 4*cap(v.ends)) }

// viewKey has a number for the selection, since a view must not keep one alive
// that nobody uses any more: its filter may be larger than a thousand views.
type viewKey struct {
	page      uint64
	selection uint64
}

// viewCache holds the views of all selections under one budget; the oldest go
// first. A view that went and is wanted again is built anew, identically.
type viewCache struct {
	budget int64

	mu    sync.Mutex
	views map[viewKey]*view
	order []viewKey // oldest first
	bytes int64
}

func newViewCache(budget int64) *viewCache {
	return &viewCache{budget: budget, views: make(map[viewKey]*view)}
}

// get returns what sel wants of p, and how many bytes were scanned for it. Two
// loops may build the same view at once; the second is thrown away.
func (c *viewCache) get(p *ring.Page, epoch uint64, sel *selection) (_ *view, scanned int) {
	key := viewKey{p.Index, sel.number}
	c.mu.Lock()
	v := c.views[key]
	c.mu.Unlock()
	if v != nil {
		return v, 0
	}
	v = &view{ends: make([]uint32, 0, p.Count())}
	if sel.filter == nil {
		v.text = make([]byte, 0, len(p.Text)+p.Count()*64)
	}
	v.text, v.ends, scanned = sel.appendEntries(v.text, v.ends, p, 0, epoch)
	c.mu.Lock()
	defer c.mu.Unlock()
	if other := c.views[key]; other != nil {
		return other, scanned
	}
	c.views[key] = v
	c.order = append(c.order, key)
	c.bytes += v.size()
	for c.bytes > c.budget && len(c.order) > 1 {
		old := c.order[0]
		c.order = c.order[1:]
		c.bytes -= c.views[old].size()
		delete(c.views, old)
	}
	return v, scanned
}
