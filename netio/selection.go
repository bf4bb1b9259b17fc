package netio

import (
	"sync"
	"sync/atomic"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// selection is what a subscriber wants of the ring: the entries that pass a
// filter, in a form. Subscribers that want the same share one, and with it
// views, gathered blocks and what was found out about runs without a match.
type selection struct {
	number uint64 // no other ever has the same
	form   *Form
	filter *filter.Filter // nil: every entry
	plain  *selection     // every entry in the same form; the selection itself without a filter
	users  atomic.Int64   // subscribers that have it; changed under selections.mu

	mu      sync.Mutex
	matcher *filter.Matcher // under mu; nil without a filter
}

type selectionKey struct {
	form   *Form
	filter string // Filter.Key
}

// selections makes equal selections one.
type selections struct {
	mu   sync.Mutex
	all  map[selectionKey]*selection
	made uint64 // so far
}

// take returns the selection of a form and a filter, which may be nil, for one
// more user.
func (s *selections) take(form *Form, f *filter.Filter) *selection {
	if f != nil && f.Key() == "" {
		f = nil // it lets everything pass
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f == nil {
		return s.takePlain(form)
	}
	key := selectionKey{form, f.Key()}
	sel := s.all[key]
	if sel == nil {
		plain := s.takePlain(form)
		s.made++
		sel = &selection{number: s.made, form: form, filter: f, matcher: f.NewMatcher(), plain: plain}
		s.all[key] = sel
	}
	sel.users.Add(1)
	return sel
}

func (s *selections) takePlain(form *Form) *selection {
	key := selectionKey{form: form}
	sel := s.all[key]
	if sel == nil {
		s.made++
		sel = &selection{number: s.made, form: form}
		sel.plain = sel
		if s.all == nil {
			s.all = make(map[selectionKey]*selection)
		}
		s.all[key] = sel
	}
	sel.users.Add(1)
	return sel
}

// release ends one use. Views of a selection that nobody uses any more go as
// all views do.
func (s *selections) release(sel *selection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sel.users.Add(-1) > 0 {
		return
	}
	if sel.filter == nil {
		delete(s.all, selectionKey{form: sel.form})
		return
	}
	delete(s.all, selectionKey{sel.form, sel.filter.Key()})
	if sel.plain.users.Add(-1) == 0 {
		delete(s.all, selectionKey{form: sel.form})
	}
}

// verdict says what can be said of a page without looking at its entries.
func (sel *selection) verdict(p *ring.Page) filter.Verdict {
	if sel.filter == nil {
		return filter.All
	}
	sel.mu.Lock()
	defer sel.mu.Unlock()
	return sel.matcher.Page(p)
}

// appendEntries appends p's entries from number i on, and the offset behind
// each. One that does not pass takes no room: it ends where the one before it
// ends, so that every entry keeps its place. It stops behind the entry with which
// what may be looked at to tell which pass is over (N7).
func (sel *selection) appendEntries(
	text []byte, ends []uint32, p *ring.Page, i int, ids record.IDs, looking *scan,
) ([]byte, []uint32) {
	passing := filter.All
	if sel.filter != nil {
		sel.mu.Lock() // whoever wants the same page meanwhile finds it done
		defer sel.mu.Unlock()
		passing = sel.matcher.Page(p)
	}
	entry := sel.form.Entry
	for looked := false; i < p.Count() && !(looked && looking.over()); i++ {
		pass := passing == filter.All
		if passing == filter.Some {
			before := sel.matcher.Work()
			pass = sel.matcher.Match(p, i)
			looking.spend(len(p.Entry(i)) + sel.matcher.Work() - before)
			looked = true
		}
		switch {
		case !pass:
		case entry == nil:
			text = append(text, p.Entry(i)...)
		default:
			text = entry(text, ids, p.First+uint64(i), p.Entry(i))
		}
		ends = append(ends, uint32(len(text)))
	}
	return text, ends
}
