package ring_test

import (
	"fmt"
	"testing"
	"time"

	"logwisp/ring"
)

// In the scenarios an entry's text is its seq, so that a reader can tell what
// it got. All have the same length.
func entryText(seq uint64) string { return fmt.Sprintf("e%06d\n", seq) }

// entryCost is what such an entry adds to the bytes held, pageCost what a page
// of n of them does.
const entryCost = 8 + ring.EntryMeta

func pageCost(n int) int64 { return int64(ring.PageHeader + n*entryCost) }

// hang is how long a test waits for what must happen before it says that it
// did not. It is no measurement: a passing test never waits for it.
const hang = 3 * time.Second

// publish appends one page for each size, with that many entries.
func publish(r *ring.Ring, sizes ...int) {
	for _, n := range sizes {
		b := r.NewBuilder()
		next := r.Head() + 1
		for i := range n {
			b.Add(append(b.Text(), entryText(next+uint64(i))...), 0, ring.LevelInfo)
		}
		b.Publish()
	}
}

// publishLines appends one page of the lines given, which need no newline.
func publishLines(r *ring.Ring, lines ...string) {
	b := r.NewBuilder()
	for _, l := range lines {
		b.Add(append(append(b.Text(), l...), '\n'), 0, ring.LevelUnknown)
	}
	b.Publish()
}

// ones is n pages of one entry.
func ones(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = 1
	}
	return s
}

// wantNext takes the next entries one by one and expects these.
func wantNext(t *testing.T, c *ring.Cursor, seqs ...uint64) {
	t.Helper()
	for _, want := range seqs {
		p, lost, ok := c.Page()
		if !ok || lost != 0 || c.Seq() != want {
			t.Fatalf("next entry: seq %d, lost %d, ok %v; want seq %d without loss", c.Seq(), lost, ok, want)
		}
		if got := string(p.Entry(int(c.Seq() - p.First))); got != entryText(want) {
			t.Fatalf("entry %d has the text %q", want, got)
		}
		c.Advance(want + 1)
	}
}

// wantLost expects the cursor to tell n lost entries now, and only once.
func wantLost(t *testing.T, c *ring.Cursor, n uint64) {
	t.Helper()
	from := c.Seq()
	if _, lost, ok := c.Page(); !ok || lost != n || c.Seq() != from+n {
		t.Fatalf("at %d: lost %d, now at %d, ok %v; want %d lost", from, lost, c.Seq(), ok, n)
	}
	if _, lost, _ := c.Page(); lost != 0 {
		t.Fatalf("the loss of %d was followed by another of %d with nothing published between", n, lost)
	}
}

// wantEmpty expects the cursor to be at the head.
func wantEmpty(t *testing.T, c *ring.Cursor) {
	t.Helper()
	if p, lost, ok := c.Page(); ok || lost != 0 {
		t.Fatalf("page %d from entry %d, lost %d; want nothing to read", p.Index, p.First, lost)
	}
	if b := c.Behind(); b != 0 {
		t.Fatalf("nothing to read, yet %d behind", b)
	}
}

// drain reads to the head and returns the entries taken and lost.
func drain(c *ring.Cursor) (got, lost uint64) {
	for {
		p, l, ok := c.Page()
		lost += l
		if !ok {
			return got, lost
		}
		end := p.First + uint64(p.Count())
		got += end - c.Seq()
		c.Advance(end)
	}
}

// within waits for done and fails the test when it never comes.
func within(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	bound := time.NewTimer(hang)
	defer bound.Stop()
	select {
	case <-done:
	case <-bound.C:
		t.Fatalf("%s did not happen", what)
	}
}

// spawn runs f and returns a channel that is closed when it has returned.
func spawn(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	return done
}
