package tail

import (
	"slices"
	"testing"
)

// beginsDated begins to follow app.log, which is empty, and returns its file. Without
// the time of birth there is nothing to be tested.
func (h *harness) beginsDated(t *testing.T) *file {
	t.Helper()
	h.append("app.log", "")
	h.start(oneFile...)
	f := h.w.names[h.path("app.log")].file
	if f.id.born == 0 {
		t.Skip("the file system does not keep the time of birth")
	}
	return f
}

// rotateByCopy moves the numbered generations of app.log on, copies it and truncates it.
func (h *harness) rotateByCopy() {
	h.t.Helper()
	h.tick(burstPause)
	for _, to := range []string{"4", "3", "2"} {
		if from := "app.log." + string(to[0]-1); exists(h.path(from)) {
			h.rename(from, "app.log."+to)
		}
	}
	h.copy("app.log", "app.log.1")
	h.truncate("app.log")
}

// A file that has to wait for its readers is not looked at: what its log was until
// positions were kept is to be found by the next run.
func TestCopyingRotationsOfAFileThatIsHeldBackOverTheEndOfARunLoseNothing(t *testing.T) {
	for _, begun := range []int{0, 60} {
		scenario(t, func(t *testing.T, h *harness) {
			h.append("app.log", "")
			h.restart(oneFile...)
			all := lines("a", begun)
			if begun > 0 {
				h.append("app.log", text(all))
				h.sees(all[begun-1])
			}
			f := h.w.names[h.path("app.log")].file
			if f.id.born == 0 {
				t.Skip("the file system does not keep the time of birth")
			}
			h.tick(burstPause)
			h.w.hold(f)
			for _, tag := range []string{"b", "c", "d"} {
				rows := lines(tag, 60)
				all = append(all, rows...)
				h.append("app.log", text(rows))
				h.rotateByCopy()
			}
			h.tick(unnoticed)
			h.afterASecond()
			h.kill()
			last := lines("e", 5)
			h.append("app.log", text(last))
			h.restart(oneFile...)
			h.wants(append(all, last...))
		})
	}
}

// Nothing was read of it, so nothing in it tells: the oldest copy is the one that
// holds what was seen.
func TestSeveralCopyingRotationsOfAFileOfWhichNothingWasReadLoseNothing(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		f := h.beginsDated(t)
		h.tick(burstPause)
		var all []string
		for _, tag := range []string{"b", "c", "d"} {
			rows := lines(tag, 60)
			all = append(all, rows...)
			h.append("app.log", text(rows))
			if tag == "b" {
				h.w.setLag(f, int64(len(text(rows)))) // it was seen to be so long
			}
			h.rotateByCopy()
		}
		last := lines("e", 5)
		h.append("app.log", text(last))
		h.wants(append(all, last...))
	})
}

// Every generation begins with the same head, and no more than that was read of the
// last one.
func TestACopyIsNotTakenForAnOlderOneThatBeginsAlike(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		head := "# the program has started, and this is what it says of itself each time\n"
		for _, name := range []string{"app.log.4", "app.log.3", "app.log.2"} {
			h.append(name, head+text(lines(name, 60)))
		}
		h.tick(unnoticed)
		h.beginsDated(t)
		h.tick(burstPause)
		h.append("app.log", head)
		h.sees(head[:len(head)-1])
		h.append("app.log", text(lines("a", 60)))
		h.copy("app.log", "app.log.1")
		h.truncate("app.log")
		h.sees("a row 00059")
		h.append("app.log", text(lines("b", 5)))
		h.wants([]string{head[:len(head)-1]}, lines("a", 60), lines("b", 5))
	})
}

// The copy of the rotation before was made just before the log began anew.
func TestACopyIsNotTakenForThatOfTheRotationBefore(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		head := "# the program has started, and this is what it says of itself each time\n"
		h.beginsDated(t)
		for i, tag := range []string{"a", "b", "c"} {
			h.append("app.log", head)
			h.until("the head", func() bool { return len(h.got) == 61*i+1 })
			h.tick(burstPause)
			h.append("app.log", text(lines(tag, 60)))
			if exists(h.path("app.log.1")) {
				h.rename("app.log.1", "app.log.2")
			}
			h.copy("app.log", "app.log.1")
			h.truncate("app.log")
			h.sees(tag + " row 00059")
		}
		h.lookAtAll()
		if len(h.got) != 3*61 {
			t.Errorf("%d messages, want %d", len(h.got), 3*61)
		}
	})
}

// Of a log of which only the head was read that all logs of the program have, nothing
// but what stands behind it tells what was made of it while nobody looked.
func TestRotationsWhileDownOfALogOfWhichOnlyItsHeadWasReadLoseNothing(t *testing.T) {
	for name, byCopy := range map[string]bool{"renamed": false, "copied": true} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(t *testing.T, h *harness) {
				head := "# the program has started, and this is what it says of itself each time\n"
				h.append("app.log.2", head+text(lines("old", 60)))
				h.append("app.log", "")
				h.tick(unnoticed)
				h.restart(oneFile...)
				if h.w.names[h.path("app.log")].file.id.born == 0 {
					t.Skip("the file system does not keep the time of birth")
				}
				h.append("app.log", head)
				h.sees(head[:len(head)-1])
				h.tick(unnoticed)
				h.stop()
				want := []string{head[:len(head)-1]}
				for i, tag := range []string{"a", "b", "c"} {
					h.tick(burstPause)
					if i > 0 {
						h.append("app.log", head)
						want = append(want, head[:len(head)-1])
					}
					rows := lines(tag, 60-i)
					h.append("app.log", text(rows))
					want = append(want, rows...)
					if byCopy {
						h.rotateByCopy()
						continue
					}
					for _, to := range []string{"5", "4", "3", "2", "1"} {
						from := "app.log." + string(to[0]-1)
						if to == "1" {
							from = "app.log"
						}
						if exists(h.path(from)) {
							h.rename(from, "app.log."+to)
						}
					}
				}
				h.append("app.log", head+text(lines("z", 5)))
				want = append(append(want, head[:len(head)-1]), lines("z", 5)...)
				h.restart(oneFile...)
				h.until("all lines", func() bool { return len(h.got) >= len(want) })
				h.lookAtAll()
				var came []string
				for _, g := range h.got {
					came = append(came, g.Message)
				}
				// One head is as good as another.
				isHead := func(m string) bool { return m == head[:len(head)-1] }
				if n := len(came); n != len(want) || !slices.Equal(slices.DeleteFunc(came, isHead), slices.DeleteFunc(want, isHead)) {
					t.Errorf("%d lines came, want %d: %.2000q", n, len(want), came)
				}
			})
		})
	}
}
