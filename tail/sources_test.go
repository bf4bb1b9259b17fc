package tail

import (
	"testing"
	"time"
)

// askedWhile answers Sources as Run does.
func (h *harness) askedWhile() (all []Source) {
	h.t.Helper()
	answered := make(chan []Source, 1)
	go func() { answered <- h.w.Sources() }()
	h.until("the answer", func() bool {
		select {
		case all = <-answered:
			return true
		default:
			return false
		}
	})
	return all
}

func TestSourcesTellEachFile(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:*.log")
		h.append("b.log", "x\n")
		h.append("a.log", "one\ntwo\nhalf")
		h.sees("two")
		h.sees("x")
		h.rename("b.log", "b.old")
		h.append("b.log", "")
		h.truncate("a.log")
		h.append("a.log", "three\n")
		h.sees("three")
		h.until("the rotation is over", func() bool { return h.w.Stats().Rotations == 1 && len(h.w.timed) == 0 })
		all := h.askedWhile()
		if len(all) != 2 {
			t.Fatalf("sources %+v", all)
		}
		a, b := all[0], all[1]
		if at, err := time.Parse(time.RFC3339Nano, a.LastTime); err != nil || time.Since(at) > time.Hour {
			t.Errorf("last time %q: %v", a.LastTime, err)
		}
		a.LastTime, a.last = "", 0
		if want := (Source{Source: "a.log", Path: h.path("a.log"), Size: 6, Offset: 6, Rotations: 1, Entries: 4}); a != want {
			t.Errorf("%+v, want %+v", a, want)
		}
		if want := (Source{Source: "b.log", Path: h.path("b.log"), Rotations: 1}); b != want {
			t.Errorf("%+v, want %+v", b, want)
		}
	})
}

func TestSourcesTellWhatIsUnreadBeforeRunAndAreThereAfterIt(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.append("app.log", "old\nhalf")
	h.restart("app.log")
	h.stop()
	h.append("app.log", " whole\n")
	h.restart("app.log")
	if s := h.w.Stats(); s.LagBytes != 11 {
		t.Errorf("%d bytes behind, want 11", s.LagBytes)
	}
	stop := running(t, h.w)
	h.w.Sources()
	stop()
	if all := h.w.Sources(); len(all) != 1 || all[0].Entries != 1 || all[0].Offset != 15 || all[0].LagBytes != 0 {
		t.Errorf("sources %+v", all)
	}
	if all := h.w.Sources(); len(all) != 1 || all[0].LastTime == "" {
		t.Errorf("asked again: %+v", all)
	}
}

func TestRefusedFileIsNotBehind(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:app*")
		h.append("app.log.1.gz", "\x1f\x8b\x08 packed\n")
		h.append("app.log", "x\n")
		h.sees("x")
		h.until("nothing is behind", func() bool { return h.w.Stats().LagBytes == 0 })
		if all := h.askedWhile(); len(all) != 1 {
			t.Errorf("sources %+v", all)
		}
	})
}
