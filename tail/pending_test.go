package tail

import (
	"testing"
)

// What is pending: a fragment, an entry of several lines under construction, a
// container's line without its end.

func multiline(flush int) Multiline { return Multiline{Preset: "indent", Flush: flush} }

func TestAnEntrySentAtTheEndOfARunIsNotSentByTheNext(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		o := options(h.watch)
		o.Targets = []Target{{Path: h.path("."), Pattern: "*.log", Multiline: multiline(3_600_000)}}
		h.opens()
		h.startWith(o, settings{})
		h.put("a.log", "zero\none\n more\nhalf")
		h.fileAt("a.log", func(f *file) bool { return f.group.lines == 2 && f.split.pending() })
		h.stop()
		h.opens()
		o.Targets[0].Multiline = multiline(20)
		h.startWith(o, settings{})
		h.put("a.log", " of a line\n")
		h.wants([]string{"zero", "one\n more", "half of a line"})
	})
}

func TestAFragmentAmongSeveralLinesIsMarked(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{PartialFlush: 20}, Target{Path: ".", Pattern: "*.log", Multiline: multiline(20)})
		h.put("a.log", "one\n half")
		h.sees("one\n half")
		if h.got[0].Fields["_partial"] != true {
			t.Errorf("fields %v, want _partial", h.got[0].Fields)
		}
	})
}
