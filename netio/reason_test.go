package netio

import (
	"errors"
	"maps"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"logwisp/ring"
)

func TestEveryDepartureIsCountedUnderItsReason(t *testing.T) {
	tr := &Transport{disconnects: newDisconnects(), rejections: newRejections()}
	for _, why := range []string{
		leftByItself, unix.ECONNRESET.Error(), leftAtStop, leftAtEnd, leftKicked, leftSlow, leftSilent,
		leftRefused, leftTooLong, leftFlooding, unix.ETIMEDOUT.Error(), "something new",
	} {
		tr.countDisconnect(why)
	}
	want := map[string]uint64{"closed": 2, "server_shutdown": 1, "limit": 1, "kicked": 1, "slow": 1, "hello": 3, "flood": 1, "error": 2}
	if got := tr.disconnects.counts(); !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
	for _, err := range []error{ErrFull, ErrCrowd, ErrTooOften, ErrStopping, ErrDenied, ErrHandshake, ErrToken, errors.New("no memory")} {
		tr.Rejected(err)
	}
	want = map[string]uint64{"full": 2, "rate": 1, "stopping": 1, "acl": 1, "tls": 1, "token": 1, "error": 1}
	if got := tr.rejections.counts(); !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func TestWritesAreTimedFromThePublicationOfTheirNewestEntry(t *testing.T) {
	for _, form := range []*Form{framedForm(), rawForm()} {
		b := newBed(t, ring.Options{Entries: 64, Bytes: 4 << 20}, form)
		defer b.close()
		b.publish(3, 1)
		s := b.join(0)
		s.since = 0 // whenever the stream began
		began := time.Now()
		b.publish(5, 1)
		b.pad = func(uint64) int { return smallPage } // too large to be gathered
		b.publish(1, 1)
		for b.loop.pump(s, false) {
		}
		got := b.transport.Stats()
		var writes uint64
		for _, n := range got.Latency.Counts {
			writes += n
		}
		if writes != s.writes.Load() || writes == 0 {
			t.Errorf("%s: %d writes are timed of %d", form.Name, writes, s.writes.Load())
		}
		if limit := time.Since(began) * time.Duration(writes); got.Latency.Sum <= 0 || got.Latency.Sum > limit {
			t.Errorf("%s: %d writes took %v in all, which is not within %v", form.Name, writes, got.Latency.Sum, limit)
		}
		if got.Bytes != uint64(len(b.receive(s, 1<<20))) {
			t.Errorf("%s: %d bytes are counted, more or fewer have arrived", form.Name, got.Bytes)
		}
	}
}

func TestWhatWasHeldBeforeAStreamBeganIsNotTimed(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, rawForm())
	defer b.close()
	b.publish(5, 1)
	b.loop.now = time.Now()
	s := b.joinAs(0, Subscription{From: At(1)})
	for b.loop.pump(s, false) {
	}
	if got := b.transport.Stats(); got.Totals.Delivered != 5 || got.Latency != (Latency{}) {
		t.Errorf("%d delivered, timed %v", got.Totals.Delivered, got.Latency)
	}
}

func TestBucketsHaveTheirUpperBound(t *testing.T) {
	var h histogram
	for _, d := range []time.Duration{-time.Second, 0, 100 * time.Microsecond, 100*time.Microsecond + 1, 10 * time.Second, time.Hour} {
		h.observe(d)
	}
	var got Latency
	h.addTo(&got)
	want := Latency{Sum: time.Hour + 10*time.Second + 200*time.Microsecond + 1}
	want.Counts[0], want.Counts[1], want.Counts[15], want.Counts[16] = 3, 1, 1, 1
	if got != want {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func TestLossesSayWhatDroppedConsistsOf(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 8, Bytes: 1 << 20}, framedForm())
	defer b.close()
	b.publish(40, 1)
	s := b.joinAs(0, Subscription{From: At(1), MaxRate: 1})
	b.publish(40, 1)
	for s.cursor.Behind() > 0 {
		b.loop.pump(s, false)
	}
	got := b.transport.Stats()
	if l := got.Losses; l.Missed == 0 || l.Lagged == 0 || l.Sampled == 0 || l.Missed+l.Lagged+l.Sampled != got.Totals.Dropped {
		t.Errorf("%+v, dropped %d", l, got.Totals.Dropped)
	}
	b.publish(3, 1)
	if got := b.transport.Stats(); got.MaxLag != 3 {
		t.Errorf("the furthest behind is %d entries behind, want 3", got.MaxLag)
	}
	b.loop.leave(s, leftKicked)
	if after := b.transport.Stats(); after.Losses != got.Losses || after.Bytes != got.Bytes || after.MaxLag != 0 || after.Disconnects["kicked"] != 1 {
		t.Errorf("after it has left: %+v, before: %+v", after, got)
	}
}
