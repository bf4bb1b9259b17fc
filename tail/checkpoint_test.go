package tail

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// document reads the checkpoint as any JSON reader would.
func (h *harness) document() (d document) {
	h.t.Helper()
	text, err := os.ReadFile(h.path("state/checkpoint.json"))
	h.must(err)
	h.must(json.Unmarshal(text, &d))
	return d
}

func TestCheckpointIsReadableAndOnlyByItsOwner(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.restart(".:*.log")
	h.append("b.log", "x\n")
	h.append("a.log", "1\n22\nhalf")
	h.sees("22")
	h.sees("x")
	h.stop()
	d := h.document()
	if len(d.Positions) != 2 || d.Program != "logwisp" || d.Version != 1 || d.Epoch != h.ring.Epoch() || d.Head != 3 {
		t.Fatalf("checkpoint %+v", d)
	}
	p := d.Positions[0]
	if p.Path != h.path("a.log") || p.Offset != 5 || p.Size != 9 || p.Inode == 0 || p.Head.Length != 9 || p.Marker.End != 9 {
		t.Errorf("position %+v", p)
	}
	for name, want := range map[string]os.FileMode{"state": 0o700, "state/checkpoint.json": 0o600, "state/checkpoint.json.lock": 0o600} {
		if info, err := os.Stat(h.path(name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v (%v)", name, info.Mode(), want, err)
		}
	}
}

func TestIDsGoOnAfterACleanStopOnly(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.restart("app.log")
	h.append("app.log", text(lines("a", 7)))
	h.sees("a row 00006")
	first := h.ring.Epoch()
	h.stop()
	h.append("app.log", text(lines("down", 5)))
	h.restart("app.log")
	h.sees("down row 00004")
	if s := h.ring.Stats(); h.ring.Epoch() != first || s.Oldest != 8 || s.Head != 12 {
		t.Errorf("epoch %d, entries %d to %d, want %d, 8 to 12", h.ring.Epoch(), s.Oldest, s.Head, first)
	}
	if _, missed := h.ring.Seek(5); missed != 3 {
		t.Errorf("a subscriber that had entry 4 has missed %d entries, want 3", missed)
	}
	h.keeps()
	h.kill()
	h.opens()
	if _, _, ok := h.checkpoint.Continues(); ok {
		t.Error("ids go on after a kill")
	}
	h.must(h.checkpoint.Close(99, 0))
	h.opens()
	if epoch, head, ok := h.checkpoint.Continues(); !ok || epoch != 99 || head != 0 {
		t.Errorf("after a run without a watcher: epoch %d, head %d, %v", epoch, head, ok)
	}
	if n := len(h.document().Positions); n != 1 {
		t.Errorf("a run without a watcher has left %d positions, want 1", n)
	}
}

func TestIDsDoNotGoOnWhenTheCheckpointCannotSaySo(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.restart("app.log")
	h.append("app.log", "a\n")
	h.sees("a")
	h.stop()
	h.must(os.Remove(h.path("state/checkpoint.json.lock")))
	h.must(os.Mkdir(h.path("state/checkpoint.json.lock"), 0o700)) // as if the directory were read-only
	h.opens()
	if _, _, ok := h.checkpoint.Continues(); ok || !h.checkpoint.Loaded() {
		t.Errorf("ids go on: %v, positions are there: %v; want only the latter", ok, h.checkpoint.Loaded())
	}
	if !strings.Contains(h.logged.String(), "cannot be written") {
		t.Errorf("log %s", h.logged.String())
	}
}

func TestUnusableCheckpointIsSetAside(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"empty":      {"", "not a checkpoint"},
		"foreign":    {`{"name":"something else"}`, "not a checkpoint"},
		"a log":      {"line\nline\n", "not a checkpoint"},
		"no version": {`{"program":"logwisp","files":[]}`, "damaged"},
		"cut":        {`{"program":"logwisp","version":1,"files":[`, "damaged"},
		"newer":      {`{"program":"logwisp","version":2,"files":{}}`, "newer version"},
		"senseless":  {`{"program":"logwisp","version":1,"files":[{"path":"/x","offset":-1}]}`, "damaged"},
		"relative":   {`{"program":"logwisp","version":1,"files":[{"path":"x"}]}`, "damaged"},
		"too long":   {`{"program":"logwisp","version":1,"files":[{"path":"/x","marker":{"end":9,"length":1000}}]}`, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
			h.must(os.Mkdir(h.path("state"), 0o700))
			h.append("state/checkpoint.json", c.text)
			h.append("app.log", "old\n")
			h.restart("app.log")
			h.append("app.log", "new\n")
			h.wants([]string{"new"})
			if log := h.logged.String(); !strings.Contains(log, c.says) || !strings.Contains(log, "set aside") {
				t.Errorf("log %s", log)
			}
			if text, err := os.ReadFile(h.path("state/checkpoint.json.bad")); err != nil || string(text) != c.text {
				t.Errorf("set aside: %q, %v", text, err)
			}
			h.stop()
			if d := h.document(); len(d.Positions) != 1 {
				t.Errorf("checkpoint %+v", d)
			}
		})
	}
}

func TestCheckpointIsHeldByOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint")
	c, err := OpenCheckpoint(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenCheckpoint(path, slog.New(slog.DiscardHandler))
	if inUse, ok := errors.AsType[*InUseError](err); !ok || inUse.Path != path {
		t.Errorf("opened again: %v", err)
	}
	if err := c.Close(1, 1); err != nil {
		t.Error(err)
	}
	if exists(path) {
		t.Error("a checkpoint was written though nothing is known")
	}
	if c, err = OpenCheckpoint(path, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatalf("after it was closed: %v", err)
	}
	if err := errors.Join(c.Close(1, 1), c.Close(1, 1)); err != nil {
		t.Error(err)
	}
}

func TestCheckpointThatIsADirectoryIsRefused(t *testing.T) {
	if _, err := OpenCheckpoint(t.TempDir(), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("opened")
	}
}

func TestFilesAreFollowedWhenTheCheckpointCannotBeWritten(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.restart("app.log")
	h.must(os.RemoveAll(h.path("state")))
	h.append("app.log", "a\n")
	h.sees("a")
	h.keeps()
	h.append("app.log", "b\n")
	h.sees("b")
	h.keeps()
	if n := strings.Count(h.logged.String(), "checkpoint not written"); n != 1 {
		t.Errorf("said %d times: %s", n, h.logged.String())
	}
	h.must(os.Mkdir(h.path("state"), 0o700))
	h.append("app.log", "c\n")
	h.sees("c")
	h.keeps()
	if d := h.document(); len(d.Positions) != 1 || d.Positions[0].Offset != 6 {
		t.Errorf("checkpoint %+v", d)
	}
}

func TestPositionsAreWrittenWithoutBeingAskedFor(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.restart("app.log")
		h.append("app.log", "a\n")
		h.until("the position", func() bool {
			return exists(h.path("state/checkpoint.json")) && h.w.keep.to.idle() && len(h.document().Positions) == 1 && h.document().Positions[0].Offset == 2
		})
	})
}

func TestVanishedFilesLeaveTheCheckpointAndWhatIsLostIsCounted(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.restart(".:*.log")
	h.append("gone.log", "x\nhalf")
	h.append("stays.log", "y\n")
	h.append("later.log", "z\n")
	h.sees("x")
	h.sees("y")
	h.sees("z")
	h.stop()
	h.remove("gone.log")
	h.restart(".:*.log")
	if n := h.w.Stats().LostBytes; n != 4 {
		t.Errorf("%d bytes lost, want the 4 of the line that had no end", n)
	}
	h.remove("later.log")
	h.until("the removal", func() bool { return h.w.Stats().Files == 1 && len(h.w.timed) == 0 })
	h.stop()
	if d := h.document(); len(d.Positions) != 1 || d.Positions[0].Path != h.path("stays.log") {
		t.Errorf("checkpoint %+v", d.Positions)
	}
}

func TestPositionInADirectoryThatIsNotThereIsKeptForADay(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.must(os.Mkdir(h.path("mount"), 0o700))
	h.restart(".:**/*.log")
	h.append("mount/app.log", text(lines("a", 5)))
	h.sees("a row 00004")
	h.stop()
	h.rename("mount", "elsewhere.not")
	h.must(os.Mkdir(h.path("hidden"), 0o700))
	h.rename("elsewhere.not", "hidden/mount")
	// A run that does not find it, for its target is another directory.
	h.restart("app.log")
	h.stop()
	h.rename("hidden/mount", "mount")
	h.append("mount/app.log", text(lines("b", 5)))
	h.restart(".:**/*.log")
	h.wants(lines("a", 5), lines("b", 5))

	s := &saved{positions: []*position{{Path: "/gone/app.log"}}}
	day := int64(24 * time.Hour)
	for i, want := range []int{1, 1, 0} {
		if n := len(s.appendMissing(nil, day*int64(10+i)-int64(i)*1e9/2)); n != want {
			t.Errorf("after %d days %d positions are kept, want %d", i, n, want)
		}
	}
}

