package netio

import (
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"logwisp/ring"
)

// rooms counts the sockets by their SO_SNDBUF as it was asked for, in KiB.
func (h *host) rooms() map[int]int {
	h.transport.mu.Lock()
	defer h.transport.mu.Unlock()
	found := make(map[int]int)
	for s := range h.transport.live {
		size, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
		if err != nil {
			h.t.Fatal(err)
		}
		found[size/2>>10]++ // the kernel doubles it
	}
	return found
}

// TestASocketHoldsLessTheMoreThereAre has clients come to one and go again.
func TestASocketHoldsLessTheMoreThereAre(t *testing.T) {
	h := newHost(t, 2, ring.Options{Entries: 1 << 12, Bytes: 16 << 20}, &Transport{Name: "t", Form: rawForm(), SendBuffer: 200 << 10})
	h.pad = func(uint64) int { return 1000 }
	first := h.connect()
	var others []net.Conn
	for range someRooms + 1 {
		others = append(others, h.connect())
	}
	if got := h.rooms(); got[200] != fewSubscribers || got[150] != someRooms-fewSubscribers || got[128] != 2 {
		t.Fatalf("sockets by KiB they hold: %v, want %d of 200, 2 of 128, and the rest of 150", got, fewSubscribers)
	}
	full := func(what string, kib, n int) {
		t.Helper()
		eventually(t, what, func() bool {
			h.publish(1000, 100) // nobody reads: they are full at last
			return h.rooms()[kib] == n
		})
	}
	full("all are full and hold half", 128, someRooms+2)

	for _, c := range others {
		c.Close()
	}
	eventually(t, "the others have left", func() bool { return h.transport.Stats().Active == 1 })
	_ = first.SetReadDeadline(time.Now().Add(waitLimit))
	if _, err := io.CopyN(io.Discard, first, 512<<10); err != nil { // so it has had room again
		t.Fatal(err)
	}
	full("the one that stayed is full again and holds all", 200, 1)
}

func TestASmallRoomOrTheKernelsChoiceIsNotHalved(t *testing.T) {
	for _, size := range []int{0, 64 << 10, leastRoom} {
		h := newHost(t, 1, ring.Options{Entries: 16, Bytes: 1 << 20}, &Transport{Name: "t", Form: rawForm(), SendBuffer: size})
		for range someRooms + 1 {
			h.connect()
		}
		if got := h.transport.room(); got != size {
			t.Errorf("a client of a crowd is to have %d bytes of %d", got, size)
		}
	}
}

// A socket whose room has shrunk takes nothing before it holds less: its client may
// read all the time.
func TestASocketThatShrankAndDrainsIsNotTooSlow(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 1024, Bytes: 8 << 20}, rawForm())
	defer b.close()
	b.pad = func(uint64) int { return 1000 }
	b.transport.Reload(ClientOptions{SendBuffer: 200 << 10, SlowTimeout: 1}, HeartbeatPolicy{})
	s := b.join(200 << 10)
	s.buffer = 200 << 10
	for range someRooms {
		b.join(0)
	}
	b.publish(1000, 10)
	b.settle()
	if s.buffer != leastRoom || s.queued == 0 {
		t.Fatalf("it is to hold %d bytes, and holds %d", s.buffer, s.queued)
	}
	late := func() bool {
		b.loop.now = b.loop.now.Add(time.Minute)
		s.blocked = true
		b.loop.tickOne(s)
		return s.gone
	}
	for range 3 {
		if b.receive(s, 64<<10); late() {
			t.Fatal("one that reads is disconnected")
		}
	}
	if !late() {
		t.Error("one that reads no more stays")
	}
}
