package tail

import (
	"log/slog"
	"os"
	"testing"
)

// A run is what lies between two starts of a harness with a checkpoint.

// opens takes possession of the checkpoint, which is beside the harness's
// files.
func (h *harness) opens() {
	h.t.Helper()
	c, err := OpenCheckpoint(h.path("state/checkpoint.json"), slog.New(slog.NewTextHandler(&h.logged, nil)))
	h.must(err)
	h.checkpoint = c
	h.t.Cleanup(c.abandon)
}

// restart begins a run that goes on from the checkpoint. What came before is
// kept in got.
func (h *harness) restart(targets ...string) {
	h.t.Helper()
	h.opens()
	h.start(targets...)
}

// stop ends a run in good order.
func (h *harness) stop() {
	h.t.Helper()
	h.w.lastLook()
	h.w.keepLast()
	h.must(h.w.Close())
	h.collect()
	h.must(h.checkpoint.Close(h.ring.Epoch(), h.ring.Head()))
}

// keeps writes the positions as they are, as the clock would have it done.
func (h *harness) keeps() {
	h.w.keepFirst()
}

// kill ends a run as SIGKILL does: nothing is read or written any more.
func (h *harness) kill() {
	h.t.Helper()
	h.collect()
	h.checkpoint.abandon()
	h.must(h.w.Close())
}

// abandon gives the checkpoint up as the end of the process does.
func (c *Checkpoint) abandon() {
	c.writes.Wait()
	c.release()
}

// restarts runs a test with events and without, in both ways to end a run.
// The run before was begun with targets and has sent the lines of "a".
func restarts(t *testing.T, targets []string, test func(t *testing.T, h *harness)) {
	for _, end := range []string{"stop", "kill"} {
		t.Run(end, func(t *testing.T) {
			scenario(t, func(t *testing.T, h *harness) {
				h.append("app.log", text(lines("before", 30)))
				h.restart(targets...)
				h.append("app.log", text(lines("a", 50)))
				h.sees("a row 00049")
				if end == "stop" {
					h.stop()
				} else {
					h.keeps()
					h.kill()
				}
				h.tick(2 * generationGap)
				test(t, h)
			})
		})
	}
}

var oneFile, allFiles, generations = []string{"app.log"}, []string{".:*.log"}, []string{".:app.log*"}

func TestLinesWrittenWhileDownComeOnce(t *testing.T) {
	restarts(t, oneFile, func(_ *testing.T, h *harness) {
		h.append("app.log", text(lines("down", 20)))
		h.restart(oneFile...)
		h.append("app.log", text(lines("up", 5)))
		h.wants(append(append(lines("a", 50), lines("down", 20)...), lines("up", 5)...))
	})
}

func TestLineUnderWayAtTheEndOfARunComesWholeInTheNext(t *testing.T) {
	for _, begun := range []string{"half ", "half of a line that is longer than a marker is: " + string(make([]byte, 2*markerSize)), "\n\nhalf "} {
		scenario(t, func(_ *testing.T, h *harness) {
			h.restart(oneFile...)
			h.append("app.log", "first\n"+begun)
			h.sees("first")
			h.stop()
			h.append("app.log", "ended\n")
			h.restart(oneFile...)
			h.sees("first")
			h.until("two lines", func() bool { return len(h.got) == 2 })
			if m := h.got[1].Message; len(m) < 9 || m[:4] != "half" || m[len(m)-5:] != "ended" {
				h.t.Errorf("got %q", m)
			}
		})
	}
}

func TestUnreadRestOfAKilledRunComesOnceAndWhatWasSentAfterTheLastWriteTwice(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.restart(oneFile...)
		h.append("app.log", text(lines("kept", 5)))
		h.sees("kept row 00004")
		h.keeps()
		h.append("app.log", text(lines("again", 5)))
		h.sees("again row 00004")
		h.append("app.log", text(lines("unread", 5)))
		h.kill()
		h.got = nil
		h.restart(oneFile...)
		h.wants(append(lines("again", 5), lines("unread", 5)...))
	})
}

func TestFileThatIsNotInTheCheckpointIsReadFromItsBeginning(t *testing.T) {
	restarts(t, allFiles, func(_ *testing.T, h *harness) {
		h.append("new.log", text(lines("new", 5)))
		h.restart(allFiles...)
		h.wants(lines("a", 50), lines("new", 5))
	})
}

