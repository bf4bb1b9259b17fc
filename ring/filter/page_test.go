package filter_test

import (
	"fmt"
	"testing"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

func TestThePagesBitmapsSayAllNoneOrSome(t *testing.T) {
	r := newRing()
	for _, name := range []string{"a.log", "b.log", "c.log"} {
		r.Source(name)
	}
	info := publish(t, r, record.Entry{Source: "a.log", Level: ring.LevelInfo})
	mixed := publish(t, r, record.Entry{Source: "a.log", Level: ring.LevelInfo}, record.Entry{Source: "b.log", Level: ring.LevelError})
	bare := publish(t, r, record.Entry{Source: "c.log"})
	for _, c := range []struct {
		query             string
		info, mixed, bare filter.Verdict
	}{
		{"", filter.All, filter.All, filter.All},
		{"level=info", filter.All, filter.All, filter.None},
		{"level=warn", filter.None, filter.Some, filter.None},
		{"level=fatal", filter.None, filter.None, filter.None},
		{"levels=unknown", filter.None, filter.None, filter.All},
		{"source=a*", filter.All, filter.Some, filter.None},
		{"source=[ab]*", filter.All, filter.All, filter.None},
		{"not_source=c*", filter.All, filter.All, filter.None},
		{"source=x", filter.None, filter.None, filter.None},
		{"level=warn&source=a*", filter.None, filter.Some, filter.None},
		{"source=b*&level=error", filter.None, filter.Some, filter.None},
		{"q=x", filter.Some, filter.Some, filter.Some},
		{"q=x&level=warn", filter.None, filter.Some, filter.None},
		{"field=a=b&source=a*", filter.Some, filter.Some, filter.None},
	} {
		m := compile(t, spec(t, c.query), r.SourceName).NewMatcher()
		if info, mixed, bare := m.Page(info), m.Page(mixed), m.Page(bare); info != c.info || mixed != c.mixed || bare != c.bare {
			t.Errorf("%s: %v, %v, %v, want %v, %v, %v", c.query, info, mixed, bare, c.info, c.mixed, c.bare)
		}
	}
}

// name is the source whose id is id in a ring that was filled by fill.
func name(id int) string { return fmt.Sprintf("%05d.log", id) }

func fill(r *ring.Ring, sources int) {
	for id := 1; id <= sources; id++ {
		if got := r.Source(name(id)); int(got) != id {
			panic(fmt.Sprintf("%s has the id %d", name(id), got))
		}
	}
}

func TestAVerdictHoldsForEveryEntryHoweverManySourcesThereAre(t *testing.T) {
	for _, sources := range []int{1, 63, 64, 65, 130, 1000, 5000} {
		r := newRing()
		m := compile(t, filter.Spec{Source: []string{"*[05].log"}}, r.SourceName).NewMatcher()
		none := compile(t, filter.Spec{Source: []string{"app.log"}}, r.SourceName).NewMatcher()
		for from := 1; from <= sources; from += 1 + sources/40 {
			fill(r, min(from+3, sources))
			for id := from; id <= min(from+3, sources); id++ {
				p := publish(t, r, record.Entry{Source: name(id)})
				want := id%5 == 0
				v := m.Page(p)
				if v == filter.All && !want || v == filter.None && want || sources < 64 && v == filter.Some {
					t.Errorf("%d sources: page of %s: %v", sources, name(id), v)
				}
				if m.Match(p, 0) != want {
					t.Errorf("%d sources: %s: not %v", sources, name(id), want)
				}
				if v := none.Page(p); v == filter.All || none.Match(p, 0) || id%64 != 0 && sources < 2000 && v != filter.None {
					t.Errorf("%d sources: %s passes as app.log, page %v", sources, name(id), v)
				}
			}
		}
	}
}

func TestAnIdThatGetsAnotherNameIsDecidedAnew(t *testing.T) {
	r := newRing()
	names := []string{"", "a.log", "b.log"}
	lookup := func(id uint16) string {
		if int(id) < len(names) {
			return names[id]
		}
		return ""
	}
	m := compile(t, filter.Spec{Source: []string{"a*"}}, lookup).NewMatcher()
	both := func(first, second string) *ring.Page {
		names[1], names[2] = first, second
		return publishAs(t, r, []uint16{1, 2}, record.Entry{Source: first}, record.Entry{Source: second})
	}
	p := both("a.log", "b.log")
	if m.Page(p) != filter.Some || !m.Match(p, 0) || m.Match(p, 1) {
		t.Error("wrong for the first names")
	}
	p = both("b.log", "a.log")
	if m.Page(p) != filter.Some || m.Match(p, 0) || !m.Match(p, 1) {
		t.Error("wrong for the names changed over")
	}
	p = both("a.log", "b.log")
	if !m.Match(p, 0) || m.Match(p, 1) {
		t.Error("wrong for the names changed back, without a look at the page")
	}
	p = both("b.log", "c.log")
	if v := m.Page(p); v != filter.None {
		t.Errorf("%v after both names have gone", v)
	}
	p = both("a1.log", "a2.log")
	if v := m.Page(p); v != filter.All {
		t.Errorf("%v after both names have come", v)
	}
}

func TestAnIdWithoutANameIsReadInTheText(t *testing.T) {
	r := newRing()
	p := publishAs(t, r, []uint16{0, 64, 500}, from("a.log"), from("b.log"), from("a.log"))
	m := compile(t, filter.Spec{Source: []string{"a*"}}, r.SourceName).NewMatcher()
	if v := m.Page(p); v != filter.Some {
		t.Errorf("the verdict is %v", v)
	}
	if !m.Match(p, 0) || m.Match(p, 1) || !m.Match(p, 2) {
		t.Error("wrong verdicts")
	}
}

func TestEntriesOfAPageDoNotLeakIntoEachOther(t *testing.T) {
	r := newRing()
	var entries []record.Entry
	for i := range 600 {
		entries = append(entries, text([]string{"plain", "a needle", `"escaped" needle`, "need", "le", `\u006eeedle`, "NEEDLE"}[i%7]))
	}
	first, second := publish(t, r, entries...), publish(t, r, entries[1:]...)
	found := compile(t, filter.Spec{Q: []string{"needle"}}, r.SourceName).NewMatcher()
	missed := compile(t, filter.Spec{Not: []string{"needle", "nothing"}}, r.SourceName).NewMatcher()
	want := func(i int) bool { k := i % 7; return k == 1 || k == 2 || k == 6 }
	for step := 1; step < 8; step++ {
		for i := 0; i < 590; i += step {
			if found.Match(first, i) != want(i) || found.Match(second, i) != want(i+1) {
				t.Fatalf("q, step %d: entry %d", step, i)
			}
			if j := 589 - i; missed.Match(first, i) == want(i) || missed.Match(first, j) == want(j) {
				t.Fatalf("not, step %d: entries %d and %d", step, i, j)
			}
		}
	}
}
