package filter

import (
	"strings"
	"testing"

	"logwisp/ring"
)

// An object in an object in an object is read again for each: what that costs is
// bounded, and told.
func TestAPathThroughALargeEntryCostsNoMoreThanItMay(t *testing.T) {
	const depth = 60
	fields := strings.Repeat(`{"a":`, depth) + `"x` + strings.Repeat("y", 1<<20) + `"` + strings.Repeat("}", depth)
	r := ring.New(ring.Options{Entries: 8, Bytes: 16 << 20})
	b := r.NewBuilder()
	text := append(b.Text(), `{"time":"2026-01-02T03:04:05.000000Z","source":"s","message":"m","fields":`+fields+"}\n"...)
	b.Add(text, r.Source("s"), ring.LevelUnknown)
	c := r.Live()
	b.Publish()
	page, _, _ := c.Page()
	f, err := Compile(Spec{Field: []string{"a" + strings.Repeat(".a", depth-1) + "=x"}}, r.SourceName)
	if err != nil {
		t.Fatal(err)
	}
	m := f.NewMatcher()
	if m.Match(&page, 0) {
		t.Error("it matches")
	}
	if w := m.Work(); w < 2<<20 || w > MaxWork {
		t.Errorf("it has cost %d bytes, want several times its length and %d at most", w, MaxWork)
	}
}
