package ring_test

import (
	"testing"

	"logwisp/ring"
)

func TestLeadIsTheShareOfTheRingBetweenTheFurthestReaderAndTheHead(t *testing.T) {
	r := ring.New(ring.Options{Entries: 1024, Bytes: 10*(64<<10+64) + 4<<10, Recycle: true})
	b := r.NewBuilder()
	if _, ok := r.Lead(); ok {
		t.Error("somebody reads")
	}
	slow, fast := r.NewReader(), r.NewReader()
	fill(b, 'a')
	perPage := r.Head()
	slow.Reach(1)
	fast.Reach(perPage + 1)
	want := func(pages float64) {
		t.Helper()
		share, ok := r.Lead()
		if !ok || share < pages/10-0.02 || share > pages/10+0.02 {
			t.Errorf("lead is %v, %t, want %v pages of 10", share, ok, pages)
		}
	}
	want(0)
	fill(b, 'b')
	want(1)
	for range 3 {
		fill(b, 'c')
	}
	want(4)
	fast.Reach(2*perPage + 7) // in mid-page: all of the page counts
	want(3)
	fast.Reach(0) // stands still
	want(5)
	for range 20 {
		fill(b, 'd')
	}
	want(10) // overtaken: all that is held
	slow.Reach(0)
	if _, ok := r.Lead(); ok {
		t.Error("somebody reads")
	}
}

func TestLeadCountsSlotsWhenPagesAreSmall(t *testing.T) {
	r := ring.New(ring.Options{Entries: 16, Bytes: 1 << 30})
	b := r.NewBuilder()
	rd := r.NewReader()
	rd.Reach(1)
	for range 8 {
		b.Add(append(b.Text(), "x\n"...), 0, ring.LevelUnknown)
		b.Publish()
	}
	if share, ok := r.Lead(); !ok || share != 0.5 {
		t.Errorf("lead is %v, %t", share, ok)
	}
}
