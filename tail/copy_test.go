package tail

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

func TestWhatATruncationCutsOffIsReadInTheCopyBesideTheLog(t *testing.T) {
	for _, target := range patterns {
		scenario(t, func(t *testing.T, h *harness) {
			h.start(target)
			h.append("app.log", text(lines("a", 60)))
			h.sees("a row 00059")
			h.append("app.log", text(lines("unread", 20)))
			h.copy("app.log", "app.log.1")
			h.truncate("app.log")
			h.append("app.log", text(lines("b", 4)))
			h.wants(append(append(lines("a", 60), lines("unread", 20)...), lines("b", 4)...))
			h.losesNothing()
		})
	}
}

func (h *harness) losesNothing() {
	h.t.Helper()
	if n := h.w.Stats().LostBytes; n != 0 {
		h.t.Errorf("%d bytes are counted as lost, want none", n)
	}
}

func TestALineUnderWayAtATruncationComesWholeFromTheCopy(t *testing.T) {
	for _, target := range patterns {
		scenario(t, func(_ *testing.T, h *harness) {
			h.start(target)
			h.append("app.log", text(lines("a", 5))+"begun before ")
			h.sees("a row 00004")
			h.append("app.log", "ended after\n")
			h.copy("app.log", "app.log.1")
			h.truncate("app.log")
			h.append("app.log", text(lines("b", 4)))
			h.wants(append(append(lines("a", 5), "begun before ended after"), lines("b", 4)...))
			h.losesNothing()
		})
	}
}

func TestAnEntryOfSeveralLinesGoesOnInTheCopy(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: "app.log", Multiline: Multiline{Preset: "indent", Flush: 3600000}})
		h.put("app.log", "one\n  two\n")
		h.fileAt("app.log", func(f *file) bool { return f.group.lines == 2 })
		h.append("app.log", "  three\nnext\n")
		h.copy("app.log", "app.log.1")
		h.truncate("app.log")
		h.append("app.log", "new\nlast\n")
		h.wants([]string{"one\n  two\n  three", "next"}, []string{"new"})
	})
}

// known has the watcher see how long a file is without reading it.
func (h *harness) known(name string) { h.w.check(h.w.names[h.path(name)]) }

func TestWhatATruncationCutsOffUnreadIsCountedAndSaid(t *testing.T) {
	for _, beside := range []string{"", "other.txt", "app-error.log"} {
		scenario(t, func(t *testing.T, h *harness) {
			h.start("app.log")
			h.append("app.log", text(lines("a", 5)))
			h.sees("a row 00004")
			h.append("app.log", text(lines("unread", 20)))
			h.known("app.log")
			if beside != "" {
				h.copy("app.log", beside) // under no name that a rotation gives
			}
			h.truncate("app.log")
			h.append("app.log", text(lines("b", 2)))
			h.wants(lines("a", 5), lines("b", 2))
			want := uint64(len(text(lines("unread", 20))))
			if n := h.w.Stats().LostBytes; n != want || !strings.Contains(h.logged.String(), "lost_bytes=") {
				t.Errorf("%d bytes are counted as lost, want %d; log %s", n, want, h.logged.String())
			}
		})
	}
}

func TestWhatIsWrittenBetweenTheCopyAndTheTruncationIsCountedAndSaid(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start("app.log")
		h.append("app.log", text(lines("a", 5)))
		h.sees("a row 00004")
		h.append("app.log", text(lines("copied", 20)))
		h.copy("app.log", "app.log.1")
		h.append("app.log", "lost to everybody\n")
		h.known("app.log")
		h.truncate("app.log")
		h.append("app.log", text(lines("b", 2)))
		h.wants(append(append(lines("a", 5), lines("copied", 20)...), lines("b", 2)...))
		if n := h.w.Stats().LostBytes; n != uint64(len("lost to everybody\n")) {
			t.Errorf("%d bytes are counted as lost, want %d", n, len("lost to everybody\n"))
		}
	})
}

func TestALogTruncatedBeforeAnyOfItWasReadIsReadInItsCopy(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", "")
		h.start("app.log")
		h.tick(generationGap)
		h.append("app.log", text(lines("a", 20)))
		h.known("app.log")
		h.copy("app.log", "app.log.1")
		h.truncate("app.log")
		h.append("app.log", text(lines("b", 4)))
		h.wants(append(lines("a", 20), lines("b", 4)...))
		h.losesNothing()
	})
}

