package ring_test

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"logwisp/ring"
)

// fill publishes one full page that says one thing from end to end.
func fill(b *ring.Builder, mark byte) {
	line := append(bytes.Repeat([]byte{mark}, 999), '\n')
	for !b.Full() {
		b.Add(append(b.Text(), line...), 0, ring.LevelUnknown)
	}
	b.Publish()
}

// whole reports whether all of a page's text says the same.
func whole(p *ring.Page) bool {
	for i := range p.Count() {
		if e := p.Entry(i); e[0] != p.Text[0] || !bytes.Equal(e[:len(e)-2], e[1:len(e)-1]) || e[len(e)-1] != '\n' {
			return false
		}
	}
	return true
}

func TestAPageIsNotWrittenWhileAReaderIsInside(t *testing.T) {
	r := ring.New(ring.Options{Entries: 4, Bytes: 1, Recycle: true})
	in, out := r.NewReader(), r.NewReader()
	b := r.NewBuilder()
	fill(b, 'a')
	c, _ := r.Seek(r.Oldest())
	in.Enter()
	p, _, ok := c.Page()
	if !ok {
		t.Fatal("no page")
	}
	for i := range 100 {
		fill(b, byte('b'+i%20))
	}
	if p.Text[0] != 'a' || !whole(&p) {
		t.Error("the page was written while it was looked at")
	}
	in.Exit()
	out.Close()
	in.Close()
}

func TestReleasedPagesAreUsedAgain(t *testing.T) {
	r := ring.New(ring.Options{Entries: 4, Bytes: 1, Recycle: true})
	rd := r.NewReader()
	defer rd.Close()
	b := r.NewBuilder()
	for range 10 {
		fill(b, 'a')
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const pages = 1000
	for range pages {
		rd.Enter()
		c, _ := r.Seek(r.Oldest())
		if p, _, ok := c.Page(); !ok || !whole(&p) {
			t.Fatal("page is not whole")
		}
		rd.Exit()
		fill(b, 'a')
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > pages*4096 {
		t.Errorf("%d bytes were allocated for %d pages", used, pages)
	}
}

func TestReadersOnlyEverSeeWholePages(t *testing.T) {
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	for _, producers := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d producers", producers), func(t *testing.T) {
			r := ring.New(ring.Options{Entries: 8, Bytes: 3 * 64 << 10, Recycle: true})
			var writing, reading sync.WaitGroup
			var done atomic.Bool
			var seen atomic.Int64
			for range 3 {
				rd := r.NewReader()
				reading.Go(func() {
					defer rd.Close()
					c := r.Live()
					for !done.Load() {
						rd.Enter()
						for range 3 {
							p, _, ok := c.Page()
							if !ok {
								break
							}
							runtime.Gosched()
							if !whole(&p) {
								t.Error("a page changed while it was looked at")
								done.Store(true)
							}
							seen.Add(1)
							c.Advance(p.First + uint64(p.Count()))
						}
						rd.Exit()
						runtime.Gosched()
					}
				})
			}
			for i := range producers {
				writing.Go(func() {
					b := r.NewBuilder()
					for k := 0; k < rounds/producers && !done.Load(); k++ {
						fill(b, byte('a'+(i+k)%26))
						runtime.Gosched() // to the readers, who may have no processor of their own
					}
				})
			}
			writing.Wait()
			done.Store(true)
			reading.Wait()
			if seen.Load() == 0 {
				t.Error("no reader saw a page")
			}
		})
	}
}

// Pages of any length, of lines of any length: where blocks are used again, next to
// nothing is allocated.
func TestPagesOfAnyLengthAreUsedAgain(t *testing.T) {
	for _, c := range []struct{ lines, length int }{{1, 100}, {1, 999}, {4, 999}, {17, 999}, {25, 999}, {40, 999}, {9, 5_000}, {1, 20_000}, {1, 40_000}} {
		r := ring.New(ring.Options{Entries: 1024, Bytes: 1 << 20, Recycle: true})
		b, line := r.NewBuilder(), append(bytes.Repeat([]byte("x"), c.length), '\n')
		page := func() {
			for range c.lines {
				b.Add(append(b.Text(), line...), 0, ring.LevelUnknown)
				if b.Full() {
					b.PublishMore()
				}
			}
			b.Publish()
		}
		for range 3000 {
			page()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 1000 {
			page()
		}
		runtime.ReadMemStats(&after)
		if used := (after.TotalAlloc - before.TotalAlloc) / 1000; used > 512 {
			t.Errorf("%d bytes were allocated for pages of %d lines of %d bytes", used, c.lines, c.length)
		}
	}
}

// A block is free when the last page cut from it is released, not before: here those
// of a slow producer are among those of a quick one, whose blocks go round.
func TestABlockIsNotUsedAgainBeforeItsLastPageIsReleased(t *testing.T) {
	r := ring.New(ring.Options{Entries: 64, Bytes: 512 << 10, Recycle: true})
	rd := r.NewReader()
	defer rd.Close()
	slow, quick := r.NewBuilder(), r.NewBuilder()
	for i := range 2000 {
		line := append(bytes.Repeat([]byte{byte('a' + i%26)}, 999), '\n')
		slow.Add(append(slow.Text(), line...), 0, ring.LevelUnknown)
		slow.Publish()
		for range i % 7 {
			fill(quick, byte('A'+i%26))
		}
		rd.Enter()
		for c, _ := r.Seek(r.Oldest()); ; {
			p, lost, ok := c.Page()
			if !ok {
				break
			}
			if lost > 0 || !whole(&p) {
				t.Fatalf("round %d: page %d is not whole", i, p.Index)
			}
			c.Advance(p.First + uint64(p.Count()))
		}
		rd.Exit()
	}
}
