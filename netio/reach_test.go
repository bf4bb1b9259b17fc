package netio

import (
	"testing"

	"logwisp/ring"
)

func TestALoopTellsHowFarItsFurthestSubscriberIsThatGoesOn(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 1024, Bytes: 64 << 20}, rawForm())
	defer b.close()
	b.pad = func(uint64) int { return 1000 }
	lead := func() float64 {
		t.Helper()
		b.loop.due.Store(true)
		b.loop.ring()
		b.settle()
		share, ok := b.ring.Lead()
		if !ok {
			return -1
		}
		return share
	}
	if got := lead(); got != -1 {
		t.Errorf("without subscribers the lead is %v", got)
	}
	stuck, reads := b.join(4<<10), b.join(0)
	b.publish(500, 1) // half the slots
	for b.loop.rung.Load() {
		b.loop.pass()
		b.receive(reads, 1<<20)
		b.writable(reads)
		if reads.cursor.Seq() > b.published {
			break
		}
	}
	if got := lead(); got != 0 {
		t.Errorf("with one that has all the lead is %v", got)
	}
	b.leaves(reads)
	if got := lead(); got < 0.4 || got > 0.5 {
		t.Errorf("with one that has next to nothing the lead is %v", got)
	}
	stuck.progress = stuck.progress.Add(-2 * standsStill)
	stuck.blocked = true
	if got := lead(); got != -1 {
		t.Errorf("with one that stands still the lead is %v", got)
	}
}
