package tail

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"logwisp/ring"
)

// tracked follows one file for a reader that acknowledges nothing, from its
// beginning, and returns the messages once there are n of them and the last.
func tracked(t *testing.T, path string, target Target, adopt []byte, n int, last string) ([]string, *Origins) {
	t.Helper()
	checkpoint, err := OpenCheckpoint(t.TempDir()+"/c.json", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if adopt != nil {
		if err := checkpoint.Adopt(adopt, 1); err != nil {
			t.Fatal(err)
		}
	}
	r := ring.New(ring.Options{Entries: 1 << 12, Bytes: 8 << 20})
	var acked atomic.Uint64
	o := options("poll")
	o.ReadFrom, o.Acked, o.Origins, o.PartialFlush = "beginning", acked.Load, NewOrigins(1), 20
	target.Path, target.IsFile = path, true
	o.Targets = []Target{target}
	w, err := Resume(checkpoint, o, r, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.Close()
		_ = checkpoint.Close(0, 0)
	})
	h := &harness{t: t, ring: r, w: w}
	h.cursor, _ = r.Seek(1)
	h.until(fmt.Sprint(n, " entries"), func() bool { return len(h.got) >= n && (last == "" || h.has(last)) })
	return h.messages(), o.Origins
}

// Whoever has an entry, and all before it, goes on with the next one, whatever
// the entries were made of.
func TestReadingGoesOnExactlyBehindAnyEntry(t *testing.T) {
	stamp := time.Now().UTC().Format(time.RFC3339Nano)
	cri := func(stream, tag, text string) string { return stamp + " " + stream + " " + tag + " " + text + "\n" }
	long := strings.Repeat("x", 40<<10)
	for name, c := range map[string]struct {
		text   string
		target Target
		want   int
	}{
		"lines":             {"a\nb\n\n  \nc\r\nd\n", Target{}, 4},
		"an unfinished one": {"a\nb\nc", Target{}, 3},
		"many reads":        {strings.Repeat(long+"\n", 12), Target{}, 12},
		"traces": {
			"a\n 1\n 2\nb\nc\n 3\nd\n",
			Target{Multiline: Multiline{Preset: "indent", Flush: 30}},
			4,
		},
		"pieces": {
			cri("stdout", "F", "one") + cri("stdout", "P", "tw") + cri("stderr", "F", "err") +
				cri("stdout", "F", "o") + cri("stderr", "P", "e") + cri("stdout", "F", "three") + cri("stderr", "F", "rr"),
			Target{},
			5,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := t.TempDir() + "/app.log"
			h := &harness{t: t, dir: "/"}
			h.append(path, c.text)
			all, origins := tracked(t, path, c.target, nil, c.want, "")
			if len(all) != c.want {
				t.Fatalf("%d entries, want %d: %.300q", len(all), c.want, all)
			}
			for i := range all[:len(all)-1] {
				at, ok, settled := origins.At(uint64(i) + 1)
				if !ok || !settled {
					t.Fatal("the read is not over")
				}
				rest, _ := tracked(t, path, c.target, at.Position(), len(all)-i-1, all[len(all)-1])
				// What overlaps in the file cannot be told apart by an offset: then
				// more comes again, and never less.
				again := len(rest) - len(all[i+1:])
				if want := all[i+1:]; again < 0 || again > 0 && name != "pieces" || !slices.Equal(rest[again:], want) {
					t.Errorf("behind entry %d: %.200q, want %.200q", i+1, rest, want)
				}
			}
		})
	}
}

// Entries that the reader's filter leaves out are acknowledged, too.
func TestOriginsOfWhatIsAcknowledgedAreGivenUp(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.opens()
		o := options(h.watch)
		o.Acked, o.Origins = func() uint64 { return h.ring.Head() }, NewOrigins(1)
		h.startWith(o, settings{}, ".:*.log")
		for _, line := range lines("a", 100) {
			h.append("app.log", line+"\n")
			h.sees(line)
		}
		if n := len(o.Origins.all); n > 10 {
			t.Errorf("%d of 100 origins are held", n)
		}
	})
}

