package ring_test

import (
	"fmt"

	"logwisp/ring"
)

// A reader loop: take what there is, sleep when there is nothing, go on when
// woken.
func Example() {
	r := ring.New(ring.Options{Entries: 1024, Bytes: 1 << 20})
	wake := make(chan struct{}, 1)
	waker := r.NewWaker(func() {
		select {
		case wake <- struct{}{}:
		default: // a wake-up is waiting already
		}
	})
	defer waker.Close()
	c := r.Live()

	go func() {
		b, app := r.NewBuilder(), r.Source("app.log")
		b.Add(append(b.Text(), "started\n"...), app, ring.LevelInfo)
		b.Add(append(b.Text(), "disk full\n"...), app, ring.LevelError)
		b.Publish()
	}()

	for c.Seq() <= 2 {
		p, _, ok := c.Page()
		if !ok {
			if waker.Park(c.Seq() - 1) {
				<-wake
			}
			continue
		}
		for i := int(c.Seq() - p.First); i < p.Count(); i++ {
			fmt.Printf("%d %s %s: %s", p.First+uint64(i), r.SourceName(p.Source(i)), p.Level(i), p.Entry(i))
		}
		c.Advance(p.First + uint64(p.Count()))
	}
	// Output:
	// 1 app.log info: started
	// 2 app.log error: disk full
}

// A reader that was too slow is moved forward and told how much it lost.
func ExampleCursor_Page() {
	r := ring.New(ring.Options{Entries: 4, Bytes: 1 << 20})
	c := r.Live()
	b := r.NewBuilder()
	for i := range 10 {
		b.Add(fmt.Appendf(b.Text(), "line %d\n", i+1), 0, ring.LevelInfo)
		b.Publish()
	}
	for {
		p, lost, ok := c.Page()
		if lost > 0 {
			fmt.Printf("-- %d entries lost --\n", lost)
		}
		if !ok {
			return
		}
		fmt.Printf("%s", p.Text)
		c.Advance(p.First + uint64(p.Count()))
	}
	// Output:
	// -- 7 entries lost --
	// line 8
	// line 9
	// line 10
}
