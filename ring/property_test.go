package ring_test

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"logwisp/ring"
)

// lapping is every way in which readers can be overtaken.
var lapping = []struct {
	name string
	o    ring.Options
}{
	{"not at all", ring.Options{Entries: 1 << 17, Bytes: 1 << 30}},
	{"by slots", ring.Options{Entries: 16, Bytes: 1 << 30}},
	{"by bytes", ring.Options{Entries: 1 << 17, Bytes: 20_000}},
	{"by both", ring.Options{Entries: 32, Bytes: 20_000}},
	{"two slots and one byte", ring.Options{Entries: 2, Bytes: 1}},
}

func TestEveryReaderAccountsForEveryEntry(t *testing.T) {
	scale := 1
	if testing.Short() {
		scale = 5
	}
	for i, lap := range lapping {
		for j, shape := range []struct{ producers, readers, batch, size int }{
			{1, 1, 1, 20}, {1, 8, 40, 200}, {4, 4, 1, 100}, {4, 4, 10, 400}, {16, 3, 20, 50},
		} {
			lap.o.Recycle = (i+j)%2 == 1
			name := fmt.Sprintf("%s/%d producers, %d readers, pages to %d lines", lap.name, shape.producers, shape.readers, shape.batch)
			t.Run(name, func(t *testing.T) {
				l := load{
					o: lap.o, producers: shape.producers, readers: shape.readers, batch: shape.batch, size: shape.size,
					lines: 8000 / shape.producers / scale, slow: shape.readers / 2,
				}
				r := l.run(t)
				if _, lost := r.Seek(1); i == 0 && lost != 0 {
					t.Errorf("%d entries were released from a ring with room", lost)
				}
			})
		}
	}
}

func TestRandomLoadsAccountForEveryEntry(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 4
	}
	rnd := rand.New(rand.NewPCG(7, 7))
	for i := range rounds {
		l := load{
			o:         ring.Options{Entries: 1 << rnd.IntN(10), Bytes: 1 << rnd.IntN(20), Recycle: i%2 == 1},
			producers: 1 + rnd.IntN(6), readers: 1 + rnd.IntN(6), slow: rnd.IntN(4),
			lines: 1 + rnd.IntN(800), batch: 1 + rnd.IntN(30), size: rnd.IntN(500),
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			l.run(t)
			if t.Failed() {
				t.Logf("%+v", l)
			}
		})
	}
}

func TestReaderWithRoomForEverythingLosesNothingUnderLoad(t *testing.T) {
	r := ring.New(ring.Options{Entries: 1 << 14, Bytes: 1 << 30})
	const producers, lines = 4, 4000
	c := r.Live()
	w := newWitness(t, make([]atomic.Uint64, producers*lines+1), &c)
	done := spawn(func() { w.follow(r, c, producers*lines, true) })
	for id := range producers {
		go produce(r.NewBuilder(), id, 0, lines, 4, 50)
	}
	within(t, done, "the last entry")
	if w.got != producers*lines || w.lost != 0 {
		t.Fatalf("got %d, lost %d", w.got, w.lost)
	}
	for id := range producers {
		if w.place[id] != lines-1 {
			t.Errorf("the last entry of producer %d is %d", id, w.place[id])
		}
	}
}

// Held at any moment: the budget plus one page for each producer at work.
func TestBytesStayBoundedUnderLoad(t *testing.T) {
	const producers, lines, batch, size, budget = 4, 10_000, 8, 300, 30_000
	const page = batch*(lineHead+size+1+ring.EntryMeta) + 64 + ring.BlockSpare
	r := ring.New(ring.Options{Entries: 1 << 14, Bytes: budget})
	var left atomic.Int64
	left.Store(producers)
	var samples, most uint64
	sampler := spawn(func() {
		for left.Load() > 0 {
			s := r.Stats()
			most = max(most, s.Bytes)
			samples++
		}
	})
	for id := range producers {
		go func() {
			defer left.Add(-1)
			produce(r.NewBuilder(), id, 0, lines, batch, size)
		}()
	}
	within(t, sampler, "the end of the producers")
	if most > budget+producers*page {
		t.Errorf("%d bytes held at one of %d moments, want at most %d", most, samples, budget+producers*page)
	}
	s := r.Stats()
	if s.Bytes > budget || s.Bytes < budget-page {
		t.Errorf("%d bytes held at rest, want close under %d", s.Bytes, budget)
	}
	load{}.atRest(t, r)
}

// Several producers' blocks go round a ring that holds a few of them, while some
// readers keep up and others are overtaken: nobody sees a block that is written again.
func TestNobodySeesABlockThatIsUsedAgain(t *testing.T) {
	lines := 6000
	if testing.Short() {
		lines = 2000
	}
	for _, entries := range []int{1 << 12, 64} { // released by bytes, and by slots
		l := load{
			o:         ring.Options{Entries: entries, Bytes: 700 << 10, Recycle: true},
			producers: 4, readers: 4, slow: 2, lines: lines, batch: 6, size: 2000,
		}
		l.run(t)
	}
}