func TestFilesBeginAsUsualWhenTheCheckpointHoldsNothing(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", text(lines("old", 5)))
		h.restart(allFiles...)
		h.append("app.log", "new\n")
		h.wants([]string{"new"})
	})
}

func TestFileRotatedWhileDownIsReadToItsEndBeforeTheNewOne(t *testing.T) {
	for name, targets := range map[string][]string{"outside": oneFile, "inside": generations} {
		for _, to := range []string{"app.log.1", "app.log-20260102", "20260102-app.log"} {
			t.Run(name+"/"+to, func(t *testing.T) {
				restarts(t, targets, func(t *testing.T, h *harness) {
					h.append("app.log", text(lines("down", 20)))
					h.rename("app.log", to)
					h.append(to, text(lines("late", 3)))
					h.append("app.log", text(lines("fresh", 20)))
					h.restart(targets...)
					h.wants(append(append(append(lines("a", 50), lines("down", 20)...), lines("late", 3)...), lines("fresh", 20)...))
					if n := h.w.Stats().Rotations; n != 1 {
						t.Errorf("%d rotations, want 1", n)
					}
				})
			})
		}
	}
}

func TestFileRotatedWhileDownWithoutASuccessorIsReadToItsEnd(t *testing.T) {
	restarts(t, oneFile, func(_ *testing.T, h *harness) {
		h.append("app.log", text(lines("down", 20)))
		h.rename("app.log", "app.log.1")
		h.restart(oneFile...)
		h.append("app.log", text(lines("fresh", 5)))
		h.wants(append(append(lines("a", 50), lines("down", 20)...), lines("fresh", 5)...))
	})
}

func TestSeveralGenerationsWrittenWhileDownAreReadInOrder(t *testing.T) {
	for name, targets := range map[string][]string{"outside": oneFile, "inside": generations} {
		t.Run(name, func(t *testing.T) {
			restarts(t, targets, func(t *testing.T, h *harness) {
				want := lines("a", 50)
				for _, g := range []string{"g1", "g2", "g3"} {
					more := lines(g, 10)
					h.append("app.log", text(more))
					want = append(want, more...)
					for i := 4; i > 0; i-- {
						from, to := "app.log."+string(rune('0'+i)), "app.log."+string(rune('1'+i))
						if exists(h.path(from)) {
							h.rename(from, to)
						}
					}
					h.rename("app.log", "app.log.1")
					h.tick(2 * generationGap)
				}
				h.append("app-error.log", "another log\n")
				h.append("app.log.1.gz", "\x1f\x8b\x08 packed\n")
				h.append("app.log", text(lines("fresh", 10)))
				h.restart(targets...)
				h.wants(append(want, lines("fresh", 10)...))
			})
		})
	}
}

func TestFileCopiedAndTruncatedWhileDownGoesOnInTheCopy(t *testing.T) {
	for name, targets := range map[string][]string{"outside": oneFile, "inside": generations} {
		t.Run(name, func(t *testing.T) {
			restarts(t, targets, func(t *testing.T, h *harness) {
				h.append("app.log", text(lines("down", 20)))
				h.copy("app.log", "app.log.1")
				h.truncate("app.log")
				h.append("app.log", text(lines("fresh", 100))) // beyond the old position
				h.restart(targets...)
				h.wants(append(append(lines("a", 50), lines("down", 20)...), lines("fresh", 100)...))
				if s := h.w.Stats(); s.Truncations != 1 || s.Rotations != 0 {
					t.Errorf("%d truncations and %d rotations, want 1 and 0", s.Truncations, s.Rotations)
				}
			})
		})
	}
}

func TestFileTruncatedWhileDownIsReadFromItsBeginning(t *testing.T) {
	restarts(t, oneFile, func(t *testing.T, h *harness) {
		h.truncate("app.log")
		h.append("app.log", text(lines("fresh", 5)))
		h.restart(oneFile...)
		h.wants(lines("a", 50), lines("fresh", 5))
		if n := h.w.Stats().Truncations; n != 1 {
			t.Errorf("%d truncations, want 1", n)
		}
	})
}

func TestFileReplacedWhileDownByOneThatBeginsAlikeIsReadFromItsBeginning(t *testing.T) {
	restarts(t, oneFile, func(t *testing.T, h *harness) {
		h.remove("app.log") // its inode number is used again
		h.append("app.log", text(lines("before", 30))+text(lines("a", 50)))
		h.restart(oneFile...)
		h.got = nil
		h.wants(append(lines("before", 30), lines("a", 50)...))
	})
}

