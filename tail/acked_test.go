package tail

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
)

// acknowledged begins a run whose one reader acknowledges up to acked.
func (h *harness) acknowledged(acked *atomic.Uint64, targets ...string) {
	h.t.Helper()
	h.opens()
	o := options(h.watch)
	o.Acked = acked.Load
	h.startWith(o, settings{}, targets...)
}

// afterASecond has positions kept as the clock would.
func (h *harness) afterASecond() {
	h.w.keep.next = 0
	h.w.keepPositions()
	h.checkpoint.writes.Wait()
}

// hasAcknowledged begins a run and has the lines written, acknowledged and kept.
func (h *harness) hasAcknowledged(acked *atomic.Uint64, group []string) {
	h.t.Helper()
	h.acknowledged(acked, ".:*.log")
	h.keeps()
	h.append("app.log", text(group))
	h.sees(group[len(group)-1])
	acked.Store(uint64(len(group)))
	h.afterASecond() // takes them
	h.afterASecond() // keeps them
}

func TestPositionsAreKeptOnceWhatWasReadIsAcknowledged(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		var acked atomic.Uint64
		h.acknowledged(&acked, ".:*.log")
		h.keeps()
		h.append("app.log", "one\ntwo\n")
		h.sees("two")
		h.afterASecond()
		h.append("app.log", "three\n")
		h.sees("three")
		acked.Store(1)
		h.afterASecond()
		for _, p := range h.document().Positions {
			if p.Offset != 0 {
				t.Errorf("offset %d is kept with one of two entries acknowledged", p.Offset)
			}
		}
		acked.Store(2)
		h.afterASecond()
		if p := h.document().Positions; len(p) != 1 || p[0].Offset != 8 {
			t.Errorf("positions %+v, want offset 8 with the first two acknowledged", p)
		}
	})
}

func TestAfterACrashEverythingComesAgainThatWasNotAcknowledged(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		var acked atomic.Uint64
		h.hasAcknowledged(&acked, lines("a", 3))
		h.append("app.log", text(lines("b", 3)))
		h.sees("b row 00002")
		h.rename("app.log", "app.log.1")
		h.append("app.log", text(lines("c", 3)))
		h.sees("c row 00002")
		h.afterASecond()
		h.kill()
		acked.Store(0)
		h.got = nil
		h.acknowledged(&acked, ".:*.log")
		h.wants(lines("b", 3), lines("c", 3))
	})
}

func TestACleanStopKeepsWhatIsAcknowledgedAfterTheLastLook(t *testing.T) {
	for _, late := range []uint64{5, 3} {
		scenario(t, func(_ *testing.T, h *harness) {
			var acked atomic.Uint64
			h.hasAcknowledged(&acked, lines("a", 3))
			h.append("app.log", text(lines("b", 2)))
			h.w.lastLook()
			h.w.keepLast()
			acked.Store(late)
			h.w.Settle()
			h.must(h.w.Close())
			h.must(h.checkpoint.Close(0, 0))
			h.got = nil
			acked.Store(0)
			h.acknowledged(&acked, ".:*.log")
			h.append("app.log", text(lines("c", 1)))
			if late == 5 {
				h.wants(lines("c", 1))
			} else {
				h.wants(lines("b", 2), lines("c", 1))
			}
		})
	}
}

// The lines are short and what is added to them is long: one read makes many
// times the ring's size of entries.
func TestWhatIsReadForOneReaderNeverOverrunsIt(t *testing.T) {
	b := newBacklogged(t)
	_ = b.w.Close()
	var acked atomic.Uint64
	o := options("poll")
	o.ReadFrom, o.Acked = "beginning", acked.Load
	h := &harness{t: t, dir: t.TempDir(), watch: "poll"}
	h.append("a.log", strings.Repeat("x\n", 50_000))
	o.Targets = []Target{{Path: h.dir, Pattern: "*.log", Tags: map[string]string{"t": strings.Repeat("y", 300)}}}
	w, err := New(o, b.ring, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b.reader.Reach(1)
	cursor := b.ring.Live() // before the first entry: the watcher waits for who has read none
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	next := uint64(1)
	for next <= 50_000 {
		b.reader.Enter()
		p, lost, ok := cursor.Page()
		if lost > 0 {
			t.Fatalf("%d entries were overwritten behind entry %d", lost, next)
		}
		if ok {
			next = p.First + uint64(p.Count())
			cursor.Advance(next)
		}
		b.reader.Exit()
		acked.Store(next - 1)
		b.reader.Reach(next)
	}
}

// reached begins a run whose readers have what there is up to seq, and has text
// read, the last line of which is last, and its position taken.
func (h *harness) reached(seq *atomic.Uint64, text, last string) {
	h.t.Helper()
	h.append("app.log", "")
	h.opens()
	o := options(h.watch)
	o.Reached = seq.Load
	h.startWith(o, settings{}, ".:*.log")
	h.keeps()
	h.append("app.log", text)
	h.sees(last)
	h.afterASecond()
}

// kept is the offset in the checkpoint of the one file followed.
func (h *harness) kept() int64 {
	h.t.Helper()
	p := h.document().Positions
	if len(p) != 1 {
		h.t.Fatalf("%d positions are kept, want 1: %+v", len(p), p)
	}
	return p[0].Offset
}

func TestPositionsWaitForReadersThatAreOnTheirWay(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		var seq atomic.Uint64
		h.reached(&seq, "one\ntwo\n", "two")
		seq.Store(1)
		h.append("app.log", "three\n")
		h.sees("three")
		h.afterASecond()
		if got := h.kept(); got != 0 {
			t.Errorf("offset %d is kept though a reader has only the first of two entries", got)
		}
		seq.Store(2)
		h.afterASecond() // keeps them
		if got := h.kept(); got != 8 {
			t.Errorf("offset %d is kept, want 8: the readers have two entries", got)
		}
		seq.Store(3)
		h.afterASecond() // takes and keeps them at once
		if got := h.kept(); got != 14 {
			t.Errorf("offset %d is kept, want 14: the readers have all", got)
		}
	})
}

func TestPositionsDoNotWaitLongForAReader(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		var seq atomic.Uint64
		h.reached(&seq, "one\n", "one")
		h.w.keep.waiting.taken -= keepWait
		h.afterASecond()
		if got := h.kept(); got != 4 {
			t.Errorf("offset %d is kept, want 4: the reader was waited for", got)
		}
	})
}

func TestACleanStopWaitsForNoReaderThatDoesNotAcknowledge(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		var seq atomic.Uint64
		h.reached(&seq, "one\n", "one")
		h.append("app.log", "two\n")
		h.stop()
		if got := h.kept(); got != 8 {
			t.Errorf("offset %d is kept, want 8", got)
		}
	})
}
