package ring_test

import (
	"math"
	"testing"

	"logwisp/ring"
)

func slots(n int) *ring.Ring { return ring.New(ring.Options{Entries: n, Bytes: 1 << 30}) }

func TestLiveReaderGetsWhatIsPublishedAfterItCame(t *testing.T) {
	r := slots(8)
	publish(r, 2, 1)
	c := r.Live()
	wantEmpty(t, &c)
	publish(r, 1, 2)
	wantNext(t, &c, 4, 5, 6)
	wantEmpty(t, &c)
}

func TestSlowReaderWithinCapacityLosesNothing(t *testing.T) {
	r := slots(4)
	c := r.Live()
	publish(r, 1, 1, 1, 1)
	wantNext(t, &c, 1, 2, 3, 4)
	wantEmpty(t, &c)
	publish(r, 1, 1, 1, 1)
	wantNext(t, &c, 5, 6, 7, 8)
	wantEmpty(t, &c)
}

// The reader has taken page 1 to its end and not asked again; that page goes,
// but every entry it still wants is held.
func TestReaderThatTookTheReleasedPageWholeLosesNothing(t *testing.T) {
	r := slots(4)
	c := r.Live()
	publish(r, 1)
	wantNext(t, &c, 1)
	publish(r, 1, 1, 1, 1)
	if c.Seq() != r.Oldest() || c.Behind() != 4 {
		t.Fatalf("at %d, oldest %d, behind %d", c.Seq(), r.Oldest(), c.Behind())
	}
	wantNext(t, &c, 2, 3, 4, 5)
}

func TestReaderThatTookAPageReleasedForItsBytesLosesNothing(t *testing.T) {
	r := ring.New(ring.Options{Entries: 64, Bytes: 3 * pageCost(2)})
	c := r.Live()
	publish(r, 2)
	wantNext(t, &c, 1, 2)
	publish(r, 2, 2, 2)
	wantNext(t, &c, 3, 4, 5, 6, 7, 8)
}

func TestOvertakenReaderResumesInTheMiddle(t *testing.T) {
	r := slots(8)
	c := r.Live()
	publish(r, ones(12)...) // 5 to 12 are held
	wantLost(t, &c, 7)
	wantNext(t, &c, 8, 9, 10, 11, 12)
	wantEmpty(t, &c)
}

func TestReaderOvertakenByBytesResumesInTheMiddle(t *testing.T) {
	r := ring.New(ring.Options{Entries: 64, Bytes: 5 * pageCost(2)})
	c := r.Live()
	publish(r, 2, 2, 2, 2, 2, 2, 2, 2, 2) // pages 5 to 9 are held
	wantLost(t, &c, 12)
	wantNext(t, &c, 13, 14, 15, 16, 17, 18)
	wantEmpty(t, &c)
}

func TestLostCountIsExact(t *testing.T) {
	r := slots(4)
	c := r.Live()
	publish(r, 3, 2) // 1-3, 4-5
	wantNext(t, &c, 1, 2)
	publish(r, 4, 1, 5, 2, 3) // 6-9, 10, 11-15, 16-17, 18-20: pages 4 to 7 held
	wantLost(t, &c, 8)        // 3 to 10; page 5 is the middle
	wantNext(t, &c, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)
	wantEmpty(t, &c)
}

func TestReaderOvertakenByOneEntryStillHasHalfTheRing(t *testing.T) {
	r := slots(4)
	c := r.Live()
	publish(r, 1, 1, 1, 1, 1) // 2 to 5 are held
	wantLost(t, &c, 2)
	wantNext(t, &c, 3, 4, 5)
}

func TestLagIsPerReader(t *testing.T) {
	r := slots(4)
	slow, quick := r.Live(), r.Live()
	for seq := uint64(1); seq <= 10; seq++ {
		publish(r, 1)
		wantNext(t, &quick, seq)
	}
	wantLost(t, &slow, 7) // 7 to 10 are held
	wantNext(t, &slow, 8, 9, 10)
	wantEmpty(t, &quick)
}

func TestCopyOfACursorReadsOnItsOwn(t *testing.T) {
	r := slots(4)
	c := r.Live()
	publish(r, 2)
	wantNext(t, &c, 1)
	d := c
	wantNext(t, &c, 2)
	wantNext(t, &d, 2)
}

func TestLagAgainBeforeReadingRetained(t *testing.T) {
	r := slots(4)
	c := r.Live()
	publish(r, ones(8)...) // 5 to 8 are held
	wantLost(t, &c, 5)
	publish(r, ones(8)...) // 13 to 16
	wantLost(t, &c, 8)
	wantNext(t, &c, 14)
	publish(r, ones(100)...) // 113 to 116
	wantLost(t, &c, 99)
	wantNext(t, &c, 114, 115, 116)
}

func TestBehindCountsEntriesNotPassed(t *testing.T) {
	r := slots(4)
	c := r.Live()
	publish(r, 2, 3)
	if c.Behind() != 5 {
		t.Fatalf("behind %d, want 5", c.Behind())
	}
	wantNext(t, &c, 1, 2, 3)
	if c.Behind() != 2 {
		t.Fatalf("behind %d, want 2", c.Behind())
	}
}

