package netio

import (
	"sync"

	"logwisp/ring"
	"logwisp/ring/record"
)

// view is a page in another form, or what a filter leaves of it, from entry
// first on, as far as somebody has looked: where that takes long it is done in
// pieces. What is in it never changes.
type view struct {
	first   int    // number of an entry; those before it have no text
	reaches int    // number of the entry up to which it is done; under viewCache.mu
	counted int64  // bytes of the budget; under viewCache.mu
	block   []byte // the text's, if it can be used again when the view goes; under viewCache.mu

	mu   sync.Mutex
	text []byte
	ends []uint32 // offset behind each entry so far
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
// first. A view that went and is wanted again is built anew, identically, from
// the entry on at which it is wanted: so whoever stands in it gets on (N7).
type viewCache struct {
	budget int64
	reuse  reuse

	mu    sync.Mutex
	views map[viewKey]*view
	order []viewKey // oldest first
	bytes int64
}

func newViewCache(budget int64) *viewCache {
	return &viewCache{budget: budget, views: make(map[viewKey]*view)}
}

// newStay registers one more loop.
func (c *viewCache) newStay() *stay {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reuse.newStay()
}

// get returns what sel wants of p's entries up to some entry behind number i,
// which is the last one as soon as what may be looked at for it is enough.
func (c *viewCache) get(
	p *ring.Page, i int, ids record.IDs, sel *selection, looking *scan,
) (text []byte, ends []uint32) {
	key := viewKey{p.Index, sel.number}
	v := c.at(key, i, p, sel)
	v.mu.Lock() // whoever wants the same meanwhile finds it done
	defer v.mu.Unlock()
	if len(v.ends) <= i {
		v.text, v.ends = sel.appendEntries(v.text, v.ends, p, len(v.ends), ids, looking)
		c.count(key, v, sel.filter == nil && cap(v.text) == viewBytes && v.longest() <= maxCopy)
	}
	return v.text, v.ends
}

// at returns the view with a key, a new one if there is none from which to go
// on to entry i.
func (c *viewCache) at(key viewKey, i int, p *ring.Page, sel *selection) *view {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.views[key]
	if v != nil && v.first <= i && (i <= v.reaches || sel.filter == nil) {
		return v
	}
	if v == nil {
		c.order = append(c.order, key)
	} else {
		c.bytes -= v.counted
	}
	v = &view{ends: make([]uint32, 0, p.Count())}
	switch room := len(p.Text) + p.Count()*64; {
	case sel.filter != nil:
		v.first, v.reaches, v.ends = i, i, v.ends[:i]
	case room > viewBytes/2 && room <= viewBytes:
		v.text = c.reuse.take()
	default:
		v.text = make([]byte, 0, room)
	}
	c.views[key] = v
	return v
}

// count takes note of what has come to a view, and makes room for it. whole says
// that no more will, that its block can be used again, and that no rest of an entry
// refers to it beyond a pass (N6).
func (c *viewCache) count(key viewKey, v *view, whole bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.views[key] != v {
		return // it went meanwhile
	}
	size := v.size()
	c.bytes += size - v.counted
	v.counted, v.reaches = size, len(v.ends)
	if whole {
		v.block = v.text
	}
	for c.bytes > c.budget && len(c.order) > 1 {
		old := c.order[0]
		c.order = c.order[1:]
		gone := c.views[old]
		c.bytes -= gone.counted
		delete(c.views, old)
		if gone.block != nil {
			c.reuse.put(gone.block)
		}
	}
}

// longest returns the length of the longest entry.
func (v *view) longest() (n uint32) {
	begin := uint32(0)
	for _, end := range v.ends {
		n, begin = max(n, end-begin), end
	}
	return n
}
