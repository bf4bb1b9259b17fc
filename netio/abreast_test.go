package netio

import (
	"testing"
	"time"

	"logwisp/ring"
)

func TestWhoIsFurthestBehindIsServedFirstWhereThereAreFew(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 1024, Bytes: 64 << 20}, rawForm())
	defer b.close()
	b.pad = func(uint64) int { return 1000 }
	b.publish(1000, 50)
	behind, ahead := b.join(4<<20), b.join(4<<20)
	for _, s := range []*Subscriber{behind, ahead} {
		s.cursor, _ = b.ring.Seek(map[*Subscriber]uint64{behind: 1, ahead: 500}[s])
	}
	b.loop.now = time.Now().Add(-time.Hour) // it ends when it first looks at the clock
	b.loop.keepAbreast(false)
	if behind.writes.Load() != 3 || ahead.writes.Load() != 0 {
		t.Fatalf("%d and %d writes, want three to the one behind", behind.writes.Load(), ahead.writes.Load())
	}
	if n := behind.bytes.Load(); n > 3*2*ring.MaxPage {
		t.Errorf("three shares have %d bytes", n)
	}
	b.loop.now = time.Now().Add(time.Hour)
	b.loop.keepAbreast(false)
	if got := []uint64{behind.cursor.Behind(), ahead.cursor.Behind()}; got[0] != 0 || got[1] != 0 {
		t.Errorf("they are %d behind the head, though their sockets have room", got)
	}
	for range fewAbreast {
		b.join(4 << 20).cursor, _ = b.ring.Seek(1)
	}
	b.loop.keepAbreast(false)
	for _, s := range b.loop.subs[2:] {
		if s.writes.Load() != 0 {
			t.Fatal("those of a crowd are kept abreast")
		}
	}
}

func TestOneWhoseRateIsBoundDoesNotHoldUpTheOthers(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 1024, Bytes: 64 << 20}, rawForm())
	defer b.close()
	b.pad = func(uint64) int { return 1000 }
	b.publish(1000, 50)
	bound, other := b.joinAs(4<<20, Subscription{MaxRate: 1}), b.join(4<<20)
	for _, s := range []*Subscriber{bound, other} {
		s.cursor, _ = b.ring.Seek(1)
	}
	b.loop.behind = true
	b.loop.ring()
	b.settle()
	if other.cursor.Behind() != 0 {
		t.Errorf("the other one is %d entries behind", other.cursor.Behind())
	}
}