func TestAdvanceOutOfThePagePanics(t *testing.T) {
	for _, seq := range []uint64{0, 2, 6, 7, math.MaxUint64} { // at 3 of a page of 2 to 4
		r := slots(4)
		publish(r, 1, 3, 2)
		c, _ := r.Seek(2)
		wantNext(t, &c, 2)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Advance(%d) at 3 did not panic", seq)
				}
			}()
			c.Advance(seq)
		}()
	}
}

func TestAdvanceToWhereTheCursorIsChangesNothing(t *testing.T) {
	defer func() {
		if p := recover(); p != nil {
			t.Fatal(p)
		}
	}()
	r := slots(4)
	publish(r, 2, 1)
	c, _ := r.Seek(1)
	c.Advance(1)
	wantNext(t, &c, 1)
	c.Advance(2)
	wantNext(t, &c, 2)
	c.Advance(3)
	wantNext(t, &c, 3)
	c.Advance(4)
	wantEmpty(t, &c)
	publish(r, 1)
	wantNext(t, &c, 4)
}

func TestSeekDeliversFromTheGivenEntry(t *testing.T) {
	r := slots(8)
	publish(r, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3) // 7 to 30 are held, three a page
	for _, tt := range []struct {
		name             string
		seq, lost, first uint64
	}{
		{"before the first", 0, 7, 7},
		{"the first ever", 1, 6, 7},
		{"one before the oldest", 6, 1, 7},
		{"the oldest", 7, 0, 7},
		{"inside the oldest page", 8, 0, 8},
		{"a page's last", 9, 0, 9},
		{"a page's first", 10, 0, 10},
		{"inside a page", 17, 0, 17},
		{"the newest page's first", 28, 0, 28},
		{"the head", 30, 0, 30},
		{"behind the head", 31, 0, 31},
		{"two behind the head", 32, 0, 31},
		{"far future", 1 << 60, 0, 31},
		{"the largest number", math.MaxUint64, 0, 31},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, lost := r.Seek(tt.seq)
			if lost != tt.lost || c.Seq() != tt.first || c.Behind() != 31-tt.first {
				t.Fatalf("at %d, lost %d, behind %d", c.Seq(), lost, c.Behind())
			}
			for seq := tt.first; seq <= 30; seq++ {
				wantNext(t, &c, seq)
			}
			wantEmpty(t, &c)
		})
	}
}

func TestSeekFindsEveryEntryOfUnevenPages(t *testing.T) {
	r := slots(16)
	publish(r, 1, 7, 2, 2, 5, 1, 1, 9, 3, 1, 4, 6, 2, 8, 1, 1, 3, 5, 2, 7)
	for seq := uint64(0); seq <= r.Head()+2; seq++ {
		c, lost := r.Seek(seq)
		want := min(max(seq, r.Oldest()), r.Head()+1)
		if c.Seq() != want || lost != max(want, seq)-seq {
			t.Fatalf("Seek(%d) is at %d with %d lost, want %d", seq, c.Seq(), lost, want)
		}
		if want <= r.Head() {
			wantNext(t, &c, want)
		} else {
			wantEmpty(t, &c)
		}
	}
}

func TestSeekBehindTheHeadGoesOnLive(t *testing.T) {
	r := slots(4)
	publish(r, 2)
	c, _ := r.Seek(99)
	wantEmpty(t, &c)
	publish(r, 2)
	wantNext(t, &c, 3, 4)
}

func TestSoughtEntryReleasedBeforeItIsReadIsTold(t *testing.T) {
	r := slots(4)
	publish(r, 2, 2, 2, 2)
	c, lost := r.Seek(2)
	if lost != 0 {
		t.Fatalf("lost %d of what is held", lost)
	}
	publish(r, 2, 2) // 5 to 12 are held; 7 is the middle
	wantLost(t, &c, 5)
	wantNext(t, &c, 7, 8, 9, 10, 11, 12)
}

func TestSeekInAnEmptyRingBelowItsFirstEntryTellsTheLossAtOnce(t *testing.T) {
	for _, first := range []uint64{1, 1000} {
		r := ring.New(ring.Options{Entries: 4, Bytes: 1 << 20, First: first})
		c, lost := r.Seek(first - 1)
		if c.Seq() != first || lost != 1 || c.Behind() != 0 {
			t.Errorf("first %d: at %d, lost %d, behind %d; want %d, 1, 0", first, c.Seq(), lost, c.Behind(), first)
		}
	}
}

// A loop with nothing to read must be able to sleep, whatever its subscriber
// asked for.
func TestReaderThatSoughtInAnEmptyRingCanPark(t *testing.T) {
	r := ring.New(ring.Options{Entries: 4, Bytes: 1 << 20, First: 1000})
	c, _ := r.Seek(500)
	if _, _, ok := c.Page(); ok {
		t.Fatal("a page in an empty ring")
	}
	if w := r.NewWaker(func() {}); !w.Park(c.Seq() - 1) {
		t.Fatalf("nothing to read at %d, but Park says there is", c.Seq())
	}
}
