package netio

import (
	"math"
	"testing"
	"time"

	"logwisp/ring"
)

func TestReachedIsWhereTheSlowestIsThatMakesProgress(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 1024, Bytes: 1 << 20}, rawForm())
	defer b.close()
	if got := b.engine.Reached(); got != math.MaxUint64 {
		t.Errorf("%d with nobody there", got)
	}
	slow, quick := b.join(1<<20), b.join(1<<20)
	b.settle()
	b.publish(10, 1)
	b.loop.pump(quick, false)
	if got := b.engine.Reached(); got != 0 {
		t.Errorf("%d, want 0: one has nothing yet", got)
	}
	b.loop.pump(slow, false)
	b.publish(5, 1)
	b.loop.pump(quick, false)
	if got := b.engine.Reached(); got != 10 {
		t.Errorf("%d, want 10, where the slow one is", got)
	}
	slow.standing.since = slow.standing.since.Add(-2 * standsStill)
	if got := b.engine.Reached(); got != math.MaxUint64 {
		t.Errorf("%d: one that stands still is waited for", got)
	}
	b.engine.reachedAt = time.Now().Add(-2 * standsStill)
	if got := b.engine.Reached(); got != 10 {
		t.Errorf("%d, want 10: nobody has looked since it may have moved", got)
	}
	b.loop.pump(slow, false)
	if got := b.engine.Reached(); got != math.MaxUint64 {
		t.Errorf("%d with everybody at the head", got)
	}
	// However long they have been there, those who are behind now count.
	b.engine.reachedAt = time.Now()
	slow.standing.since, quick.standing.since = time.Now().Add(-2*standsStill), time.Now().Add(-2*standsStill)
	b.engine.Reached()
	b.publish(1, 1)
	if got := b.engine.Reached(); got != 15 {
		t.Errorf("%d, want 15, where both are", got)
	}
}
