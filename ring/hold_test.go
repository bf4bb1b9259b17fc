package ring_test

import (
	"fmt"
	"testing"

	"logwisp/ring"
)

func TestSlotsAreAFloorRoundedUpToAPowerOfTwo(t *testing.T) {
	for _, tt := range []struct{ entries, slots int }{
		{-1, 2},
		{0, 2},
		{1, 2},
		{2, 2},
		{3, 4},
		{4, 4},
		{5, 8},
		{1000, 1024},
		{65536, 65536},
		{ring.MaxEntries, ring.MaxEntries},
		{ring.MaxEntries + 1, ring.MaxEntries},
	} {
		s := ring.New(ring.Options{Entries: tt.entries, Bytes: 1 << 20}).Stats()
		if s.CapacityEntries != tt.slots {
			t.Errorf("entries %d give %d slots, want %d", tt.entries, s.CapacityEntries, tt.slots)
		}
	}
}

func TestEverySlotHoldsAPage(t *testing.T) {
	for _, n := range []int{2, 4, 8, 64} {
		r := slots(n)
		for i := range uint64(3 * n) {
			publish(r, 1)
			want := min(i+1, uint64(n))
			if s := r.Stats(); s.Entries != want || s.Oldest != i+2-want || s.Head != i+1 {
				t.Fatalf("%d slots after %d pages: %+v", n, i+1, s)
			}
		}
	}
}

func TestBytesHeldAreCountedExactly(t *testing.T) {
	for _, tt := range []struct{ bytes, pages int64 }{
		{5 * pageCost(3), 5}, {5*pageCost(3) - 1, 4}, {6*pageCost(3) - 1, 5}, {6 * pageCost(3), 6},
	} {
		t.Run(fmt.Sprint(tt.bytes), func(t *testing.T) {
			r := ring.New(ring.Options{Entries: 64, Bytes: tt.bytes})
			publish(r, 3, 3, 3, 3, 3, 3, 3, 3, 3)
			s := r.Stats()
			if int64(s.Bytes) != tt.pages*pageCost(3) || int64(s.Entries) != 3*tt.pages {
				t.Fatalf("%+v, want %d pages of %d bytes", s, tt.pages, pageCost(3))
			}
			if pages, bytes := ring.Unreleased(r); int64(pages) != tt.pages || bytes != s.Bytes {
				t.Fatalf("%d pages and %d bytes are alive, Stats says %d bytes", pages, bytes, s.Bytes)
			}
		})
	}
}

func TestReleasedPagesAreLetGo(t *testing.T) {
	r := ring.New(ring.Options{Entries: 64, Bytes: 4 * pageCost(1)})
	publish(r, ones(60)...)
	if pages, bytes := ring.Unreleased(r); pages != 4 || bytes != uint64(4*pageCost(1)) {
		t.Fatalf("%d pages, %d bytes alive; want 4, %d", pages, bytes, 4*pageCost(1))
	}
}

func TestNewestPageIsNeverReleased(t *testing.T) {
	r := ring.New(ring.Options{Entries: 4, Bytes: 1})
	for i := range uint64(10) {
		publish(r, 3)
		if s := r.Stats(); s.Entries != 3 || s.Bytes != uint64(pageCost(3)) {
			t.Fatalf("%+v", s)
		}
		c, lost := r.Seek(0)
		if lost != 3*i+1 {
			t.Fatalf("lost %d, want %d", lost, 3*i+1)
		}
		wantNext(t, &c, 3*i+1, 3*i+2, 3*i+3)
		wantEmpty(t, &c)
	}
}

func TestOneLargePageReplacesManySmallOnes(t *testing.T) {
	r := ring.New(ring.Options{Entries: 64, Bytes: 20 * pageCost(1)})
	publish(r, ones(20)...)
	publish(r, 15)
	s := r.Stats()
	left := (20*pageCost(1) - pageCost(15)) / pageCost(1)
	if int64(s.Entries) != left+15 || int64(s.Bytes) != left*pageCost(1)+pageCost(15) {
		t.Fatalf("%+v, want %d small pages and the large one", s, left)
	}
}

func TestBytesBelowOneCountAsOne(t *testing.T) {
	for _, n := range []int64{-5, 0, 1} {
		if s := ring.New(ring.Options{Entries: 4, Bytes: n}).Stats(); s.CapacityBytes != 1 {
			t.Errorf("bytes %d give a capacity of %d", n, s.CapacityBytes)
		}
	}
}

func TestStatsOfAnEmptyRing(t *testing.T) {
	r := ring.New(ring.Options{Entries: 4, Bytes: 100, First: 7})
	want := ring.Stats{CapacityEntries: 4, CapacityBytes: 100, Oldest: 7, Head: 6}
	if got := r.Stats(); got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
	if r.Oldest() != r.Head()+1 {
		t.Fatalf("oldest %d, head %d", r.Oldest(), r.Head())
	}
}

func TestStatsShowWhatIsHeld(t *testing.T) {
	r := slots(4)
	publish(r, 2, 3, 1, 4, 2)
	want := ring.Stats{
		Entries: 10, CapacityEntries: 4, CapacityBytes: 1 << 30, Oldest: 3, Head: 12,
		Bytes: uint64(pageCost(3) + pageCost(1) + pageCost(4) + pageCost(2)),
	}
	if got := r.Stats(); got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
}

func TestEpochIsGivenOrOfTheStart(t *testing.T) {
	if got := ring.New(ring.Options{Epoch: 42}).Epoch(); got != 42 {
		t.Errorf("epoch %d, want 42", got)
	}
	if ring.New(ring.Options{}).Epoch() == 0 {
		t.Error("epoch 0 for a new run")
	}
}

func TestFirstContinuesAnEarlierRun(t *testing.T) {
	r := ring.New(ring.Options{Entries: 4, Bytes: 1 << 20, First: 1000})
	c, d := r.Live(), r.Live()
	publish(r, 2)
	wantNext(t, &c, 1000, 1001)
	if got, lost := drain(&d); got != 2 || lost != 0 {
		t.Fatalf("got %d, lost %d", got, lost)
	}
	e, lost := r.Seek(600)
	if lost != 400 {
		t.Fatalf("lost %d, want 400", lost)
	}
	wantNext(t, &e, 1000, 1001)
	if r.Appended() != 2 {
		t.Fatalf("%d entries appended, want 2", r.Appended())
	}
}

func TestByteTotalsPassFourGigabytes(t *testing.T) {
	for _, start := range []uint64{1<<32 - 300, 1<<32 - 1, 1<<33 - 100, 1<<52 - 200} {
		r := ring.New(ring.Options{Entries: 64, Bytes: 3 * pageCost(2)})
		ring.SetBytesSoFar(r, start)
		c := r.Live()
		for i := range uint64(10) {
			publish(r, 2)
			wantNext(t, &c, 2*i+1, 2*i+2)
			if s := r.Stats(); s.Entries != 2*min(i+1, 3) || s.Bytes != min(i+1, 3)*uint64(pageCost(2)) {
				t.Fatalf("from %d, page %d: %+v", start, i+1, s)
			}
		}
	}
}
