package tail

import (
	"context"
	"testing"
	"time"

	"logwisp/ring"
)

func TestRotationsAreCountedByWhatBecameOfTheFile(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:app.log")
		h.append("app.log", "a\n")
		h.sees("a")
		h.rename("app.log", "app.log.1")
		h.append("app.log", "b\n")
		h.sees("b")
		h.remove("app.log")
		h.append("app.log", "c\n")
		h.sees("c")
		h.remove("app.log")
		h.append("app.log", "d\n")
		h.sees("d")
		if s := h.w.Stats(); s.Renames != 1 || s.Recreations != 2 || s.Rotations != 3 || s.Truncations != 0 {
			t.Errorf("%d renamed, %d recreated, %d rotations, %d truncations, want 1, 2, 3 and 0", s.Renames, s.Recreations, s.Rotations, s.Truncations)
		}
	})
}

func TestEntriesAreCountedByLevel(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start("app.log")
		h.append("app.log", "plain\nERROR: one\nERROR: two\n{\"level\":\"debug\",\"msg\":\"last\"}\n")
		h.sees("last")
		s := h.w.Stats()
		want := [ring.LevelFatal + 1]uint64{ring.LevelUnknown: 1, ring.LevelDebug: 1, ring.LevelError: 2}
		if s.Levels != want || s.Lines != 4 {
			t.Errorf("counted %v, %d lines, want %v", s.Levels, s.Lines, want)
		}
	})
}

func TestErrorsAreCountedByWhatFailed(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "poll"}
	h.append("app.log", "a\n")
	h.start("app.log")
	if s := h.w.Stats(); len(s.Failures) != 4 || s.Errors != 0 {
		t.Errorf("at the start there are %v, %d errors", s.Failures, s.Errors)
	}
	for _, f := range h.w.files {
		h.w.unreadable(f, context.Canceled)
		h.w.report(f.names[0], context.Canceled, &h.w.stats.failedStats)
	}
	if s := h.w.Stats(); s.Failures["read"] != 1 || s.Failures["stat"] != 1 || s.Failures["open"] != 0 || s.Errors != 2 {
		t.Errorf("after two there are %v, %d errors", s.Failures, s.Errors)
	}
}

func TestAWatcherThatIsNotAwakeWhenItIsDueIsStalled(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "poll"}
	h.start("app.log")
	if d := h.w.Stalled(); d != 0 {
		t.Errorf("stalled for %v before it runs", d)
	}
	h.w.start = time.Now().Add(-time.Hour)
	h.w.stats.due.Store(int64(time.Hour + time.Minute))
	if d := h.w.Stalled(); d != 0 {
		t.Errorf("stalled for %v before it is due", d)
	}
	h.w.stats.due.Store(int64(50 * time.Minute))
	if d := h.w.Stalled(); d < 10*time.Minute {
		t.Errorf("stalled for %v, want ten minutes", d)
	}
	h.w.start = time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.w.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if d := h.w.Stalled(); d != 0 {
		t.Errorf("stalled for %v after it has ended", d)
	}
}