func TestWhatIsForgottenHasNoOrigin(t *testing.T) {
	o := NewOrigins(5)
	f := &file{id: identity{1, 2, 3}, path: "/a"}
	for range 3 {
		o.add(f, 10)
	}
	if _, _, settled := o.At(5); settled {
		t.Error("settled while the read goes on")
	}
	o.settle(f)
	o.forget(6)
	for seq, want := range map[uint64]bool{4: false, 5: false, 6: false, 7: true, 8: false} {
		if _, ok, settled := o.At(seq); ok != want || !settled {
			t.Errorf("entry %d: %v, settled %v", seq, ok, settled)
		}
	}
}

func TestANewerCheckpointIsNotReplacedByWhatAReaderKept(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir()}
	c, err := OpenCheckpoint(h.path("c.json"), slog.New(slog.DiscardHandler))
	h.must(err)
	defer func() { _ = c.Close(0, 0) }()
	place := func(offset int, at int64) {
		t.Helper()
		h.must(c.Adopt(fmt.Appendf(nil, `{"path":"/a","inode":7,"born":1,"offset":%d,"marker":{"end":%d}}`, offset, offset), at))
	}
	place(10, 100)
	place(20, 99)
	place(30, 101)
	if p := c.before.positions; len(p) != 1 || p[0].Offset != 30 || c.before.byKey[p[0].id().key()] != p[0] {
		t.Errorf("positions %+v", p)
	}
	if err := c.Adopt([]byte(`{"path":"a"}`), 1); err == nil {
		t.Error("a relative path is taken")
	}
}

// TestOfAFileThatBeginsTheSameWhatIsFurtherIsNewer has the clock set back between two
// positions.
func TestOfAFileThatBeginsTheSameWhatIsFurtherIsNewer(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir()}
	c, err := OpenCheckpoint(h.path("c.json"), slog.New(slog.DiscardHandler))
	h.must(err)
	defer func() { _ = c.Close(0, 0) }()
	place := func(sum, offset int, at int64) {
		t.Helper()
		h.must(c.Adopt(fmt.Appendf(nil, `{"path":"/a","inode":7,"born":1,"offset":%d,"marker":{"end":%d},"fingerprint":{"length":%d,"sum":%d}}`, offset, offset, headSize, sum), at))
		if p := c.before.positions; len(p) != 1 || c.before.byKey[p[0].id().key()] != p[0] {
			t.Errorf("positions %+v", p)
		}
	}
	place(1, 5000, 100)
	place(1, 6000, 99)
	place(1, 4000, 101)
	if p := c.before.positions[0]; p.Offset != 6000 {
		t.Errorf("it goes on at %d", p.Offset)
	}
	place(2, 2000, 102) // it was written anew
	if p := c.before.positions[0]; p.Offset != 2000 {
		t.Errorf("it goes on at %d", p.Offset)
	}
}

// TestAdoptedPositionsAreInTheOrderOfReading has the files of a path be read oldest
// first, whatever order a stream names them in.
func TestAdoptedPositionsAreInTheOrderOfReading(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir()}
	c, err := OpenCheckpoint(h.path("c.json"), slog.New(slog.DiscardHandler))
	h.must(err)
	defer func() { _ = c.Close(0, 0) }()
	for _, born := range []int{3, 1, 2} {
		h.must(c.Adopt(fmt.Appendf(nil, `{"path":"/a","inode":%d,"born":%d,"offset":1,"marker":{"end":1}}`, 10+born, born), 1))
	}
	for i, p := range c.loaded().positions {
		if p.Born != int64(i+1) {
			t.Errorf("position %d is of the file born %d", i, p.Born)
		}
	}
}
