package tail

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logwisp/ring"
)

// bursts is how often the log is rotated in a burst.
const bursts = 50

// burstPause is from one rotation to the next: fifty take a second. The file
// system's clock has to tell the generations apart.
const burstPause = 2 * generationGap

// rotateInBurst writes to app.log and renames it away, again and again, with a
// call of between before each next rotation. It returns the lines of each
// generation.
func rotateInBurst(h *harness, between func(rotation int)) (all [][]string) {
	for i := range bursts {
		g := lines(fmt.Sprintf("g%02d", i), 20)
		h.append("app.log", text(g))
		all = append(all, g)
		between(i)
		h.rename("app.log", fmt.Sprintf("app.log.%02d", i))
	}
	g := lines(fmt.Sprintf("g%02d", bursts), 20)
	h.append("app.log", text(g))
	return append(all, g)
}

// burst runs a test with every pattern and way of watching.
func burst(t *testing.T, test func(t *testing.T, h *harness)) {
	for _, pattern := range patterns {
		t.Run(pattern, func(t *testing.T) {
			scenario(t, func(t *testing.T, h *harness) {
				h.append("app.log", "before\n")
				h.start(pattern)
				h.append("app.log", "first\n")
				h.sees("first")
				h.got = nil
				for f := range h.w.files {
					if f.born == 0 {
						t.Skip("the file system keeps no time of birth")
					}
				}
				test(t, h)
			})
		})
	}
}

func TestFiftyRotationsInASecondLoseAndRepeatNothing(t *testing.T) {
	burst(t, func(t *testing.T, h *harness) {
		stop := running(t, h.w)
		all := rotateInBurst(h, func(int) { h.tick(burstPause) })
		last := all[bursts][19]
		deadline := time.Now().Add(patience)
		for !h.has(last) && time.Now().Before(deadline) {
			h.collect()
		}
		stop()
		h.collect()
		h.wantsGenerations(all)
	})
}

func TestTenRotationsBetweenTwoLooksLoseAndRepeatNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes four seconds of the file system's clock")
	}
	burst(t, func(_ *testing.T, h *harness) {
		all := rotateInBurst(h, func(rotation int) {
			h.tick(burstPause)
			if rotation%10 == 9 {
				h.w.work(h.t.Context())
				h.collect()
			}
		})
		h.sees(all[bursts][19])
		h.wantsGenerations(all)
	})
}

// wantsGenerations checks that each line came exactly once, those of a
// generation in order. Generations follow one another unless the pattern names
// them: then several found in one look are files like any others.
func (h *harness) wantsGenerations(generations [][]string) {
	h.t.Helper()
	want := slices.Concat(generations...)
	have := h.messages()
	if h.w.matched(h.path("app.log.00")) {
		// By generation; a stable sort leaves the order within each.
		slices.SortStableFunc(have, func(a, b string) int { return strings.Compare(a[:3], b[:3]) })
	}
	for i := range max(len(have), len(want)) {
		switch {
		case i >= len(have):
			h.t.Fatalf("%d lines, want %d: the first missing is %q", len(have), len(want), want[i])
		case i >= len(want):
			h.t.Fatalf("%d lines, want %d: the first too many is %q", len(have), len(want), have[i])
		case have[i] != want[i]:
			h.t.Fatalf("line %d of %d is %q, want %q", i, len(have), have[i], want[i])
		}
	}
}

// A stop of some minutes leaves many rotated files, each far smaller than the
// ring, that are larger than it together.
func TestABacklogOfManySmallFilesIsHeldToItsReaderToo(t *testing.T) {
	const files, rows = 64, 90 // 90 KiB each, the ring has 1 MiB
	dir := t.TempDir()
	for i := range files {
		path := filepath.Join(dir, fmt.Sprintf("%02d.log", i))
		if err := os.WriteFile(path, []byte(text(lines(strings.Repeat("x", 1010), rows))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := options("poll")
	o.ReadFrom = "beginning"
	o.Targets = []Target{{Path: dir, Pattern: "*.log"}}
	r := ring.New(ring.Options{Entries: 1 << 16, Bytes: 1 << 20, Recycle: true})
	reader := r.NewReader()
	w, err := newWatcher(o, nil, r, slog.New(slog.DiscardHandler), settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	next := uint64(1)
	for deadline := time.Now().Add(patience); next < files*rows; next++ {
		reader.Reach(next)
		w.releaseHeld() // as after holdTime
		w.work(t.Context())
		if oldest := r.Oldest(); oldest > next {
			t.Fatalf("entries %d to %d are lost to a reader that makes progress", next, oldest-1)
		}
		if time.Now().After(deadline) {
			t.Fatalf("entry %d of %d is not there after %v", next, files*rows, patience)
		}
	}
}

// A file that is replaced between the look at its path and its opening must not
// make the watcher forget what was there before.
func TestAFileReplacedWhileItIsOpenedHidesNoGeneration(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start("app.log")
		h.append("app.log", "first\n")
		h.sees("first")
		n := h.w.names[h.path("app.log")]
		if n.file.id.born == 0 {
			t.Skip("the file system keeps no time of birth")
		}
		h.tick(burstPause)
		h.rename("app.log", "app.log.1")
		h.tick(burstPause)
		h.append("app.log", "second\n")
		at := h.w.now()
		seen, err := statPath(h.path("app.log"))
		h.must(err)
		h.tick(burstPause)
		h.rename("app.log", "app.log.2")
		h.tick(burstPause)
		h.append("app.log", "third\n")
		h.w.arrive(n, seen, at)
		h.wants([]string{"first", "second", "third"})
	})
}

// rotations starts to follow app.log and rotates it some times without a look in
// between, each time with lines of its own. It returns the generations.
func rotations(t *testing.T, h *harness, times int, rotate func(i int)) (all [][]string) {
	h.append("app.log", "before\n")
	h.start("app.log")
	h.append("app.log", "first\n")
	h.sees("first")
	if h.w.names[h.path("app.log")].file.id.born == 0 {
		t.Skip("the file system keeps no time of birth")
	}
	all = [][]string{{"first"}}
	for i := range times {
		rotate(i)
		g := lines(fmt.Sprintf("g%02d", i), 3)
		h.append("app.log", text(g))
		all = append(all, g)
	}
	return all
}

// What logrotate does unless it is told otherwise: each file that was rotated gets
// the next number, which changes its status, just before the log is made anew.
func TestNumberedRotationsBetweenTwoLooksLoseNothing(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		all := rotations(t, h, 4, func(i int) {
			h.tick(burstPause)
			for k := i; k > 0; k-- {
				h.rename(fmt.Sprintf("app.log.%d", k), fmt.Sprintf("app.log.%d", k+1))
			}
			h.rename("app.log", "app.log.1")
		})
		h.wants(all...)
	})
}

func TestRotationsThatKeepOneFileLoseNothingThatIsThere(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		all := rotations(t, h, 2, func(int) {
			h.tick(burstPause)
			h.rename("app.log", "app.log.1")
		})
		h.wants(all...)
	})
}

func TestRotationsWithoutAPauseBetweenTwoLooksLoseNothing(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		all := rotations(t, h, 12, func(i int) { h.rename("app.log", fmt.Sprintf("app.log.%02d.bak", i)) })
		h.wants(all...)
	})
}

// What another program makes beside the log is no generation of it.
func TestAFileBesideTheLogIsNotReadAfterARotation(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		all := rotations(t, h, 1, func(int) {
			h.append("app.log-report", "not ours\n")
			h.tick(burstPause)
			h.rename("app.log", "app.log.1")
		})
		h.wants(all...)
	})
}
