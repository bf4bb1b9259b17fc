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
		h.fileAt("a.log", func(f *file) bool { return f.group.lines == 2 && f.split.Pending() })
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

func TestAFileThatMovesToATargetWithoutMultilineSendsWhatIsPending(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.put("m/a.log", "")
		h.put("s/b.log", "")
		o := options(h.watch)
		o.Targets = []Target{
			{Path: h.path("m"), Pattern: "*.log", Multiline: multiline(100)},
			{Path: h.path("s"), Pattern: "*.log"},
		}
		h.startWith(o, settings{})
		h.put("m/a.log", "one\n more\n")
		h.fileAt("m/a.log", func(f *file) bool { return f.group.lines == 2 })
		h.rename("m/a.log", "s/a.log")
		h.until("the other name", func() bool { return h.w.names[h.path("s/a.log")] != nil && h.w.names[h.path("m/a.log")] == nil })
		h.put("s/a.log", "two\n three\n")
		h.wants([]string{"one\n more", "two", " three"})
	})
}

func TestAContainersFileThatMovesToAnotherTargetTakesItsSettings(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.put("x/b.log", "")
		h.put("y/b.log", "")
		h.put("z/b.log", "")
		o := options(h.watch)
		o.Targets = []Target{
			{Path: h.path("x"), Pattern: "*.log", Tags: map[string]string{"of": "x"}},
			{Path: h.path("y"), Pattern: "*.log", Tags: map[string]string{"of": "y"}},
			{Path: h.path("z"), Pattern: "*.log", Format: "text"},
		}
		h.startWith(o, settings{})
		h.put("x/a.log", "2026-01-02T03:04:05Z stdout F one\n")
		h.sees("one")
		h.rename("x/a.log", "y/a.log")
		h.put("y/a.log", "2026-01-02T03:04:05Z stdout F two\n")
		h.sees("two")
		// What came may have been read under the name before.
		h.until("the other name", func() bool { return h.w.names[h.path("x/a.log")] == nil })
		h.put("y/a.log", "2026-01-02T03:04:05Z stdout F three\n")
		h.sees("three")
		if of := h.got[len(h.got)-1].Fields["of"]; of != "y" {
			t.Errorf("of is %v, want y", of)
		}
		h.rename("y/a.log", "z/a.log")
		h.until("the third name", func() bool {
			return h.w.names[h.path("y/a.log")] == nil && h.w.names[h.path("z/a.log")] != nil
		})
		h.put("z/a.log", "2026-01-02T03:04:05Z stdout F four\n")
		h.sees("2026-01-02T03:04:05Z stdout F four")
	})
}

func TestWhatIsPendingOfAFileWithoutADescriptorIsSentWhenItIsDeleted(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "*.log", Multiline: multiline(3_600_000)})
		h.put("a.log", "one\n more\nhalf")
		f := h.fileAt("a.log", func(f *file) bool { return f.group.lines == 2 && f.split.Pending() && f.atEnd && !f.queued })
		h.w.release(f) // as park does
		h.remove("a.log")
		h.wants([]string{"one\n more", "half"})
	})
}

func TestWhatIsPendingOfAFileWithoutADescriptorIsSentAtTheEnd(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "*.log", Multiline: multiline(3_600_000)})
		h.put("a.log", "one\n more\n")
		f := h.fileAt("a.log", func(f *file) bool { return f.group.lines == 2 && f.atEnd && !f.queued })
		h.w.release(f)
		h.w.lastLook()
		h.collect()
		if !h.has("one\n more") {
			t.Errorf("got %q", h.messages())
		}
	})
}