// A log that has a numbered neighbour, which begins with the same lines and
// then rests, or goes on with others.
func TestAFileWithTheNameOfACopyThatMerelyBeginsAlikeIsReadWhole(t *testing.T) {
	for _, more := range []string{"", "its own\n"} {
		scenario(t, func(t *testing.T, h *harness) {
			h.start(".:*.log*")
			h.append("app.log", text(lines("start", 3)))
			h.sees("start row 00002")
			h.append("app.log", text(lines("a", 60)))
			h.sees("a row 00059")
			h.tick(generationGap)
			h.append("app-1.log", text(lines("start", 3)))
			h.until("it is found", func() bool {
				n := h.w.names[h.path("app-1.log")]
				return n != nil && n.file != nil && n.file.copied != nil && n.file.copied.size > 0
			})
			h.append("app-1.log", more)
			h.w.names[h.path("app-1.log")].file.copied.moved -= 5 * copyStall
			h.until("its lines", func() bool { return len(h.got) >= 66 })
			if n := len(h.got); more == "" && n != 66 {
				t.Errorf("%d entries, want 66", n)
			}
			if more != "" {
				h.sees("its own")
			}
		})
	}
}

// Two services start with the same line, in files one of whose names extends
// the other's.
func TestTwoLogsThatAreAlikeForAWhileAreBothRead(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:*.log")
		h.append("app.log", "starting\n")
		h.sees("starting")
		h.append("app-worker.log", "starting\n")
		h.lookAtAll()
		h.append("app-worker.log", "working\n")
		h.sees("working")
		if n := len(h.got); n != 3 {
			t.Errorf("got %q, want three entries", h.messages())
		}
	})
}

func TestACopyThatGrowsWithItsLogIsNotReadAgain(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start(".:*.log*")
		h.append("app.log", text(lines("a", 100)))
		h.sees("a row 00099")
		h.copy("app.log", "app.log.1") // all of it so far
		h.lookAtAll()
		h.append("app.log", text(lines("b", 100)))
		h.lookAtAll()
		h.append("app.log.1", text(lines("b", 100))) // and the rest
		h.lookAtAll()
		h.truncate("app.log")
		h.append("app.log", text(lines("c", 3)))
		h.wants(append(lines("a", 100), lines("b", 100)...), lines("c", 3))
	})
}

func TestACopyInADirectoryForOldLogsIsNotReadAgain(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.must(os.Mkdir(h.path("old"), 0o755))
		h.start(".:**/*.log*")
		h.append("app.log", text(lines("a", 60)))
		h.sees("a row 00059")
		h.copy("app.log", "old/app.log.1")
		h.truncate("app.log")
		h.append("app.log", text(lines("b", 4)))
		h.wants(lines("a", 60), lines("b", 4))
	})
}

func TestACopyOfWhatALogHeldBeforeATruncationIsNoGeneration(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.begin("a", 3)
		h.copy("app.log", "app.log.1")
		h.append("app.log", text(lines("b", 3)))
		h.sees("b row 00002")
		h.copy("app.log", "app.log.2")
		h.truncate("app.log")
		log := h.w.names[h.path("app.log")].file
		h.until("the truncation is seen", func() bool { return log.pos == 0 })
		h.rename("app.log", "app.log.3")
		h.tick(2 * generationGap)
		log.seen = 0 // as if its name had not been looked at since
		h.append("app.log", text(lines("c", 3)))
		h.wants(lines("a", 3), lines("b", 3), lines("c", 3))
	})
}

func TestACopyBornWithANewLogIsNoGenerationBeforeIt(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.begin("a", 3)
		h.rename("app.log", "app.log.1")
		h.tick(2 * generationGap)
		born := func(name string) int64 {
			st, err := statPath(h.path(name))
			h.must(err)
			return st.id.born
		}
		// Within one tick of the file system's clock.
		for {
			h.append("app.log", text(lines("b", 3)))
			h.copy("app.log", "app.log.2")
			if born("app.log") == born("app.log.2") {
				break
			}
			h.remove("app.log")
			h.remove("app.log.2")
		}
		h.wants(lines("a", 3), lines("b", 3))
	})
}

func TestATrailKeepsItsEndsAndIsDenseNearTheLast(t *testing.T) {
	var all trail
	pos := int64(0)
	for i := range 5000 {
		all.note(pos, nil, int64(i))
		if len(all) > trailLength || all[0].pos != 0 || all.end() != pos {
			t.Fatalf("after %d positions up to %d: %v", i+1, pos, all)
		}
		if i > 3*trailLength && all[trailLength/2].pos < pos/2 {
			t.Fatalf("most of %v is far from the end", all)
		}
		pos += 1 + rand.Int64N(1000)
	}
	if length, ok := all.reach(1 << 40); !ok || length != all.end() {
		t.Errorf("it reached to %d, %v", length, ok)
	}
	if _, ok := all.reach(-1); ok {
		t.Error("it is known what was before it")
	}
}