func TestFileFoundLateGoesOnWhereItWas(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.must(os.Mkdir(h.path("mount"), 0o700))
		h.restart(".:**/*.log")
		h.append("mount/app.log", text(lines("a", 5)))
		h.sees("a row 00004")
		h.stop()
		outside := h.t.(*testing.T).TempDir()
		h.must(os.Rename(h.path("mount"), filepath.Join(outside, "mount")))
		h.restart(".:**/*.log")
		h.must(os.Rename(filepath.Join(outside, "mount"), h.path("mount")))
		h.append("mount/app.log", text(lines("b", 5)))
		h.wants(lines("a", 5), lines("b", 5))
	})
}

func TestReplacementsOfAKilledRunAreRemoved(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.must(os.Mkdir(h.path("state"), 0o700))
	for _, name := range []string{".checkpoint.json123", ".checkpoint.json", ".checkpoint.json12a", "checkpoint.json1"} {
		h.append("state/"+name, "x")
	}
	h.opens()
	names, err := readNames(h.path("state"))
	h.must(err)
	if len(names) != 4 || exists(h.path("state/.checkpoint.json123")) {
		t.Errorf("left: %v", names)
	}
}

func TestTenThousandFilesGoOnWhereTheyWere(t *testing.T) {
	files := 10000
	if testing.Short() {
		files = 1000
	}
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	for i := range files {
		h.append(fmt.Sprintf("%05d.log", i), "old\n")
	}
	o := options(h.watch)
	o.MaxFiles = 2 * files
	h.opens()
	h.startWith(o, settings{}, ".:*.log")
	h.stop()
	if n := len(h.document().Positions); n != files {
		t.Fatalf("%d positions", n)
	}
	for i := range files {
		if i%2 == 0 {
			h.append(fmt.Sprintf("%05d.log", i), fmt.Sprintf("down %05d\n", i))
		} else if i%100 == 1 {
			h.rename(fmt.Sprintf("%05d.log", i), fmt.Sprintf("%05d.log.1", i))
			h.append(fmt.Sprintf("%05d.log", i), fmt.Sprintf("fresh %05d\n", i))
		}
	}
	h.opens()
	h.startWith(o, settings{}, ".:*.log")
	h.until("all lines", func() bool { return len(h.got) >= files/2+files/100 })
	h.stop()
	if n := len(h.got); n != files/2+files/100 {
		t.Errorf("%d messages, want %d", n, files/2+files/100)
	}
}

func TestGenerationsAreToldFromOtherLogs(t *testing.T) {
	for name, want := range map[string]bool{
		"/d/app.log.1": true, "/d/app.log-20260102": true, "/d/app-20260102.log": true, "/d/app.1.log": true,
		"/d/app-2026-01-02T15-04-05.000.log": true, "/d/app.log.2026-01-02": true,
		"/d/app.log": false, "/d/app-error.log": false, "/d/app.log.gz": false, "/d/app.log.1.gz": false,
		"/d/app2.log": false, "/d/app.log.": false, "/d/app.log.bak": false, "/d/other.log.1": false,
	} {
		if got := generationOf(name, "/d/app.log"); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// Whoever can write to the checkpoint cannot have another file read.
func TestACheckpointHasNoFileFollowedThatNoTargetNames(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.opens()
	h.start("secret.txt", "app.log")
	h.append("secret.txt", "one\n")
	h.append("app.log", "two\n")
	h.sees("one")
	h.sees("two")
	h.stop()
	h.append("secret.txt", "not asked for\n")
	h.rename("secret.txt", "secret.txt.1")
	h.append("secret.txt", "nor this\n")
	h.restart("app.log")
	h.append("app.log", "three\n")
	h.wants([]string{"one"}, []string{"two", "three"})
	h.stop()
}