func TestAnInodeThatComesBackWhileDownIsAnotherFile(t *testing.T) {
	restarts(t, oneFile, func(t *testing.T, h *harness) {
		before, err := statPath(h.path("app.log"))
		h.must(err)
		b, err := os.ReadFile(h.path("app.log"))
		h.must(err)
		for range 100 { // many file systems give it out again at once
			h.remove("app.log")
			h.append("app.log", string(b)+text(lines("b", 3)))
			now, err := statPath(h.path("app.log"))
			h.must(err)
			if now.id.ino != before.id.ino || now.id.born == 0 {
				continue
			}
			h.restart(oneFile...)
			h.sees("b row 00002")
			if n := len(h.got); n != 50+83 {
				t.Errorf("%d entries, want those of the first file and all of the second", n)
			}
			return
		}
		t.Skip("this file system gives no inode out again, or keeps no time of birth")
	})
}

func TestACopyThatEndsBeforeThePositionIsNotReadAgainByTheNextRun(t *testing.T) {
	restarts(t, generations, func(_ *testing.T, h *harness) {
		h.restart(generations...)
		h.copy("app.log", "app.log.1")
		h.append("app.log", text(lines("b", 20)))
		h.lookAtAll()
		h.stop()
		h.restart(generations...)
		h.append("app.log", text(lines("c", 3)))
		h.wants(append(append(lines("a", 50), lines("b", 20)...), lines("c", 3)...))
	})
}

func TestCopyMadeWhileDownIsNotReadAgain(t *testing.T) {
	restarts(t, generations, func(_ *testing.T, h *harness) {
		h.append("app.log", text(lines("down", 20)))
		h.copy("app.log", "app.log.bak")
		h.copy("app.log", "app.log.1")
		h.restart(generations...)
		h.append("app.log", text(lines("up", 5)))
		h.wants(append(append(lines("a", 50), lines("down", 20)...), lines("up", 5)...))
	})
}

func TestRotatedFileStillWrittenToAtTheEndOfARunGoesOn(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		o := options(h.watch)
		o.RotateWait = 60000
		h.opens()
		h.startWith(o, settings{}, "app.log")
		f := h.writer("app.log")
		h.write(f, text(lines("a", 5)))
		h.sees("a row 00004")
		h.rename("app.log", "app.log.1")
		h.append("app.log", "fresh\n")
		h.sees("fresh")
		h.keeps()
		h.kill()
		h.write(f, "late\n")
		h.restart("app.log")
		h.wants(append(lines("a", 5), "late"), []string{"fresh"})
	})
}

func TestRotationBehindASymbolicLinkWhileDownLosesNothing(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("pod.0", "")
		h.must(os.Symlink(h.path("pod.0"), h.path("app.log")))
		h.restart("app.log")
		h.append("pod.0", text(lines("a", 20)))
		h.sees("a row 00019")
		h.stop()
		h.tick(2 * generationGap)
		h.append("pod.0", text(lines("down", 5)))
		h.rename("pod.0", "pod.0.20260102-030405")
		h.append("pod.0", text(lines("fresh", 5)))
		h.restart("app.log")
		h.wants(append(append(lines("a", 20), lines("down", 5)...), lines("fresh", 5)...))
	})
}

func TestFileRewrittenWhileDownBehindTheSameBeginningIsReadFromItsBeginning(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		banner := lines("banner", 100)
		h.restart("app.log")
		h.append("app.log", text(banner)+text(lines("a", 50)))
		h.sees("a row 00049")
		h.stop()
		h.got = nil
		h.must(os.WriteFile(h.path("app.log"), []byte(text(banner)+text(lines("other", 60))), 0o644))
		h.restart("app.log")
		h.wants(banner, lines("other", 60))
	})
}

func TestRotationByCopyBesideARotationByRenameIsReadOnce(t *testing.T) {
	restarts(t, oneFile, func(_ *testing.T, h *harness) {
		h.append("app.log", text(lines("down", 5)))
		h.copy("app.log", "app.log.7")
		h.rename("app.log", "app.log.1")
		h.append("app.log", text(lines("fresh", 5)))
		h.restart(oneFile...)
		h.wants(append(append(lines("a", 50), lines("down", 5)...), lines("fresh", 5)...))
	})
}
