package tail

import (
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// TestAFullDiskIsSaidOnceAndPositionsAreKeptAgainWhenThereIsRoom has the
// checkpoint in a file system of 16 KiB that something else has filled.
func TestAFullDiskIsSaidOnceAndPositionsAreKeptAgainWhenThereIsRoom(t *testing.T) {
	if !inNamespace(t, mayMount, "") {
		return
	}
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.must(os.Mkdir(h.path("state"), 0o700))
	if err := unix.Mount("tmpfs", h.path("state"), "tmpfs", 0, "size=16k"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(h.path("state"), unix.MNT_DETACH) })
	h.restart("app.log")
	h.append("app.log", "a\n")
	h.sees("a")
	h.keeps()
	before := h.document()
	filler, err := os.Create(h.path("state/filler"))
	h.must(err)
	for err == nil {
		_, err = filler.Write(make([]byte, 512))
	}
	if filler.Close(); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the file system is not full: %v", err)
	}
	for _, line := range []string{"b", "c", "d"} {
		h.append("app.log", line+"\n")
		h.sees(line)
		h.keeps()
	}
	if n := strings.Count(h.logged.String(), "checkpoint not written"); n != 1 || !strings.Contains(h.logged.String(), "no space left") {
		t.Errorf("said %d times: %s", n, h.logged.String())
	}
	if n := h.w.Stats().Failures["checkpoint"]; n != 3 {
		t.Errorf("%d failures are counted, want 3", n)
	}
	if d := h.document(); len(d.Positions) != 1 || d.Positions[0].Offset != before.Positions[0].Offset {
		t.Errorf("the checkpoint was damaged: %+v", d)
	}
	h.remove("state/filler")
	h.append("app.log", "e\n")
	h.sees("e")
	h.keeps()
	if d := h.document(); len(d.Positions) != 1 || d.Positions[0].Offset != 10 || !strings.Contains(h.logged.String(), "written again") {
		t.Errorf("checkpoint %+v, log %s", d, h.logged.String())
	}
}

// TestMegabytesOfBinaryNoiseBecomeValidEntries: noise is a log like any other, and
// what follows it comes.
func TestMegabytesOfBinaryNoiseBecomeValidEntries(t *testing.T) {
	const size = 4 << 20
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.start("app.log")
	h.append("app.log", "first\n")
	h.sees("first")
	random := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, size)
	_, _ = random.Read(noise)
	h.append("app.log", string(noise)+"\nlast\n")
	h.sees("last") // every entry is read as JSON on its way
	for _, e := range h.got {
		if !utf8.ValidString(e.Message) {
			t.Fatalf("message %q", e.Message)
		}
	}
	if s := h.w.Stats(); s.ReadBytes != uint64(size+len("first\n\nlast\n")) || s.Errors != 0 || s.LostBytes != 0 || s.LagBytes != 0 {
		t.Errorf("%+v", s)
	}
}

// TestALogOfLinesOfAMebibyteOnlyComesWhole has lines as long as they may be.
func TestALogOfLinesOfAMebibyteOnlyComesWhole(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.start("app.log")
	var want []string
	for i := range 20 {
		want = append(want, strings.Repeat(string(rune('a'+i)), 1<<20))
	}
	h.append("app.log", strings.Join(want, "\n")+"\n")
	h.wants(want)
	if s := h.w.Stats(); s.Truncated != 0 {
		t.Errorf("%d lines were cut", s.Truncated)
	}
}
