package netio

import (
	"testing"
	"time"

	"logwisp/ring"
)

// What systemd's watchdog and /healthz go by.
func TestALoopThatStandsStillIsKnownUntilItGoesOn(t *testing.T) {
	e, err := New(ring.New(ring.Options{Entries: 64, Bytes: 1 << 20}), Options{Loops: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(e)
	l := e.loops[1]
	l.turn.Lock()
	l.ticked.Store(int64(time.Since(e.started) - 10*time.Second))
	if d := e.Stalled(); d < 10*time.Second || d > 20*time.Second {
		t.Errorf("it has stood still for %v, want 10s", d)
	}
	l.turn.Unlock()
	for end := time.Now().Add(20 * time.Second); e.Stalled() > 5*time.Second; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is not known to go on")
		}
	}
}
