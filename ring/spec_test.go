package ring_test

import (
	"bytes"
	"fmt"

	"logwisp/ring"
)

// failer is what testing and rapid have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// spec says what one goroutine must see of a ring: the pages held are a slice,
// cut at the front. Each operation does the same to the ring and compares.
type spec struct {
	t       failer
	r       *ring.Ring
	b       *ring.Builder
	pages   []specPage
	next    uint64 // seq of the next entry
	slots   int
	budget  int
	block   int // the length of the blocks that pages are cut from
	left    int // of the one that the next page is cut from
	in      *ring.Reader
	readers []*specReader
}

type specPage struct {
	first uint64
	cost  int
	lines [][]byte
}

type specReader struct {
	c    ring.Cursor
	next uint64
}

func newSpec(t failer, entries int, bytes int64, first uint64, again bool) *spec {
	s := &spec{
		t: t, r: ring.New(ring.Options{Entries: entries, Bytes: bytes, First: first, Recycle: again}),
		next: max(first, 1), slots: 2, budget: int(max(bytes, 1)), block: ring.MaxPage,
	}
	if again {
		s.block = ring.BlockBytes
	}
	s.left, s.in = s.block, s.r.NewReader()
	for s.slots < entries {
		s.slots *= 2
	}
	s.b = s.r.NewBuilder()
	return s
}

func (s *spec) oldest() uint64 {
	if len(s.pages) == 0 {
		return s.next
	}
	return s.pages[0].first
}

func (s *spec) held() (bytes int) {
	for _, p := range s.pages {
		bytes += p.cost
	}
	return bytes
}

// line is the text of entry seq, n bytes and a newline.
func line(seq uint64, n int) []byte {
	l := fmt.Appendf(nil, "%d:", seq)
	return append(append(l, bytes.Repeat([]byte{byte('a' + seq%26)}, n)...), '\n')
}

// publish appends a page with a line of each size. No size publishes nothing.
func (s *spec) publish(sizes []int) {
	s.t.Helper()
	p := specPage{first: s.next}
	need, longest := 0, 0
	for i, n := range sizes {
		l := line(s.next+uint64(i), n)
		s.b.Add(append(s.b.Text(), l...), uint16(s.next+uint64(i)), ring.Level(i%7))
		p.lines = append(p.lines, l)
		need += len(l) + ring.EntryMeta
		longest = max(longest, len(l)+ring.EntryMeta)
	}
	grown := cap(s.b.Text())
	s.b.Publish()
	if len(sizes) == 0 {
		return
	}
	p.cost = ring.PageHeader + s.cost(need, longest, grown)
	s.pages, s.next = append(s.pages, p), s.next+uint64(len(sizes))
	for len(s.pages) > s.slots || (len(s.pages) > 1 && s.held() > s.budget) {
		s.pages = s.pages[1:]
	}
}

// cost returns what a page is charged beside its header that needs so much and whose
// text has the capacity grown, if it has outgrown its block.
func (s *spec) cost(need, longest, grown int) int {
	cost := (need + ring.Alignment - 1) / ring.Alignment * ring.Alignment
	switch {
	case need <= min(s.left, ring.MaxPage):
		if s.left -= cost; s.left > ring.BlockSpare && s.left >= longest {
			return cost
		}
		cost += s.left // nobody else gets it
		s.left = s.block
		return cost
	case need <= grown && 3*need >= 2*grown:
		cost = grown
	default:
		cost = need
	}
	if s.left < ring.MaxPage {
		cost += s.left
		s.left = s.block
	}
	return cost
}

func (s *spec) live() {
	s.readers = append(s.readers, &specReader{c: s.r.Live(), next: s.next})
}

func (s *spec) seek(seq uint64) {
	s.t.Helper()
	c, lost := s.r.Seek(seq)
	want := min(max(seq, s.oldest()), s.next)
	if c.Seq() != want || lost != max(want, seq)-seq {
		s.t.Fatalf("Seek(%d) is at %d with %d lost, want %d with %d", seq, c.Seq(), lost, want, max(want, seq)-seq)
	}
	s.readers = append(s.readers, &specReader{c: c, next: want})
}

// read asks for the page of a reader and takes up to n of its entries.
func (s *spec) read(i, n int) {
	s.t.Helper()
	rd := s.readers[i]
	s.in.Enter()
	defer s.in.Exit()
	var lost uint64
	if rd.next < s.oldest() {
		middle := s.pages[(len(s.pages)-1)/2].first
		lost, rd.next = middle-rd.next, middle
	}
	p, gotLost, ok := rd.c.Page()
	if ok != (rd.next < s.next) || gotLost != lost || rd.c.Seq() != rd.next {
		s.t.Fatalf("reader %d: page %v, %d lost, at %d; want %v, %d, %d", i, ok, gotLost, rd.c.Seq(), rd.next < s.next, lost, rd.next)
	}
	if !ok {
		return
	}
	k := len(s.pages) - 1
	for s.pages[k].first > rd.next {
		k--
	}
	want := s.pages[k]
	if p.First != want.first || p.Count() != len(want.lines) || !bytes.Equal(p.Text, bytes.Join(want.lines, nil)) {
		s.t.Fatalf("reader %d: page of %d entries from %d, want %d from %d", i, p.Count(), p.First, len(want.lines), want.first)
	}
	for range min(n, len(want.lines)-int(rd.next-want.first)) {
		k := int(rd.next - want.first)
		if !bytes.Equal(p.Entry(k), want.lines[k]) || p.Source(k) != uint16(rd.next) || p.Level(k) != ring.Level(k%7) {
			s.t.Fatalf("entry %d is %q, source %d, level %d", rd.next, p.Entry(k), p.Source(k), p.Level(k))
		}
		rd.next++
	}
	rd.c.Advance(rd.next)
}

// check compares what can be asked without changing anything.
func (s *spec) check() {
	s.t.Helper()
	want := ring.Stats{
		Entries: s.next - s.oldest(), Bytes: uint64(s.held()), Oldest: s.oldest(), Head: s.next - 1,
		CapacityEntries: s.slots, CapacityBytes: uint64(s.budget),
	}
	if got := s.r.Stats(); got != want {
		s.t.Fatalf("Stats %+v, want %+v", got, want)
	}
	if pages, bytes := ring.Unreleased(s.r); pages != len(s.pages) || int(bytes) != s.held() {
		s.t.Fatalf("%d pages and %d bytes are alive, want %d and %d", pages, bytes, len(s.pages), s.held())
	}
	for i, rd := range s.readers {
		if b := rd.c.Behind(); b != s.next-rd.next {
			s.t.Fatalf("reader %d is %d behind, want %d", i, b, s.next-rd.next)
		}
	}
}
