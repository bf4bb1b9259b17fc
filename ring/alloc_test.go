package ring_test

import (
	"strings"
	"testing"

	"logwisp/ring"
)

func wantAllocs(t *testing.T, most float64, what string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(200, f); n > most {
		t.Errorf("%s: %v allocations, want at most %v", what, n, most)
	}
}

func TestPublishingAllocatesThePageAndItsBlockOnly(t *testing.T) {
	r := ring.New(ring.Options{Entries: 1 << 10, Bytes: 1 << 20})
	line := []byte(strings.Repeat("x", 199) + "\n")
	b := r.NewBuilder()
	wantAllocs(t, 2, "a page of one line", func() {
		b.Add(append(b.Text(), line...), 1, ring.LevelInfo)
		b.Publish()
	})
	wantAllocs(t, 3, "a full page", func() {
		for !b.Full() {
			b.Add(append(b.Text(), line...), 1, ring.LevelInfo)
		}
		b.Publish()
	})
	wantAllocs(t, 0, "an empty builder", b.Publish)
}

func TestReadingAllocatesNothing(t *testing.T) {
	r := slots(1 << 10)
	publish(r, ones(1<<10)...)
	c, _ := r.Seek(1)
	w := r.NewWaker(func() {})
	id := r.Source("app.log")
	var sum int
	wantAllocs(t, 0, "Page, Entry and Advance", func() {
		p, _, ok := c.Page()
		if !ok {
			panic("nothing left to read")
		}
		sum += len(p.Entry(0)) + int(p.Source(0)) + int(p.Level(0))
		c.Advance(p.First + uint64(p.Count()))
	})
	live := r.Live()
	wantAllocs(t, 0, "Page at the head", func() { live.Page() })
	wantAllocs(t, 0, "Seek", func() { r.Seek(500) })
	wantAllocs(t, 0, "Live and Behind", func() { c := r.Live(); sum += int(c.Behind()) })
	wantAllocs(t, 0, "Park", func() { w.Park(r.Head()) })
	wantAllocs(t, 0, "Stats", func() { r.Stats() })
	wantAllocs(t, 0, "Source of a known name", func() { r.Source("app.log") })
	wantAllocs(t, 0, "SourceName", func() { r.SourceName(id) })
}

func TestWakingAllocatesNothing(t *testing.T) {
	r := slots(1 << 10)
	var woken int
	w := r.NewWaker(func() { woken++ })
	b := r.NewBuilder()
	wantAllocs(t, 2, "a page of one line for a parked loop", func() {
		w.Park(r.Head())
		b.Add(append(b.Text(), "line\n"...), 1, ring.LevelInfo)
		b.Publish()
	})
	if woken != 201 {
		t.Errorf("woken %d times in 201 rounds", woken)
	}
}
