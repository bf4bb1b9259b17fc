package tail

import (
	"os"
	"strings"
	"testing"
)

func TestTruncatedFileIsReadFromItsBeginning(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.append("app.log", text(lines("old", 50)))
		h.start("app.log")
		h.append("app.log", text(lines("a", 5)))
		h.sees("a row 00004")
		h.truncate("app.log")
		h.append("app.log", text(lines("b", 3)))
		h.wants(lines("a", 5), lines("b", 3))
		if n := h.w.Stats().Truncations; n != 1 {
			t.Errorf("%d truncations counted, want 1", n)
		}
	})
}

func TestFileTruncatedAndRegrownPastItsPositionIsReadFromItsBeginning(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", text(lines("old", 10)))
		h.start("app.log")
		h.append("app.log", text(lines("a", 5)))
		h.sees("a row 00004")
		h.must(os.WriteFile(h.path("app.log"), []byte(text(lines("regrown", 80))), 0o644))
		h.sees("regrown row 00079")
		h.append("app.log", text(lines("after", 2)))
		h.wants(lines("a", 5), append(lines("regrown", 80), lines("after", 2)...))
	})
}

func TestFileRewrittenToItsOldSizeIsReadFromItsBeginning(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start("app.log")
		h.append("app.log", text(lines("a", 5)))
		h.sees("a row 00004")
		h.must(os.WriteFile(h.path("app.log"), []byte(text(lines("b", 5))), 0o644))
		h.wants(lines("a", 5), lines("b", 5))
	})
}

func TestCopyInsideTheGlobIsNotReadAgain(t *testing.T) {
	for _, copied := range []string{"app.log.1", "app.log-20260102", "app-2026.log", "app.1.log"} {
		scenario(t, func(_ *testing.T, h *harness) {
			h.start(".:*.log*")
			h.append("app.log", text(lines("a", 60)))
			h.sees("a row 00059")
			h.append("app.log", text(lines("unread", 20)))
			h.copy("app.log", copied)
			h.truncate("app.log")
			h.append("app.log", text(lines("b", 4)))
			h.wants(append(lines("a", 60), lines("unread", 20)...), lines("b", 4))
		})
	}
}

func TestCopyFoundLongAfterTheTruncationIsNotReadAgain(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start(".:*.log*")
		h.append("app.log", text(lines("a", 60)))
		h.sees("a row 00059")
		h.copy("app.log", "side.tmp")
		h.truncate("app.log")
		h.append("app.log", text(lines("b", 4)))
		h.sees("b row 00003")
		h.rename("side.tmp", "app.log.1")
		h.append("app.log.1", text(lines("late", 2)))
		h.wants(lines("a", 60), lines("b", 4), lines("late", 2))
	})
}

func TestCopyUnderConstructionIsNotRead(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start(".:*.log*")
		content := text(lines("a", 2000))
		h.append("app.log", content)
		h.sees("a row 01999")
		for part := range strings.SplitAfterSeq(content, " row 00500\n") {
			h.append("app.log.1", part)
			h.lookAtAll()
		}
		h.append("app.log", text(lines("b", 3)))
		h.wants(append(lines("a", 2000), lines("b", 3)...))
	})
}

func TestUnfinishedCopyOfAGrowingLogIsNotReadAgain(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start(".:*.log*")
		h.append("app.log", text(lines("a", 60)))
		h.sees("a row 00059")
		h.copy("app.log", "app.log.1")
		h.append("app.log", text(lines("b", 3)))
		h.wants(append(lines("a", 60), lines("b", 3)...))
	})
}

func TestLogThatBeginsLikeItsNeighbourIsReadWhole(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:*.log*")
		h.append("app.log", "banner\n"+text(lines("a", 60)))
		h.sees("a row 00059")
		h.append("app-worker.log", "banner\n")
		h.lookAtAll()
		h.append("app-worker.log", text(lines("w", 60)))
		h.sees("w row 00059")
		h.append("app-idle.log", "banner\n") // judged after a while
		h.until("the banners", func() bool { return len(h.got) == 123 })
	})
}

func TestCopyUnderAnotherNameIsANewFile(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:*.log")
		h.append("a.log", text(lines("a", 5)))
		h.sees("a row 00004")
		h.copy("a.log", "other.log")
		h.until("the copy's lines", func() bool { return len(h.got) == 10 })
		if s := h.got[9].Source; s != "other.log" {
			t.Errorf("source %s, want other.log", s)
		}
	})
}

func TestCompressedRotationIsNotRead(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:*.log*")
		h.append("app.log", text(lines("a", 20)))
		h.sees("a row 00019")
		h.rename("app.log", "app.log.1")
		h.append("app.log", text(lines("b", 3)))
		h.append("app.log.1.gz", "\x1f\x8b\x08\x00binary\nbinary\n")
		h.remove("app.log.1")
		h.wants(lines("a", 20), lines("b", 3))
		// By its name it may be a copy of the log in the making: until that is
		// decided it is not looked into.
		h.until("what it is", func() bool { return strings.Contains(h.logged.String(), "gzip") })
		h.append("app.log.1.gz", "more\n")
		h.lookAtAll()
		h.lookAtAll()
		if n := strings.Count(h.logged.String(), "gzip"); n != 1 || h.has("more") {
			t.Errorf("reported %d times, want once: %s", n, h.logged.String())
		}
	})
}

func TestHoleLeftByAWriterThatDoesNotAppendIsSkipped(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		f, err := os.Create(h.path("hole.log"))
		h.must(err)
		defer f.Close()
		h.start("hole.log")
		h.write(f, text(lines("a", 20000)))
		h.sees("a row 19999")
		h.truncate("hole.log")
		h.write(f, "after hole one\nafter hole two\n")
		h.wants(lines("a", 20000), []string{"after hole one", "after hole two"})
	})
}

func TestHugeHoleIsJumpedOver(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start("hole.log")
		f, err := os.Create(h.path("hole.log"))
		h.must(err)
		defer f.Close()
		_, err = f.WriteAt([]byte("far away\n"), 1<<40)
		h.must(err)
		h.wants([]string{"far away"})
		h.write(f, "")
		if n := h.w.Stats().ReadBytes; n > 4<<20 {
			t.Errorf("%d bytes of a hole were read", n)
		}
	})
}

func TestTouchedFileIsNotReadAgain(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", text(lines("old", 10)))
		h.start("app.log")
		h.append("app.log", text(lines("a", 3)))
		h.sees("a row 00002")
		h.must(os.Chtimes(h.path("app.log"), epoch, epoch))
		h.lookAtAll()
		h.must(os.Chmod(h.path("app.log"), 0o600))
		h.lookAtAll()
		h.append("app.log", text(lines("b", 2)))
		h.wants(append(lines("a", 3), lines("b", 2)...))
	})
}
