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

func TestOneThatIsALittleBehindComesBackToTheHeadBeforeThoseFarBehindGoOn(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 4096, Bytes: 64 << 20}, rawForm())
	defer b.close()
	b.pad = func(uint64) int { return 4000 }
	far, near := b.join(1<<20), b.join(1<<20)
	b.settle() // both have caught up
	b.publish(3000, 10)
	near.cursor = b.ring.Live()
	near.start = near.cursor.Seq()
	b.publish(100, 10) // more than one write, less than a sixteenth of the ring
	for _, s := range []*Subscriber{far, near} {
		b.loop.pump(s, false)
		if s.current {
			t.Fatal("one write took all there was")
		}
	}
	b.receive(far, 4<<20)
	got := b.receive(near, 4<<20)
	b.loop.next, b.loop.behind = 1, true // the round is interrupted
	b.loop.quickFirst(false)
	got = append(got, b.receive(near, 4<<20)...)
	if lines := bytes.Count(got, []byte("\n")); !near.current || lines != 100 {
		t.Errorf("the one a little behind got %d of 100 lines", lines)
	}
	if got := b.receive(far, 1<<20); len(got) > 0 {
		t.Errorf("the one far behind got %d bytes", len(got))
	}
}
