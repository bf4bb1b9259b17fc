package netio

import (
	"sync"

	"logwisp/ring"
)

// view is a page in another form. It never changes.
type view struct {
	text []byte
	ends []uint32
}

func (v *view) size() int64 { return int64(cap(v.text) + 4*cap(v.ends)) }

type viewKey struct {
	page uint64
	form *Form
}

// viewCache holds the views of all forms under one budget; the oldest go
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

// get returns p in form f. Two loops may build the same view at once; the
// second is thrown away.
func (c *viewCache) get(p *ring.Page, epoch uint64, f *Form) *view {
	key := viewKey{p.Index, f}
	c.mu.Lock()
	v := c.views[key]
	c.mu.Unlock()
	if v != nil {
		return v
	}
	v = &view{
		text: make([]byte, 0, len(p.Text)+p.Count()*64),
		ends: make([]uint32, 0, p.Count()),
	}
	v.text, v.ends = appendEntries(v.text, v.ends, p, 0, epoch, f)
	c.mu.Lock()
	defer c.mu.Unlock()
	if other := c.views[key]; other != nil {
		return other
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
	return v
}

// appendEntries appends p's entries from number i on in form f, and the offset
// behind each.
func appendEntries(text []byte, ends []uint32, p *ring.Page, i int, epoch uint64, f *Form) ([]byte, []uint32) {
	for ; i < p.Count(); i++ {
		if f.Entry == nil {
			text = append(text, p.Entry(i)...)
		} else {
			text = f.Entry(text, epoch, p.First+uint64(i), p.Entry(i))
		}
		ends = append(ends, uint32(len(text)))
	}
	return text, ends
}
