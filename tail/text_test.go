package tail

import (
	"fmt"
	"strings"
	"testing"
)

func TestLineWrittenInPartsComesWhole(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start("app.log")
		h.append("app.log", "whole line\nfirst half ")
		h.sees("whole line")
		h.append("app.log", "second half\n")
		h.wants([]string{"whole line", "first half second half"})
	})
}

func TestFragmentThatStopsGrowingIsSentMarked(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		o := options(h.watch)
		o.PartialFlush = 20
		h.startWith(o, settings{}, "app.log")
		h.append("app.log", "begun")
		h.sees("begun")
		if h.got[0].Fields["_partial"] != true {
			t.Errorf("fields %v, want _partial", h.got[0].Fields)
		}
		h.append("app.log", " and ended\nnext\n")
		h.wants([]string{"begun", " and ended", "next"})
	})
}

func TestAFragmentThatGrewUnseenIsNotSentByTheClock(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start("app.log")
		h.append("app.log", "begun, ")
		f := h.fileAt("app.log", func(f *file) bool { return f.split.Pending() && f.atEnd })
		h.w.options.PartialFlush = 1
		h.append("app.log", "ended\n")
		f.grown -= milliseconds(2)
		h.w.passTime(f, h.w.now())
		h.wants([]string{"begun, ended"})
	})
}

func TestFragmentAtRotationIsNotGluedToTheNewFile(t *testing.T) {
	for _, rotate := range []func(h *harness){
		func(h *harness) { h.rename("frag.log", "frag.log.1") },
		func(h *harness) { h.remove("frag.log") },
		func(h *harness) { h.truncate("frag.log") },
	} {
		scenario(t, func(t *testing.T, h *harness) {
			h.start("frag.log")
			h.append("frag.log", "alpha\nunfinished")
			h.sees("alpha")
			rotate(h)
			h.append("frag.log", text(lines("new", 3)))
			h.wants([]string{"alpha", "unfinished"}, lines("new", 3))
			for _, e := range h.got {
				if e.Message == "unfinished" && e.Fields["_partial"] != true {
					t.Errorf("the fragment has fields %v, want _partial", e.Fields)
				}
			}
		})
	}
}

func TestLineEndsBlankLinesAndByteOrderMarkAreNotPartOfMessages(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:*.log")
		h.append("a.log", "\xef\xbb\xbf\n\r\n  \t\none\r\n\n\ntwo\rthree\nfour\n\n")
		h.append("b.log", "\xef\xbb\xbf"+`{"level":"error","msg":"json bom"}`+"\n")
		h.wants([]string{"one", "two\rthree", "four"}, []string{"json bom"})
		for _, e := range h.got {
			if e.Message == "json bom" && e.Level != "error" {
				t.Errorf("level %q, want error", e.Level)
			}
		}
	})
}

func TestLongLinesArriveWholeUpToTheLimitAndCutBeyond(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		o := options(h.watch)
		o.MaxLineBytes = 500000
		h.startWith(o, settings{}, "app.log")
		var all []string
		for _, n := range []int{65535, 65536, 65537, 262144, 499999, 500000} {
			all = append(all, fmt.Sprint(n)+strings.Repeat("y", n-len(fmt.Sprint(n))))
		}
		h.append("app.log", strings.Join(all, "\r\n")+"\r\n")
		h.append("app.log", "z"+strings.Repeat("é", 400000)+"\nafter\n")
		all = append(all, "z"+strings.Repeat("é", 249999), "after")
		h.wants(all)
		if cut := h.got[len(h.got)-2].Fields["_truncated"]; cut != float64(2*400000-2*249999) {
			t.Errorf("_truncated is %v, want the bytes cut", cut)
		}
		if n := h.w.Stats().Truncated; n != 1 {
			t.Errorf("%d lines counted as cut, want 1", n)
		}
	})
}

func TestEndlessLineTakesNoMoreMemoryThanTheLimit(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.start("app.log")
	h.append("app.log", "before\n")
	f := h.writer("app.log")
	for range 48 {
		h.write(f, strings.Repeat("M", 1<<20))
		h.w.work(t.Context())
		for _, f := range h.w.files {
			if n := f.split.Memory(); n > 1<<20+64 {
				t.Fatalf("%d bytes are held for one line", n)
			}
		}
	}
	h.write(f, "\nafter\n")
	h.sees("after")
	if len(h.got) != 3 || h.got[1].Fields["_truncated"] != float64(47<<20) {
		t.Errorf("%d entries, want before, the cut line, after", len(h.got))
	}
	for _, f := range h.w.files {
		if f.split.Memory() > 0 {
			t.Error("the buffer of the long line is kept")
		}
	}
}

func TestUTF32FileIsRefused(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:*.log")
		h.append("wide.log", "\xff\xfe\x00\x00h\x00\x00\x00\n\x00\x00\x00")
		h.append("plain.log", "plain\n")
		h.wants([]string{"plain"})
		if !strings.Contains(h.logged.String(), "UTF-32") {
			t.Errorf("not reported: %s", h.logged.String())
		}
	})
}

func TestHotFileDoesNotStarveOthers(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.append("hot.log", "")
		h.append("cold.log", "")
		h.start(".:*.log")
		h.append("hot.log", text(lines("hot", 60000)))
		h.append("cold.log", "cold\n")
		h.until("all", func() bool { return len(h.got) == 60001 })
		for i, e := range h.got {
			if e.Message == "cold" && i > 40000 {
				t.Errorf("the cold line came after %d hot ones", i)
			}
		}
	})
}
