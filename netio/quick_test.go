package netio

import (
	"bytes"
	"testing"

	"logwisp/ring"
)

func TestOneThatHadCaughtUpIsServedBeforeARoundOfLargeWritesGoesOn(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 1024, Bytes: 64 << 20}, rawForm())
	defer b.close()
	b.pad = func(uint64) int { return 4000 }
	busy, last := b.join(1<<20), b.join(0)
	b.settle() // both have caught up
	b.publish(1000, 10)
	b.loop.pump(busy, false)
	if busy.current {
		t.Fatal("one write took all there was")
	}
	b.receive(busy, 4<<20)
	// The round stands before its second subscriber and is interrupted.
	b.loop.next, b.loop.behind = 1, true
	last.cursor = b.ring.Live()
	last.start = last.cursor.Seq()
	b.publish(1, 1)
	b.loop.quickFirst(false)
	if got := b.receive(last, 1<<20); !bytes.Equal(got, []byte(b.line(b.published))) {
		t.Errorf("the one that had caught up got %.60q", got)
	}
	if got := b.receive(busy, 1<<20); len(got) > 0 {
		t.Errorf("the one that is behind got %d bytes", len(got))
	}
	b.publish(1, 1)
	b.loop.quickHead = b.ring.Head()
	b.loop.quickFirst(false)
	if got := b.receive(last, 1<<20); len(got) > 0 {
		t.Errorf("it was served again though nothing had come since: %.60q", got)
	}
}
