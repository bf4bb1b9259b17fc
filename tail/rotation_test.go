package tail

import (
	"os"
	"strings"
	"testing"
)

func TestFilePresentAtStartIsReadFromItsEnd(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", text(lines("old", 3)))
		h.start("app.log")
		h.append("app.log", text(lines("new", 3)))
		h.wants(lines("new", 3))
	})
}

func TestFilePresentAtStartIsReadFromItsBeginningWhenAsked(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", text(lines("old", 3)))
		o := options(h.watch)
		o.ReadFrom = "beginning"
		h.startWith(o, settings{}, "app.log")
		h.append("app.log", text(lines("new", 3)))
		h.wants(append(lines("old", 3), lines("new", 3)...))
	})
}

func TestLineUnderWayAtStartComesWhole(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", "old\nbegun before ")
		h.start("app.log")
		h.w.work(t.Context())
		h.append("app.log", "ended after\nnext\n")
		h.wants([]string{"begun before ended after", "next"})
	})
}

func TestLineLeftOpenBeforeStartIsNotSentAlone(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", "old\nnever ended")
		o := options(h.watch)
		o.PartialFlush = 20
		h.startWith(o, settings{}, ".:*.log")
		h.append("other.log", "x\n")
		h.sees("x")
		h.rename("app.log", "app.bak")
		h.append("app.log", "fresh\n")
		h.until("the old file is closed", func() bool { return h.w.Stats().Files == 2 && len(h.w.timed) == 0 })
		h.wants([]string{"fresh"}, []string{"x"})
	})
}

func TestRenamedFileIsReadOnWhileTheNewOneIsRead(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", text(lines("old", 3)))
		h.start(".:*.log")
		f := h.writer("app.log")
		h.write(f, text(lines("a", 2)))
		h.sees("a row 00001")
		h.rename("app.log", "app.log.1")
		h.write(f, text(lines("late", 3)))
		h.append("app.log", text(lines("b", 3)))
		h.wants(append(lines("a", 2), lines("late", 3)...), lines("b", 3))
	})
}

func TestUnreadTailAtRotationComesBeforeTheNewFile(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", text(lines("old", 3)))
		h.start("app.log")
		h.append("app.log", text(lines("unread "+strings.Repeat("x", 60), 90000))) // more than is drained at once
		h.rename("app.log", "app.log.1")
		h.append("app.log", text(lines("new", 10)))
		h.until("the last line", func() bool { h.got = tailOf(h.got); return h.has("new row 00009") })
	})
}

// tailOf checks order while it goes, keeping only the end of a long list.
func tailOf(all []got) []got {
	for i := 1; i < len(all); i++ {
		if all[i-1].Message >= all[i].Message && all[i-1].Message[0] == all[i].Message[0] {
			return []got{{Message: "out of order: " + all[i-1].Message + " before " + all[i].Message}}
		}
		if all[i-1].Message[0] == 'n' && all[i].Message[0] == 'u' {
			return []got{{Message: "the new file's line came before " + all[i].Message}}
		}
	}
	return all[max(0, len(all)-20):]
}

func TestFileRenamedInsideTheGlobGoesOn(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.append("app.log", text(lines("old", 4)))
		h.start(".:*.log*")
		f := h.writer("app.log")
		h.write(f, text(lines("a", 4)))
		h.sees("a row 00003")
		h.rename("app.log", "app.log.1")
		h.append("app.log", text(lines("b", 4)))
		h.sees("b row 00003")
		h.write(f, text(lines("late", 2)))
		h.wants(append(lines("a", 4), lines("late", 2)...), lines("b", 4))
		if s := h.source("late row 00000"); s != "app.log.1" {
			t.Errorf("late lines have source %s, want the name the file has", s)
		}
		if n := h.w.Stats().Rotations; n != 1 {
			t.Errorf("%d rotations counted, want 1", n)
		}
	})
}

func TestShiftChainInsideTheGlobIsReadOnce(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("svc.log", "")
		h.start(".:svc.log*")
		var all [][]string
		for g := range 7 {
			x := lines("g"+string(rune('0'+g)), 7)
			h.append("svc.log", text(x))
			all = append(all, x)
			h.sees(x[6])
			if g == 6 {
				break
			}
			_ = os.Remove(h.path("svc.log.2"))
			_ = os.Rename(h.path("svc.log.1"), h.path("svc.log.2"))
			h.rename("svc.log", "svc.log.1")
		}
		h.wants(all...)
	})
}

func TestDeletedAndRecreatedFileIsReadFromItsBeginning(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", text(lines("old", 30)))
		h.start(".:*.log")
		for i := range 5 { // inodes come back at once on many file systems
			tag := "g" + string(rune('0'+i))
			h.append("app.log", text(lines(tag, 2)))
			h.sees(tag + " row 00001")
			h.remove("app.log")
		}
		h.append("app.log", text(lines("end", 4)))
		h.wants(lines("g0", 2), lines("g1", 2), lines("g2", 2), lines("g3", 2), lines("g4", 2), lines("end", 4))
	})
}

