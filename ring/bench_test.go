package ring_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"logwisp/ring"
)

var benchLine = []byte(strings.Repeat("x", 199) + "\n")

// serve runs two reader loops with the cursors shared out between them, until
// the function returned is called. It returns the entries delivered.
func serve(r *ring.Ring, cursors int) (stop func() uint64) {
	var closing atomic.Bool
	var delivered atomic.Uint64
	var loops sync.WaitGroup
	var wakes []chan struct{}
	for l := range min(2, cursors) {
		mine := make([]ring.Cursor, 0, cursors/2+1)
		for i := l; i < cursors; i += 2 {
			mine = append(mine, r.Live())
		}
		wake := make(chan struct{}, 1)
		wakes = append(wakes, wake)
		w := r.NewWaker(func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
		loops.Go(func() {
			defer w.Close()
			for !closing.Load() {
				head := r.Head()
				delivered.Add(serveOnce(mine))
				if w.Park(head) {
					<-wake
				}
			}
		})
	}
	return func() uint64 {
		closing.Store(true)
		for _, wake := range wakes {
			select {
			case wake <- struct{}{}:
			default:
			}
		}
		loops.Wait()
		return delivered.Load()
	}
}

// serveOnce takes every cursor to the head, a page a turn.
func serveOnce(cursors []ring.Cursor) (entries uint64) {
	for more := true; more; {
		more = false
		for i := range cursors {
			c := &cursors[i]
			p, _, ok := c.Page()
			if !ok {
				continue
			}
			end := p.First + uint64(p.Count())
			entries += end - c.Seq()
			c.Advance(end)
			more = true
		}
	}
	return entries
}

// 296 such lines are a page that is just full and goes out as the builder's own
// buffer; 327 fill the buffer with text alone and are copied.
func BenchmarkPublish(b *testing.B) {
	for _, lines := range []int{1, 16, 296, 327} {
		for _, readers := range []int{0, 1, 10, 100, 1000} {
			b.Run(fmt.Sprintf("lines=%d/readers=%d", lines, readers), func(b *testing.B) {
				r := ring.New(ring.Options{Entries: 1 << 14, Bytes: 64 << 20})
				stop := serve(r, readers)
				build := r.NewBuilder()
				b.ReportAllocs()
				b.SetBytes(int64(lines * len(benchLine)))
				for b.Loop() {
					for range lines {
						build.Add(append(build.Text(), benchLine...), 1, ring.LevelInfo)
					}
					build.Publish()
				}
				n := float64(b.N * lines)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/line")
				if delivered := float64(stop()); readers > 0 {
					b.ReportMetric(delivered/n, "deliveries/line")
				}
			})
		}
	}
}

// Producers of their own pages on one ring.
func BenchmarkPublishParallel(b *testing.B) {
	for _, lines := range []int{1, 296} {
		b.Run(fmt.Sprintf("lines=%d", lines), func(b *testing.B) {
			r := ring.New(ring.Options{Entries: 1 << 14, Bytes: 64 << 20})
			b.RunParallel(func(pb *testing.PB) {
				build := r.NewBuilder()
				for pb.Next() {
					for range lines {
						build.Add(append(build.Text(), benchLine...), 1, ring.LevelInfo)
					}
					build.Publish()
				}
			})
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*lines), "ns/line")
		})
	}
}

// A reader is handed whole pages it does not look into.
func BenchmarkPage(b *testing.B) {
	for _, lines := range []int{1, 16, 327} {
		b.Run(fmt.Sprintf("lines=%d", lines), func(b *testing.B) {
			r := ring.New(ring.Options{Entries: 1 << 10, Bytes: 1 << 30})
			build := r.NewBuilder()
			for range 1 << 10 {
				for range lines {
					build.Add(append(build.Text(), benchLine...), 1, ring.LevelInfo)
				}
				build.Publish()
			}
			start, _ := r.Seek(1)
			c := start
			b.ReportAllocs()
			for b.Loop() {
				p, _, ok := c.Page()
				if !ok {
					c = start
					continue
				}
				c.Advance(p.First + uint64(p.Count()))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*lines), "ns/line")
		})
	}
}

func BenchmarkSeek(b *testing.B) {
	r := ring.New(ring.Options{Entries: 1 << 16, Bytes: 1 << 30})
	publish(r, ones(1<<16)...)
	var seq uint64
	for b.Loop() {
		seq += 7919
		r.Seek(1 + seq&(1<<16-1))
	}
}
