package ring_test

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"logwisp/ring"
)

// Every producer publishes a page or two with a builder of its own and is gone.
func TestProducersComeAndGo(t *testing.T) {
	const producers, lines, abreast = 1500, 3, 8
	r := ring.New(ring.Options{Entries: 64, Bytes: 1 << 30})
	sums := make([]atomic.Uint64, producers*lines+1)
	var all []<-chan struct{}
	var witnesses []*witness
	for i := range 3 {
		c := r.Live()
		w := newWitness(t, sums, &c)
		witnesses = append(witnesses, w)
		all = append(all, spawn(func() { w.follow(r, c, producers*lines, i == 0) }))
	}
	turns := make(chan struct{}, abreast)
	for id := range producers {
		turns <- struct{}{}
		go func() {
			produce(r.NewBuilder(), id, 0, lines, 2, 30)
			<-turns
		}()
	}
	for _, done := range all {
		within(t, done, "the end of reading")
	}
	for i, w := range witnesses {
		if w.got+w.lost != producers*lines {
			t.Errorf("reader %d got %d, lost %d of %d", i, w.got, w.lost, producers*lines)
		}
	}
}

// Readers that come, seek somewhere, take a few pages and go, while pages are
// published and released under them.
func TestReadersComeAndGoWhilePagesArePublished(t *testing.T) {
	const producers, lines, visitors = 2, 6000, 4
	r := ring.New(ring.Options{Entries: 32, Bytes: 20_000})
	sums := make([]atomic.Uint64, producers*lines+1)
	var left atomic.Int64
	left.Store(producers)
	var all []<-chan struct{}
	for id := range producers {
		all = append(all, spawn(func() {
			defer left.Add(-1)
			produce(r.NewBuilder(), id, 0, lines, 6, 80)
		}))
	}
	for v := range visitors {
		rnd := rand.New(rand.NewPCG(1, uint64(v)))
		all = append(all, spawn(func() {
			for left.Load() > 0 && !t.Failed() {
				visit(t, r, sums, rnd)
			}
		}))
	}
	for _, done := range all {
		within(t, done, "the end of a producer or a visitor")
	}
}

func visit(t *testing.T, r *ring.Ring, sums []atomic.Uint64, rnd *rand.Rand) {
	seq := uint64(rnd.IntN(len(sums)))
	if rnd.IntN(2) == 0 { // near what is held
		seq = r.Oldest() + uint64(rnd.IntN(20))
	}
	oldest, head := r.Oldest(), r.Head()
	c, lost := r.Seek(seq)
	switch {
	case c.Seq() < min(seq, head+1), c.Seq() > seq && c.Seq() != seq+lost, c.Seq() <= seq && lost != 0:
		t.Errorf("Seek(%d) is at %d with %d lost; head was %d", seq, c.Seq(), lost, head)
		return
	case seq < oldest && c.Seq() < oldest:
		t.Errorf("Seek(%d) is at %d, before the oldest entry %d", seq, c.Seq(), oldest)
		return
	}
	w := newWitness(t, sums, &c)
	for range rnd.IntN(8) {
		before := c.Seq()
		p, more, ok := c.Page()
		if c.Seq() != before+more {
			t.Errorf("moved from %d to %d, but told %d lost", before, c.Seq(), more)
			return
		}
		if !ok || !w.page(&p, c.Seq()) {
			return
		}
		end := p.First + uint64(p.Count())
		c.Advance(c.Seq() + 1 + uint64(rnd.IntN(int(end-c.Seq()))))
		if c.Seq() < end {
			w.seq = c.Seq() - 1 // the rest of the page comes again
			w.place = make(map[int]int)
		}
	}
}

func TestHugeLinesAmongTinyOnesArriveWhole(t *testing.T) {
	for _, budget := range []int64{1, 100_000, 3 << 20, 1 << 30} {
		r := ring.New(ring.Options{Entries: 256, Bytes: budget})
		c := r.Live()
		b := r.NewBuilder()
		for i := range 30 {
			want := []string{"tiny one\n", strings.Repeat(string(rune('a'+i%26)), 1<<20) + "\n", "and two..\n"}
			for _, line := range want {
				b.Add(append(b.Text(), line...), 3, ring.LevelWarn)
				if b.Full() || i%2 == 0 {
					b.Publish()
					takeLines(t, &c, want)
				}
			}
			b.Publish()
			takeLines(t, &c, want)
		}
		wantEmpty(t, &c)
		if s := r.Stats(); s.Bytes > s.CapacityBytes && s.Bytes > 2<<20 {
			t.Errorf("%+v", s)
		}
	}
}

// takeLines reads to the head; entry n is want[(n-1) mod len(want)].
func takeLines(t *testing.T, c *ring.Cursor, want []string) {
	t.Helper()
	for {
		p, lost, ok := c.Page()
		if lost != 0 {
			t.Fatalf("lost %d", lost)
		}
		if !ok {
			return
		}
		line := string(p.Entry(int(c.Seq() - p.First)))
		if w := want[(c.Seq()-1)%uint64(len(want))]; line != w {
			t.Fatalf("entry %d has %d bytes from %.10q, want %d from %.10q", c.Seq(), len(line), line, len(w), w)
		}
		c.Advance(c.Seq() + 1)
	}
}