func TestNewLogThatBeginsLikeTheDeletedOneIsReadWhole(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start(".:*.log")
		h.append("app.log", "banner\n")
		h.sees("banner")
		h.remove("app.log")
		h.append("app.log", "banner\nmore\n")
		h.sees("more")
		h.lookAtAll()
		if m := h.messages(); len(m) != 3 {
			t.Errorf("got %q, want banner, banner, more", m)
		}
	})
}

func TestFileReplacedByRenameLosesNothingOfEither(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", text(lines("old", 3)))
		h.start(".:app.log")
		h.append("app.log", text(lines("a", 3)))
		h.sees("a row 00002")
		h.append("app.log", text(lines("tail", 4)))
		h.append("app.tmp", text(lines("b", 60)))
		h.rename("app.tmp", "app.log")
		h.wants(append(lines("a", 3), lines("tail", 4)...), lines("b", 60))
	})
}

func TestSameLogSavedAgainGoesOnAtItsPosition(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start("app.log")
		h.append("app.log", text(lines("a", 300)))
		h.sees("a row 00299")
		h.copy("app.log", "app.tmp")
		h.append("app.tmp", text(lines("b", 3)))
		h.tick(generationGap)
		h.rename("app.tmp", "app.log")
		h.wants(append(lines("a", 300), lines("b", 3)...))
	})
}

func TestFileThatLeavesAndReturnsIsNotReadAgain(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start(".:*.log")
		h.append("app.log", text(lines("a", 3)))
		h.sees("a row 00002")
		h.rename("app.log", "app.bak")
		h.until("the file is closed", func() bool { return len(h.w.gone) == 1 })
		h.rename("app.bak", "app.log")
		h.append("app.log", text(lines("b", 3)))
		h.wants(append(lines("a", 3), lines("b", 3)...))
	})
}

func TestDescriptorsOfDeletedFilesAreGivenUp(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:*.log")
		var all [][]string
		for _, n := range lines("f", 20) {
			h.append(n+".log", n+"\n")
			all = append(all, []string{n})
		}
		h.until("all are read", func() bool { return len(h.got) == 20 })
		for _, n := range lines("f", 20) {
			h.remove(n + ".log")
		}
		h.until("no descriptor is left", func() bool { return h.w.open.count == 0 && len(h.w.files) == 0 })
		h.wants(all...)
	})
}

func TestDeletedFileWithALiveWriterIsGivenUpInTheEnd(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:*.log")
		f := h.writer("app.log")
		h.write(f, "a\n")
		h.sees("a")
		h.remove("app.log")
		h.until("the deletion is seen", func() bool { return h.w.Stats().Rotations == 1 })
		h.write(f, "b\n")
		h.sees("b")
		h.write(f, "c\n")
		for tracked := range h.w.files {
			h.w.files[tracked].left -= deletedWait
		}
		h.until("it is given up", func() bool { return h.w.open.count == 0 })
		h.wants([]string{"a", "b", "c"})
	})
}

// The goroutine may lose the processor between looking at a name and taking note.
func TestALogThatIsRotatedRightBehindALookIsFound(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.begin("a", 3)
		at := h.w.now()
		st, err := statPath(h.path("app.log"))
		h.must(err)
		if st.id.born == 0 {
			t.Skip("the file system keeps no time of birth")
		}
		for _, g := range []string{"b", "c"} {
			h.tick(3 * generationGap)
			h.rename("app.log", "app.log."+g)
			h.tick(3 * generationGap)
			h.append("app.log", text(lines(g, 3)))
		}
		h.tick(3 * generationGap)
		h.w.arrive(h.w.names[h.path("app.log")], st, at)
		h.wants(append(lines("a", 3), append(lines("b", 3), lines("c", 3)...)...))
	})
}

func TestGenerationsBetweenTwoLooksAreReadInOrder(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.append("app.log.old", "lay there before\n")
		h.append("app.log", "old\n")
		h.start("app.log")
		h.append("app.log", text(lines("a", 3)))
		h.sees("a row 00002")
		if h.w.files[h.w.names[h.path("app.log")].file.id].id.born == 0 {
			t.Skip("the file system keeps no time of birth")
		}
		h.tick(3 * generationGap)
		h.append("app.log", text(lines("b", 3)))
		for _, g := range []string{"c", "d", "e"} {
			h.rename("app.log", "app.log."+g)
			h.append("app.log", text(lines(g, 3)))
			h.tick(3 * generationGap)
		}
		all := append(lines("a", 3), lines("b", 3)...)
		for _, g := range []string{"c", "d", "e"} {
			all = append(all, lines(g, 3)...)
		}
		h.wants(all)
	})
}

// An application goes on with the file that was renamed until it is told of it.
func TestWhatWasWrittenToTheRenamedFileComesBeforeTheNewOne(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", "before\n")
		h.start("app.log")
		h.append("app.log", "old 1\n")
		h.sees("old 1")
		h.rename("app.log", "app.log.1")
		h.lookAtAll() // finds the name gone
		h.append("app.log.1", "old 2\n")
		h.append("app.log", "new 1\n")
		h.wants([]string{"old 1", "old 2", "new 1"})
	})
}
