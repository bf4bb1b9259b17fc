package filter

import (
	"math"
	"unicode/utf8"

	"logwisp/ring"
)

// Matcher matches the pages of one ring with one Filter. It has what is
// remembered from entry to entry, so one goroutine at a time uses it; it is
// quickest when a page's entries are matched in order. It keeps about 100 KiB at
// most and refers to no page.
type Matcher struct {
	f       *Filter
	sources *sources // nil: the filter does not ask for the source

	page    uint64 // index of the page that the cursors are about
	escape  cursor // the next backslash
	cursors []cursor

	message, value []byte // decoded texts
	work           int    // see Work
}

// NewMatcher returns a Matcher for f.
func (f *Filter) NewMatcher() *Matcher {
	m := &Matcher{f: f, cursors: make([]cursor, f.clues())}
	if len(f.source)+len(f.notSource) > 0 {
		m.sources = new(sources)
	}
	return m
}

// Page says from a page's bitmaps what can be said: of levels exactly, of
// sources when all ids that a bit may stand for agree.
func (m *Matcher) Page(p *ring.Page) Verdict {
	f, v := m.f, All
	if p.Levels&f.levels == 0 {
		return None
	}
	if p.Levels&^f.levels != 0 {
		v = Some
	}
	if m.sources != nil {
		if s := m.sources.page(f, p); s != All {
			v = s
		}
	}
	if v == All && len(f.texts)+len(f.fields) > 0 {
		return Some
	}
	return v
}

// Match reports whether entry i of a page passes, 0 <= i < p.Count(). It does
// not allocate, except to grow a buffer where there are escapes.
func (m *Matcher) Match(p *ring.Page, i int) bool {
	if !m.f.passesLevel(p.Level(i)) {
		return false
	}
	if m.sources != nil && !m.sources.match(m.f, p, i) {
		return false
	}
	if len(m.f.texts)+len(m.f.fields) == 0 {
		return true
	}
	pass := m.matchText(p, i)
	m.releaseLarge()
	return pass
}

// workPerByte is how many instructions on a byte, 20 ns at the most for each,
// count as much as a byte that is only looked at.
const workPerByte = 8

// Work returns how many bytes have been searched so far, one that an RE2 looks
// at counted once for every 8 of its instructions. One Match adds no more than
// MaxWork/8 for its RE2s, MaxWork for texts, and the entry's length for each field or, of
// one that is an inner one, MaxWork.
func (m *Matcher) Work() int { return m.work / workPerByte }

// matchText is Match for what is in the text.
func (m *Matcher) matchText(p *ring.Page, i int) bool {
	start, end := 0, p.End(i)
	if i > 0 {
		start = p.End(i - 1)
	}
	undecided := m.f.texts
	// Most needles are rare: leave before the entry is taken apart.
	for len(undecided) > 0 && m.absent(p, &undecided[0], start, end) {
		if !undecided[0].not {
			return false
		}
		undecided = undecided[1:]
	}
	if len(undecided)+len(m.f.fields) == 0 {
		return true
	}
	e := split(p.Text[start:end])
	if len(m.f.fields) > 0 && !m.anyField(&e) {
		return false
	}
	if len(undecided) == 0 {
		return true
	}
	message := decoded(e.message, &m.message)
	for j := range undecided {
		if t := &undecided[j]; m.found(t, message, e.fields) == t.not {
			return false
		}
	}
	return true
}

func (m *Matcher) anyField(e *entry) bool {
	for _, c := range m.f.fields {
		if c.holds(e, m) {
			return true
		}
	}
	return false
}

// found reports whether one of the texts is in the message or in a value.
func (m *Matcher) found(t *texts, message, fields []byte) bool {
	left := m.f.reach
	if m.matches(t, message, &left) {
		return true
	}
	values := leaves{fields}
	for value, ok := values.next(); ok; value, ok = values.next() {
		if m.matches(t, textOf(value, &m.value), &left) {
			return true
		}
	}
	return false
}

// matches reports whether one of the texts is in text, of which no more is
// looked at than there is left.
func (m *Matcher) matches(t *texts, text []byte, left *reach) bool {
	seen := spend(&left.needles, text)
	m.work += len(seen) * len(t.needles) * workPerByte
	for _, n := range t.needles {
		if n.matches(seen) {
			return true
		}
	}
	if left.re == 0 {
		return false
	}
	seen = spend(&left.re, text)
	for _, re := range t.re {
		if m.search(re, seen) {
			return true
		}
	}
	return false
}

func (m *Matcher) search(re *expression, text []byte) bool {
	m.work += len(text) * re.instructions
	return re.Match(text)
}

// spend returns what may be looked at of text, and takes it from what is left.
func spend(left *int, text []byte) []byte {
	seen := beginning(text, *left)
	if *left -= len(seen); len(seen) < len(text) {
		*left = 0
	}
	return seen
}

// beginning returns the whole runes in the first n bytes of text.
func beginning(text []byte, n int) []byte {
	if n >= len(text) {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// absent reports whether none of the texts can be in the entry at
// p.Text[start:end]: no clue to any of them is in its encoded form, and that
// has no escapes in which one could hide. Where it would take long to tell it
// says no.
func (m *Matcher) absent(p *ring.Page, t *texts, start, end int) bool {
	if t.blind || (end-start)*len(t.clues) > MaxWork {
		return false
	}
	if m.page != p.Index {
		m.page = p.Index
		m.escape.forget()
		for j := range m.cursors {
			m.cursors[j].forget()
		}
	}
	for j, n := range t.clues {
		if m.cursors[t.first+j].endsIn(p.Text, n, start, end) {
			return false
		}
	}
	return !m.escape.endsIn(p.Text, backslash, start, end)
}

var backslash = newNeedle(`\`)

// cursor knows where a needle ends first in a window of a page's text. So
// entries that lack a needle are found without a search for each.
type cursor struct {
	from, until int // the window
	end         int // where the needle ends first in it, math.MaxInt for nowhere
}

// window is how many bytes are searched at once. It is bounded because a search
// may look at all of them for a needle that is near.
const window = 2 << 10

func (c *cursor) forget() { c.from = math.MaxInt }

// endsIn reports whether the needle is in text[start:end], which is one entry.
// As no entry ends in the middle of a rune or of a line, needles do not reach
// from one into the next, except one with a line break: then the answer may be a
// wrong yes.
func (c *cursor) endsIn(text []byte, n *needle, start, end int) bool {
	if start < c.from || end > c.until || c.end <= end && start != c.from {
		c.from, c.until, c.end = start, min(max(end, start+window), len(text)), math.MaxInt
		if i := n.end(text[start:c.until]); i >= 0 {
			c.end = start + i
		}
	}
	return c.end <= end
}

// releaseLarge drops buffers that a very long entry has left behind.
func (m *Matcher) releaseLarge() {
	const large = 32 << 10
	if cap(m.message) > large {
		m.message = nil
	}
	if cap(m.value) > large {
		m.value = nil
	}
}
