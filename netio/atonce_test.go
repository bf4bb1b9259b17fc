package netio

import (
	"testing"

	"golang.org/x/sys/unix"

	"logwisp/ring"
)

func TestAProducerDeliversLittleToFewWithoutWakingTheLoop(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 1024, Bytes: 64 << 20, Recycle: true}, rawForm())
	defer b.close()
	b.loop.waker = b.ring.NewWaker(b.loop.wake)
	b.engine.loops = make([]*loop, 2)
	s := b.join(0)
	b.settle()
	b.publish(3, 1)
	if got := string(b.receive(s, 1<<20)); got != b.line(1)+b.line(2)+b.line(3) {
		t.Errorf("the client has %q", got)
	}
	if b.loop.rung.Load() {
		t.Error("the loop was woken")
	}
	if got := s.Totals(); got.Delivered != 3 || got.Offered != 3 {
		t.Errorf("totals %+v", got)
	}
	b.publish(fewEntries+1, 1000)
	if !b.loop.rung.Load() {
		t.Error("the loop was not woken for much")
	}
	b.settle()
	b.receive(s, 1<<20)
	b.engine.loops = nil
	b.publish(fewEntries+1, 1000)
	if b.loop.rung.Load() {
		t.Error("the only loop was woken")
	}
	b.receive(s, 1<<20)
	for range fewSubscribers {
		b.join(0)
	}
	b.settle()
	b.publish(1, 1)
	if !b.loop.rung.Load() {
		t.Error("the loop was not woken for many")
	}
}

func TestAProducerLeavesToTheLoopWhatIsNotPlain(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 1024, Bytes: 64 << 20, Recycle: true}, rawForm())
	defer b.close()
	b.loop.waker = b.ring.NewWaker(b.loop.wake)
	full, gone := b.join(4<<10), b.join(0)
	b.settle()
	b.pad = func(uint64) int { return 1000 }
	for !full.blocked {
		b.publish(1, 1)
		b.settle()
	}
	b.receive(gone, 1<<20)
	unix.Close(b.peers[gone])
	b.peers[gone], _ = unix.Dup(b.peers[full])
	b.publish(1, 1)
	if gone.gone || gone.doomed == "" || !b.loop.rung.Load() {
		t.Errorf("a client that is gone: gone %t, %q, the loop is woken: %t", gone.gone, gone.doomed, b.loop.rung.Load())
	}
	b.settle()
	if !gone.gone {
		t.Error("the loop has not dismissed it")
	}
	b.publish(1, 1)
	if b.loop.rung.Load() {
		t.Error("the loop was woken though the one client left has a full socket")
	}
	var st stream
	st.next = 1
	for full.Totals().Delivered < b.published {
		st.feed(b, false, b.receive(full, 1<<20))
		b.writable(full)
		b.settle()
	}
	st.feed(b, false, b.receive(full, 1<<20))
	st.wantTotals(b, full)
}
