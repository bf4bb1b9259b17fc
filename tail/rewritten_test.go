package tail

import "testing"

const gzipped = "\x1f\x8b\x08\x00binary\nbinary\n"

// logrotate with compress makes app.log.1.gz anew, where there was one at the
// start already.
func TestACompressedFilePresentAtTheStartIsReplaced(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.append("app.log.1.gz", gzipped)
		h.append("app.log", "")
		h.start(".:*.log*")
		h.rename("app.log.1.gz", "app.log.2.gz")
		h.append("app.log.1.gz", gzipped+"another")
		h.append("app.log", text(lines("a", 5)))
		h.wants(lines("a", 5))
		h.append("new", gzipped)
		h.rename("new", "app.log.2.gz")
		h.lookAtAll()
		h.wants(lines("a", 5))
	})
}

// What a rotation creates for another log a moment before is no generation of
// this one.
func TestAnotherLogOfTheSameRotationIsNotReadAsAGeneration(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.begin("a", 5)
		h.tick(burstPause)
		h.rename("app.log", "app.log.1")
		h.append("app-api.log", text(lines("api", 5)))
		h.append("app.log", text(lines("b", 5)))
		h.wants(lines("a", 5), lines("b", 5))
	})
}

// cp app.log app.log.1; : > app.log, again and again: the second copy is made over
// the first.
func TestACopyMadeOverTheOneBeforeIsReadOnce(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.append("app.log", "")
		h.start(".:app.log*")
		var all [][]string
		for _, tag := range []string{"a", "b", "c", "d"} {
			rows := lines(tag, 60)
			all = append(all, rows)
			h.append("app.log", text(rows))
			h.sees(rows[59])
			h.copy("app.log", "app.log.1")
			h.truncate("app.log")
			h.lookAtAll()
		}
		h.wants(all...)
	})
}

func TestAFileThatWasNoTextIsReadWhenItIsWrittenAnew(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:*.log")
		h.append("app.log", gzipped)
		h.until("it is refused", func() bool { return len(h.w.files) == 1 && refusedFile(h) })
		h.append("app.log", "more of it\n")
		h.lookAtAll()
		h.truncate("app.log")
		h.lookAtAll()
		h.append("app.log", text(lines("a", 5)))
		h.wants(lines("a", 5))
	})
}

func refusedFile(h *harness) bool {
	for _, f := range h.w.files {
		if f.refused {
			return true
		}
	}
	return false
}

// A mirror that is made by renaming (rsync) may end in the middle of a line.
func TestALineUnderWayWhenTheLogIsSavedAgainStaysWhole(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		all := lines("a", 60)
		h.append("app.log", "")
		h.start("app.log")
		h.append("app.log", text(all)+"half of ")
		h.sees(all[59])
		h.copy("app.log", "new")
		h.append("new", "a line\n")
		h.tick(burstPause)
		h.rename("new", "app.log")
		h.wants(append(all, "half of a line"))
	})
}

// A file that is held back, or whose events are late, may be rotated by copies more
// than once before it is looked at.
func TestTwoCopyingRotationsBetweenTwoLooksLoseNothing(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.begin("a", 60)
		if h.w.names[h.path("app.log")].file.id.born == 0 {
			t.Skip("the file system does not keep the time of birth")
		}
		rotate := func() {
			h.tick(burstPause)
			for _, to := range []string{"3", "2"} {
				if from := "app.log." + string(to[0]-1); exists(h.path(from)) {
					h.rename(from, "app.log."+to)
				}
			}
			h.copy("app.log", "app.log.1")
			h.truncate("app.log")
		}
		all := lines("a", 60)
		for _, tag := range []string{"b", "c", "d"} {
			rows := lines(tag, 60)
			all = append(all, rows...)
			h.append("app.log", text(rows))
			rotate()
		}
		h.append("app.log", text(lines("e", 5)))
		h.wants(append(all, lines("e", 5)...)) // in this order
	})
}

// The copy is made anew while the log still waits for what is left of the copy
// before.
func TestACopyMadeOverOneThatIsStillReadEndsTheWait(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.append("app.log", "")
		h.start(".:app.log*")
		h.append("app.log", text(lines("a", 60)))
		h.sees("a row 00059")
		h.append("app.log", text(lines("b", 60)))
		h.copy("app.log", "app.log.1")
		h.truncate("app.log")
		h.append("app.log", text(lines("c", 60)))
		var o, g *file
		h.until("the log waits for its copy", func() bool {
			if n := h.w.names[h.path("app.log.1")]; n != nil && n.file != nil {
				o, g = h.w.names[h.path("app.log")].file, n.file
			}
			return g != nil
		})
		o.after, g.atEnd = g, false // as it is while there is much of it
		h.copy("app.log", "app.log.1")
		h.w.queue(o)
		h.append("app.log", text(lines("d", 5)))
		h.sees("d row 00004")
	})
}

// cp makes each copy over the one before, which was read once.
func TestWhatATruncationCutsOffIsReadInACopyMadeOverTheOneBefore(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.begin("a", 60)
		all := lines("a", 60)
		for _, tag := range []string{"b", "c", "d"} {
			rows := lines(tag, 60)
			all = append(all, rows...)
			h.append("app.log", text(rows))
			h.copy("app.log", "app.log.1")
			h.truncate("app.log")
			last := lines(tag+"2", 60)
			all = append(all, last...)
			h.append("app.log", text(last))
			h.sees(last[59])
		}
		h.wants(all)
	})
}

// A refused file that is written anew is looked at when an event says so.
func TestAnEventTellsThatARefusedFileIsTextNow(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.start(".:*.log")
	h.append("app.log", gzipped+gzipped+gzipped)
	h.until("it is refused", func() bool { return len(h.w.files) == 1 && refusedFile(h) })
	h.truncate("app.log")
	h.until("it is looked at again", func() bool { return !refusedFile(h) })
	h.append("app.log", text(lines("a", 60)))
	h.wants(lines("a", 60))
}

func TestAFileThatWouldWaitForItselfIsFound(t *testing.T) {
	log, first, second := &file{}, &file{}, &file{}
	first.copied = &copyCheck{of: log} // it is to be known whether it is a copy of the log
	second.after = first
	if !leadsTo(second, log) || leadsTo(log, second) || leadsTo(second.after, second) {
		t.Error("the copy waits for the log, by way of the one before, and nobody else for anybody")
	}
	log.after = second
	if leadsTo(log, &file{}) {
		t.Error("a circle leads to what is not in it")
	}
}
