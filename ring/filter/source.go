package filter

import (
	"math/bits"
	"path"
	"sort"
	"strings"
	"unsafe"

	"logwisp/ring"
)

// glob is one value of source or not_source.
type glob struct {
	pattern string
	whole   bool // has a slash: it is about the whole name
}

func newGlob(pattern string) glob {
	return glob{pattern, strings.Contains(pattern, "/")}
}

func (g glob) matches(name string) bool {
	if !g.whole {
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	ok, _ := path.Match(g.pattern, name) // Compile has refused bad ones
	return ok
}

// admits reports whether entries of a source of that name may pass.
func (f *Filter) admits(name string) bool {
	pass := len(f.source) == 0
	for _, g := range f.source {
		pass = pass || g.matches(name)
	}
	for _, g := range f.notSource {
		pass = pass && !g.matches(name)
	}
	return pass
}

// sources remembers what was decided about source ids. A decision holds for the
// name that it was made for: it is used again only if the id still has that
// name, which is asked once per page. The number of decisions is fixed, however
// many sources there are; ids that share a place displace each other.
type sources struct {
	top   int // the greatest id known to be in use
	slots [256]struct {
		page uint64 // index of the page for which the name was compared last
		name string
		id   uint16 // 0 = unused
		pass bool
	}
}

// maxChecks is how many names page compares at most. Beyond, looking at the
// entries' ids one by one is as cheap.
const maxChecks = 32

// page decides from the bitmap of a page's sources. A bit stands for every id
// of its residue: if those do not all agree, the answer is Some.
func (s *sources) page(f *Filter, p *ring.Page) Verdict {
	if f.sourceName == nil {
		return Some
	}
	s.grow(f)
	pass, fail, checks := false, false, 0
	for left := p.Sources; left != 0; left &= left - 1 {
		first := bits.TrailingZeros64(left)
		if first > s.top {
			return Some
		}
		for id := first; id <= s.top; id += 64 {
			if checks++; checks > maxChecks {
				return Some
			}
			admitted, named := s.decide(f, uint16(id), p.Index) // id 0 has no name
			pass, fail = pass || admitted, fail || !admitted
			if pass && fail || !named {
				return Some
			}
		}
	}
	if fail {
		return None
	}
	return All
}

// grow finds the greatest id in use: ids are dense.
func (s *sources) grow(f *Filter) {
	free := func(id int) bool { return id > 0xFFFF || f.sourceName(uint16(id)) == "" }
	step := 1
	for !free(s.top + step) {
		s.top += step
		step *= 2
	}
	s.top += sort.Search(step-1, func(i int) bool { return free(s.top + 1 + i) })
}

// match decides for one entry.
func (s *sources) match(f *Filter, p *ring.Page, i int) bool {
	if id := p.Source(i); id != 0 && f.sourceName != nil {
		if slot := &s.slots[id%uint16(len(s.slots))]; slot.id == id && slot.page == p.Index {
			return slot.pass
		}
		if pass, named := s.decide(f, id, p.Index); named {
			return pass
		}
	}
	raw := sourceOf(p.Entry(i))
	var scratch []byte // such names are rare enough, and escapes in them more so
	name := decoded(raw, &scratch)
	return f.admits(unsafe.String(unsafe.SliceData(name), len(name))) // only read, and only during the call
}

// decide decides for one id; named is false for one without a name.
func (s *sources) decide(f *Filter, id uint16, page uint64) (pass, named bool) {
	name := f.sourceName(id)
	if name == "" {
		return false, false
	}
	slot := &s.slots[id%uint16(len(s.slots))]
	if slot.id != id || slot.name != name {
		slot.id, slot.name, slot.pass = id, name, f.admits(name)
	}
	slot.page = page
	return slot.pass, true
}
