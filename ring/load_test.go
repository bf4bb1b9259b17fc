package ring_test

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"

	"logwisp/ring"
)

// load is a number of producers and readers at work on one ring. Every line
// says who wrote it and in which place, and carries a checksum; its source and
// level follow from these, so a reader can check all it is given.
type load struct {
	o         ring.Options
	producers int
	readers   int
	lines     int // per producer
	batch     int // a page has 1 to batch lines
	size      int // a line has up to size bytes of filling
	slow      int // readers that give way while they look at a page
	yield     func()
}

// lineHead is the fixed part of a line: producer, place, checksum.
const lineHead = 2 + 4 + 8

func appendLine(dst []byte, producer, place, filling int) []byte {
	start := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, uint16(producer))
	dst = binary.BigEndian.AppendUint32(dst, uint32(place))
	dst = append(dst, make([]byte, 8)...)
	for i := range filling {
		dst = append(dst, byte('a'+(producer+place+i)%26))
	}
	dst = append(dst, '\n')
	binary.BigEndian.PutUint64(dst[start+6:], lineSum(dst[start:]))
	return dst
}

func lineSum(line []byte) uint64 {
	h := fnv.New64a()
	h.Write(line[:6])
	h.Write(line[lineHead:])
	return h.Sum64()
}

func lineSource(producer int) uint16 { return uint16(producer*17 + 1) }

func lineLevel(place int) ring.Level { return ring.Level(place) % (ring.LevelFatal + 1) }

// produce publishes n lines as producer id, from place on.
func produce(b *ring.Builder, id, place, n, batch, size int) {
	rnd := rand.New(rand.NewPCG(uint64(id), uint64(place)))
	for end := place + n; place < end; {
		for range min(1+rnd.IntN(batch), end-place) {
			b.Add(appendLine(b.Text(), id, place, rnd.IntN(size+1)), lineSource(id), lineLevel(place))
			place++
		}
		b.Publish()
	}
}

// witness checks everything a reader is given.
type witness struct {
	t     *testing.T
	sums  []atomic.Uint64 // by seq, shared: what the first reader of it saw
	place map[int]int     // last place seen of each producer
	seq   uint64          // last seq seen
	got   uint64
	lost  uint64
}

func newWitness(t *testing.T, sums []atomic.Uint64, c *ring.Cursor) *witness {
	return &witness{t: t, sums: sums, place: make(map[int]int), seq: c.Seq() - 1}
}

// page takes the page from seq on. It reports false when something is wrong.
func (w *witness) page(p *ring.Page, seq uint64) bool {
	var sources uint64
	var levels uint32
	for i := range p.Count() {
		sources |= 1 << (p.Source(i) % 64)
		levels |= 1 << p.Level(i)
	}
	if sources != p.Sources || levels != p.Levels || p.End(p.Count()-1) != len(p.Text) {
		w.t.Errorf("page %d: header does not fit its entries", p.Index)
		return false
	}
	for i := int(seq - p.First); i < p.Count(); i++ {
		if !w.entry(p, i) {
			return false
		}
	}
	return true
}

func (w *witness) entry(p *ring.Page, i int) bool {
	seq, line := p.First+uint64(i), p.Entry(i)
	if seq <= w.seq {
		w.t.Errorf("entry %d after %d", seq, w.seq)
		return false
	}
	w.seq = seq
	w.got++
	if len(line) < lineHead+1 || bytes.IndexByte(line[lineHead:], '\n') != len(line)-lineHead-1 {
		w.t.Errorf("entry %d is no whole line", seq)
		return false
	}
	producer, place := int(binary.BigEndian.Uint16(line)), int(binary.BigEndian.Uint32(line[2:]))
	sum := binary.BigEndian.Uint64(line[6:])
	if sum != lineSum(line) || p.Source(i) != lineSource(producer) || p.Level(i) != lineLevel(place) {
		w.t.Errorf("entry %d is damaged", seq)
		return false
	}
	if last, ok := w.place[producer]; ok && place <= last {
		w.t.Errorf("entry %d: place %d of producer %d after %d", seq, place, producer, last)
		return false
	}
	w.place[producer] = place
	if s := &w.sums[seq]; !s.CompareAndSwap(0, sum) && s.Load() != sum {
		w.t.Errorf("entry %d is not the same for all readers", seq)
		return false
	}
	return true
}

// follow reads with c until entry total, parking whenever there is nothing.
func (w *witness) follow(r *ring.Ring, c ring.Cursor, total uint64, slow bool) {
	wake := make(chan struct{}, 1)
	waker := r.NewWaker(func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	defer waker.Close()
	in := r.NewReader()
	defer in.Close()
	defer in.Exit()
	for c.Seq() <= total {
		before := c.Seq()
		in.Enter()
		p, lost, ok := c.Page()
		w.lost += lost
		if c.Seq() != before+lost {
			w.t.Errorf("moved from %d to %d, but told %d lost", before, c.Seq(), lost)
			return
		}
		if !ok {
			in.Exit()
			if waker.Park(c.Seq() - 1) {
				<-wake
			}
			continue
		}
		if slow {
			runtime.Gosched() // its look at the page takes time
		}
		if !w.page(&p, c.Seq()) {
			return
		}
		c.Advance(p.First + uint64(p.Count()))
		in.Exit()
	}
}

// run works the load off and checks the accounts. It returns the ring at rest.
func (l load) run(t *testing.T) *ring.Ring {
	t.Helper()
	r := ring.New(l.o)
	if l.yield != nil {
		ring.SetYield(r, l.yield)
	}
	total := uint64(l.producers * l.lines)
	sums := make([]atomic.Uint64, total+1)
	var all []<-chan struct{}
	var witnesses []*witness
	for i := range l.readers {
		c := r.Live()
		w := newWitness(t, sums, &c)
		witnesses = append(witnesses, w)
		all = append(all, spawn(func() { w.follow(r, c, total, i < l.slow) }))
	}
	for id := range l.producers {
		all = append(all, spawn(func() { produce(r.NewBuilder(), id, 0, l.lines, l.batch, l.size) }))
	}
	for _, done := range all {
		within(t, done, "the end of the load (a reader was not woken, or somebody is stuck)")
	}
	for i, w := range witnesses {
		if w.got+w.lost != total {
			t.Errorf("reader %d got %d and lost %d of %d entries", i, w.got, w.lost, total)
		}
	}
	if r.Head() != total {
		t.Errorf("head %d after %d entries", r.Head(), total)
	}
	l.atRest(t, r)
	return r
}

// atRest checks what is held when no producer is at work (I7).
func (l load) atRest(t *testing.T, r *ring.Ring) {
	t.Helper()
	s := r.Stats()
	pages, bytes := ring.Unreleased(r)
	if bytes != s.Bytes || (bytes > s.CapacityBytes && pages > 1) || pages > s.CapacityEntries {
		t.Errorf("%d pages of %d bytes are alive at rest: %+v", pages, bytes, s)
	}
	c, lost := r.Seek(1)
	if got, more := drain(&c); got != s.Entries || lost != s.Oldest-1 || more != 0 {
		t.Errorf("%d entries can be read, %d lost: %+v", got, lost+more, s)
	}
}
