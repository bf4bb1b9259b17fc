package filter_test

import (
	"strings"
	"testing"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// instructions of re=x+y: MaxWork / 5 bytes are looked at.
const reach = filter.MaxWork / 5

// TestRE2sLookAtTheBeginningOfALongEntry puts what is looked for right before
// the limit and right behind it.
func TestRE2sLookAtTheBeginningOfALongEntry(t *testing.T) {
	long := func(n int) string { return strings.Repeat("-", n) }
	for _, c := range []verdict{
		{"re=x%2By", text(long(reach-2) + "xy"), true},
		{"re=x%2By", text(long(reach-1) + "xy"), false},
		{"not_re=x%2By", text(long(reach-2) + "xy"), false},
		{"not_re=x%2By", text(long(reach-1) + "xy"), true},
		{"re=x%2By", fields(`{"a":"` + long(reach-3) + `","b":"xy"}`), true}, // behind the message m
		{"re=x%2By", fields(`{"a":"` + long(reach-2) + `","b":"xy"}`), false},
		{"field=b~x%2By", fields(`{"a":"` + long(reach) + `","b":"xy"}`), true},
		{"field=a~x%2By", fields(`{"a":"` + long(reach-2) + `xy"}`), true},
		{"field=a~x%2By", fields(`{"a":"` + long(reach-1) + `xy"}`), false},
		{"q=xy", text(long(reach) + "xy"), true},
		{"q=xy&q=1&q=2&q=3", text(long(filter.MaxWork/4-2) + "xy"), true},
		{"q=xy&q=1&q=2&q=3", text(long(filter.MaxWork/4-1) + "xy"), false},
		{"q=xy&q=1&q=2&not=3", text(long(filter.MaxWork/4-1) + "xy"), false},
		{"q=xy&re=-x?", text(long(reach*2) + "xy"), true},
		{"re=^$", fields(`{"a":"` + long(filter.MaxWork) + `","b":"x"}`), false}, // of b nothing is looked at
		{"re=[^-m]", text(long(filter.MaxWork/3-1) + "ä"), false},                // cut before the rune
	} {
		if got := passes(t, spec(t, c.query), c.entry); got != c.want {
			t.Errorf("%s says %v of %d bytes", c.query, got, len(c.entry.Message)+len(c.entry.Fields))
		}
	}
}

// TestWorkCountsWhatRE2sLookAt: a filter's share of a pass is spent in it.
func TestWorkCountsWhatRE2sLookAt(t *testing.T) {
	r := newRing()
	p := publish(t, r, text(strings.Repeat("-", 8000)), record.Entry{
		Source: source, Level: ring.LevelInfo, Message: []byte("x"), Fields: []byte(`{"a":"` + strings.Repeat("-", 1000) + `"}`),
	})
	for _, c := range []struct {
		query       string
		least, most int // of both entries
	}{
		{"re=[x-y]%2By|z", 8000 * 5 / 8, 9100 * 9 / 8},
		{"re=(?:.?){400}[yz]", filter.MaxWork * 9 / 80, filter.MaxWork / 4},
		{"field=a~[x-y]%2By", 1000, 3000},
		{"q=absent", 0, 0},
	} {
		m := compile(t, spec(t, c.query), r.SourceName).NewMatcher()
		for i := range p.Count() {
			m.Match(p, i)
		}
		if got := m.Work(); got < c.least || got > c.most {
			t.Errorf("%s: %d bytes' worth of work, want %d to %d", c.query, got, c.least, c.most)
		}
	}
}
