package entry

import (
	"sync/atomic"

	"logwisp/ring"
)

// Counts are what became of drafts.
type Counts struct {
	Lines       uint64 // entries
	Cut         uint64 // of them, those whose line was cut
	ParseErrors uint64 // of them, those that begin like JSON and are not
	Filtered    uint64 // kept out
	Levels      [ring.LevelFatal + 1]uint64
}

// Totals sum up Counts. Any goroutine may add and read.
type Totals struct {
	lines, cut, parseErrors, filtered atomic.Uint64
	levels                            [ring.LevelFatal + 1]atomic.Uint64
}

// Add adds what was counted.
func (t *Totals) Add(n *Counts) {
	t.lines.Add(n.Lines)
	t.cut.Add(n.Cut)
	t.parseErrors.Add(n.ParseErrors)
	t.filtered.Add(n.Filtered)
	for level, lines := range n.Levels {
		if lines > 0 {
			t.levels[level].Add(lines)
		}
	}
}

// Lines returns the sum of Counts.Lines.
func (t *Totals) Lines() uint64 { return t.lines.Load() }

// Load returns the sums.
func (t *Totals) Load() Counts {
	n := Counts{Lines: t.lines.Load(), Cut: t.cut.Load(), ParseErrors: t.parseErrors.Load(), Filtered: t.filtered.Load()}
	for level := range t.levels {
		n.Levels[level] = t.levels[level].Load()
	}
	return n
}
