package tail

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"logwisp/ring"
)

// backlogged is a watcher with a small ring and a file that is sixteen times as
// large, and a reader of the ring.
type backlogged struct {
	t      *testing.T
	w      *Watcher
	ring   *ring.Ring
	reader *ring.Reader
	path   string
	lines  int
}

func newBacklogged(t *testing.T) *backlogged {
	b := &backlogged{t: t, path: filepath.Join(t.TempDir(), "a.log"), lines: 16 << 10}
	var text strings.Builder
	for i := range b.lines {
		fmt.Fprintf(&text, "line %06d %s\n", i, strings.Repeat("x", 1010))
	}
	if err := os.WriteFile(b.path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options("poll")
	o.ReadFrom = "beginning"
	o.Targets = []Target{{Path: filepath.Dir(b.path), Pattern: "*.log"}}
	b.ring = ring.New(ring.Options{Entries: 1 << 16, Bytes: 1 << 20, Recycle: true})
	b.reader = b.ring.NewReader()
	w, err := newWatcher(o, nil, b.ring, slog.New(slog.DiscardHandler), settings{})
	if err != nil {
		t.Fatal(err)
	}
	b.w = w
	t.Cleanup(func() { _ = w.Close() })
	return b
}

// read runs the watcher until the file is at its end or waits for readers.
func (b *backlogged) read() (waits bool) {
	b.t.Helper()
	f := b.w.names[b.path].file
	b.w.releaseHeld() // as after holdTime
	for range 10_000 {
		b.w.work(b.t.Context())
		if f.held {
			return true
		}
		if f.atEnd {
			return false
		}
		b.w.wait(b.t.Context())
	}
	b.t.Fatal("the file is neither read nor held")
	return false
}

func TestABacklogIsReadNoFurtherThanHalfARingAheadOfTheFurthestReader(t *testing.T) {
	b := newBacklogged(t)
	next, stuck := uint64(1), b.ring.NewReader()
	stuck.Reach(1)
	for b.reader.Reach(next); b.read(); b.reader.Reach(next) {
		share, _ := b.ring.Lead()
		if share < 0.4 || share > 0.9 {
			t.Fatalf("held at %.2f of the ring with entry %d expected", share, next)
		}
		if oldest := b.ring.Oldest(); oldest > next {
			t.Fatalf("entries %d to %d are lost", next, oldest-1)
		}
		next += 100
	}
	if oldest, head := b.ring.Oldest(), b.ring.Head(); oldest > next || head != uint64(b.lines) {
		t.Errorf("with entry %d expected the ring holds %d to %d of %d", next, oldest, head, b.lines)
	}
}

func TestABacklogIsReadFreelyWhenNobodyReads(t *testing.T) {
	b := newBacklogged(t)
	if b.read() {
		t.Error("the file is held though nobody reads")
	}
}

func TestABacklogIsReadFreelyOnceTheReadersAreGone(t *testing.T) {
	b := newBacklogged(t)
	b.reader.Reach(1)
	if !b.read() {
		t.Fatal("the file is not held")
	}
	b.reader.Reach(0)
	for range 100 {
		b.w.work(t.Context())
		if f := b.w.names[b.path].file; f.atEnd {
			return
		}
		b.w.wait(t.Context())
	}
	t.Error("the file is still held")
}

func TestAFileWithABacklogHoldsUpNoOther(t *testing.T) {
	b := newBacklogged(t)
	b.reader.Reach(1)
	if !b.read() {
		t.Fatal("the file is not held")
	}
	head := b.ring.Head()
	other := filepath.Join(filepath.Dir(b.path), "b.log")
	if err := os.WriteFile(other, []byte("quiet\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.w.scan()
	for range 1000 {
		b.w.work(t.Context())
		if b.ring.Head() > head {
			return
		}
		b.w.wait(t.Context())
	}
	t.Error("the other file's line does not come")
}

// overtaken is by how many entries the ring has left behind a reader that
// stands at next.
func (b *backlogged) overtaken(next uint64) uint64 {
	return max(b.ring.Oldest(), next) - next
}

func TestARotationDoesNotThrowABacklogOverTheReaders(t *testing.T) {
	b := newBacklogged(t)
	b.reader.Reach(1)
	if !b.read() {
		t.Fatal("the file is not held")
	}
	f := b.w.names[b.path].file
	if err := os.Rename(b.path, b.path+".1"); err != nil {
		t.Fatal(err)
	}
	b.w.checkAll(false)
	if f.phase != rotated {
		t.Fatal("the file is not rotated")
	}
	for range 50 { // as when RotateWait has passed over and over
		b.w.passTime(f, b.w.now()+patience)
		b.w.work(t.Context())
	}
	if n := b.overtaken(1); n > 0 {
		t.Errorf("%d entries were dropped before the reader had them", n)
	}
}

func TestTheEndOfARunCutsNoLineOfAHeldFileThatWasRotated(t *testing.T) {
	b := newBacklogged(t)
	b.reader.Reach(1)
	if !b.read() {
		t.Fatal("the file is not held")
	}
	f := b.w.names[b.path].file
	if err := os.Rename(b.path, b.path+".1"); err != nil {
		t.Fatal(err)
	}
	b.w.checkAll(false)
	b.w.lastLook()
	if f.atEnd || f.phase != rotated {
		t.Fatal("the file is not held")
	}
	if lineLength := int64(len("line 000000 \n") + 1010); f.whole%lineLength != 0 {
		t.Errorf("the position kept is %d bytes into a line", f.whole%lineLength)
	}
}

func TestBacklogsOfManyFilesAreHeldBackTogether(t *testing.T) {
	b := newBacklogged(t)
	text, err := os.ReadFile(b.path)
	if err != nil {
		t.Fatal(err)
	}
	part := text[:100*len(text)/b.lines]
	for i := range 32 {
		if err := os.WriteFile(fmt.Sprintf("%s.%d.log", b.path, i), part, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(b.path); err != nil {
		t.Fatal(err)
	}
	b.w.scan()
	b.reader.Reach(1)
	for range 50 {
		b.w.releaseHeld()
		b.w.work(t.Context())
	}
	if n := b.overtaken(1); n > 0 {
		t.Errorf("%d entries were dropped before the reader had them", n)
	}
}
