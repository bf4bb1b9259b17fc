package filter

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"

	"logwisp/ring"
)

// Filter is a compiled Spec: immutable and safe for concurrent use. What it
// needs to match with is in a Matcher.
type Filter struct {
	levels     uint32 // bits of the levels that pass
	source     []glob
	notSource  []glob
	sourceName func(uint16) string

	texts  []texts
	fields []*condition
	reach  reach

	key, query string
}

// reach is how many bytes of an entry's texts are looked at.
type reach struct{ needles, re int }

// texts are values that are looked for in the same places. An entry passes if
// one of them, or with not set if none of them, is found.
type texts struct {
	not     bool
	needles []*needle
	re      []*expression

	clues []*needle // one of them is wherever one of the texts is
	blind bool      // some text gives no clue
	first int       // place of the first clue among all of the filter's
}

// Compile checks a Spec, which it does not keep, and compiles it. Errors are
// *Error.
//
// sourceName is that of the ring whose pages will be matched: it returns the
// name of an id, "" for an id that is not in use. Ids in use are dense from 1. An
// id may get another name, but must keep its name while a page with an entry of
// it may be matched. Without sourceName the source is read in each entry's text.
func Compile(s Spec, sourceName func(uint16) string) (*Filter, error) {
	if s.count() > MaxValues {
		for _, name := range slices.Backward(names) {
			if v := s.values(name); len(v) > 0 {
				return nil, tooMany(name, v[len(v)-1])
			}
		}
	}
	for _, name := range names {
		for _, value := range s.values(name) {
			if err := check(name, value); err != nil {
				return nil, err
			}
		}
	}
	f := &Filter{levels: levelsOf(&s), sourceName: sourceName}
	for _, g := range s.values("source") {
		f.source = append(f.source, newGlob(g))
	}
	for _, g := range s.values("not_source") {
		f.notSource = append(f.notSource, newGlob(g))
	}
	if err := f.compileTexts(&s); err != nil {
		return nil, err
	}
	f.key, f.query = f.keyOf(&s), queryOf(&s)
	return f, nil
}

// levelsOf returns the bits of the levels that pass a checked Spec.
func levelsOf(s *Spec) uint32 {
	levels := uint32(allLevels)
	if s.Level != "" {
		levels &= math.MaxUint32 << levelNamed(s.Level)
	}
	if lists := s.values("levels"); len(lists) > 0 {
		listed := uint32(0)
		for _, list := range lists {
			set, _ := levelSet(list)
			listed |= set
		}
		levels &= listed
	}
	return levels
}

// compileTexts compiles what has to be looked up in an entry's text.
func (f *Filter) compileTexts(s *Spec) error {
	p, needles := &patterns{}, 0
	for _, group := range []struct {
		not              bool
		text, expression []string
		name             string
	}{
		{text: s.values("q")},
		{expression: s.values("re"), name: "re"},
		{true, s.values("not"), s.values("not_re"), "not_re"},
	} {
		t := texts{not: group.not, first: f.clues()}
		for _, value := range group.text {
			n := newNeedle(value)
			t.needles, t.clues = append(t.needles, n), append(t.clues, n)
		}
		for _, value := range group.expression {
			re, err := p.compile(group.name, value, value)
			if err != nil {
				return err
			}
			t.re = append(t.re, re)
			if re.clue == "" {
				t.blind = true
			} else {
				t.clues = append(t.clues, newNeedle(re.clue))
			}
		}
		needles += len(t.needles)
		if len(t.needles)+len(t.re) > 0 {
			f.texts = append(f.texts, t)
		}
	}
	for _, value := range s.values("field") {
		c, err := newCondition(value, p)
		if err != nil {
			return err
		}
		f.fields = append(f.fields, c)
	}
	f.reach = reach{needles: MaxWork / max(needles, 1), re: MaxWork / max(p.instructions, 1)}
	return nil
}

// clues returns the number of clues in all texts.
func (f *Filter) clues() int {
	n := 0
	for _, t := range f.texts {
		n += len(t.clues)
	}
	return n
}

// Key returns a text that is the same for equal filters, whatever the order,
// repetition and, where it does not count, case of their values. It is empty
// for the filter that lets everything pass. Filters that pass the same entries
// for other reasons may differ.
func (f *Filter) Key() string { return f.key }

// String returns the filter as the query that it could have been written as,
// with as few escapes as that takes.
func (f *Filter) String() string { return f.query }

func (f *Filter) keyOf(s *Spec) string {
	var parts []string
	if f.levels != allLevels {
		parts = append(parts, fmt.Sprintf("levels=%x", f.levels))
	}
	for _, name := range names[2:] { // what follows level and levels
		var values []string
		for _, v := range s.values(name) {
			if name == "q" || name == "not" {
				v = string(newNeedle(v).text)
			}
			values = append(values, name+"="+url.QueryEscape(v))
		}
		slices.Sort(values)
		parts = append(parts, slices.Compact(values)...)
	}
	return strings.Join(parts, "&")
}

func queryOf(s *Spec) string {
	var parts []string
	for _, name := range names {
		for _, value := range s.values(name) {
			parts = append(parts, name+"="+escapeQuery(value))
		}
	}
	return strings.Join(parts, "&")
}

// escapeQuery escapes what would not survive in a query or on a screen.
func escapeQuery(value string) string {
	var b strings.Builder
	for _, c := range []byte(value) {
		switch {
		case c == ' ':
			b.WriteByte('+')
		case c < ' ' || c >= 0x7f || strings.IndexByte(`%&+#;"`, c) >= 0:
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Verdict is what can be said about a page without looking at its entries.
type Verdict uint8

// The verdicts.
const (
	Some Verdict = iota // each entry has to be matched
	None                // no entry passes
	All                 // every entry passes
)

// String returns the verdict's name.
func (v Verdict) String() string {
	switch v {
	case None:
		return "none"
	case All:
		return "all"
	}
	return "some"
}

// passesLevel reports whether entries of a level may pass.
func (f *Filter) passesLevel(l ring.Level) bool { return f.levels>>l&1 != 0 }
