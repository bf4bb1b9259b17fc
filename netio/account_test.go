package netio

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"logwisp/ring"
	"logwisp/ring/record"
)

// take makes one write for s of which the socket takes as many bytes as took
// says, and returns them. It is pump with the system call left out.
func (b *bed) take(s *Subscriber, took func(total int) int) []byte {
	out := &b.loop.out
	b.loop.scan.begin(time.Now().Add(time.Hour)) // of time there is enough
	b.loop.compose(s, false)
	all := batchBytes(out)
	n := took(len(all))
	if n > 0 || len(all) == 0 {
		s.tookBytes(out, n)
	}
	out.end()
	return all[:n]
}

func everything(total int) int { return total }

// TestEveryPossibleShortWriteLeavesTheStreamWhole cuts one write after each of
// its bytes in turn.
func TestEveryPossibleShortWriteLeavesTheStreamWhole(t *testing.T) {
	for _, form := range []*Form{rawForm(), framedForm()} {
		for _, perPage := range []int{1, 4, 1000} {
			for cut, last := 0, 1; cut <= last; cut++ {
				b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, form)
				s := b.join(0)
				st := &stream{next: 1}
				s.heartbeatDue = true
				b.publish(12, perPage)
				at := func(total int) int { last = total; return cut }
				st.feed(b, form.Entry != nil, b.take(s, at))
				st.wantTotals(b, s)
				st.feed(b, form.Entry != nil, b.take(s, func(total int) int { return min(1, total) }))
				st.wantTotals(b, s)
				b.publish(3, perPage)
				st.feed(b, form.Entry != nil, b.take(s, everything))
				st.feed(b, form.Entry != nil, b.take(s, everything))
				st.wantTotals(b, s)
				if st.next != 16 || st.dropped != 0 || st.beats != 1 {
					t.Fatalf("%s, %d a page, cut after %d: next is %d, %d lost, %d heartbeats",
						form.Name, perPage, cut, st.next, st.dropped, st.beats)
				}
				b.close()
			}
		}
	}
}

// TestAnySequenceOfShortWritesAndLossesKeepsTheAccount lets subscribers of one
// loop share blocks and views while the ring laps them in the middle of entries.
func TestAnySequenceOfShortWritesAndLossesKeepsTheAccount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := framedForm()
		if rapid.Bool().Draw(t, "raw") {
			form = rawForm()
		}
		b := newBed(t, ring.Options{
			Entries: rapid.SampledFrom([]int{4, 16, 64}).Draw(t, "slots"),
			Bytes:   rapid.Int64Range(20<<10, 300<<10).Draw(t, "bytes"),
		}, form)
		defer b.close()
		long := rapid.SampledFrom([]int{40, 3000, 100 << 10}).Draw(t, "longest filler")
		b.pad = func(seq uint64) int {
			if seq%7 == 3 {
				return long
			}
			return int(seq*37) % 200
		}
		subs := make([]*Subscriber, 3)
		streams := make([]*stream, len(subs))
		for i := range subs {
			subs[i], streams[i] = b.join(0), &stream{next: 1}
		}
		write := func(i int, took func(int) int) {
			streams[i].feed(b, form.Entry != nil, b.take(subs[i], took))
			streams[i].wantTotals(b, subs[i])
		}
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				b.publish(rapid.IntRange(1, 60).Draw(t, "n"), rapid.SampledFrom([]int{1, 2, 20, 1000}).Draw(t, "per page"))
			},
			"some": func(t *rapid.T) {
				per := rapid.IntRange(0, 1000).Draw(t, "per mille")
				write(rapid.IntRange(0, 2).Draw(t, "who"), func(total int) int { return total * per / 1000 })
			},
			"few": func(t *rapid.T) {
				n := rapid.IntRange(0, 300).Draw(t, "bytes")
				write(rapid.IntRange(0, 2).Draw(t, "who"), func(total int) int { return min(n, total) })
			},
			"beat": func(t *rapid.T) { subs[rapid.IntRange(0, 2).Draw(t, "who")].heartbeatDue = true },
			"": func(t *rapid.T) {
				for i, s := range subs {
					streams[i].wantTotals(b, s)
				}
			},
		})
		for i, s := range subs {
			for s.cursor.Behind() > 0 || s.rest != nil || s.control != nil {
				write(i, everything)
			}
			if got := streams[i]; got.next != b.published+1 || got.delivered+got.dropped != b.published || len(got.rest) > 0 {
				t.Fatalf("subscriber %d has %d delivered and %d dropped of %d, %d bytes of a cut item",
					i, got.delivered, got.dropped, b.published, len(got.rest))
			}
		}
		if p := &b.engine.pins; p.bytes != 0 || len(p.held) != 0 {
			t.Fatalf("%d bytes in %d entries stay pinned", p.bytes, len(p.held))
		}
	})
}

// TestALossFoundWhileAnotherIsBeingToldIsCountedToo overtakes the cursor a
// second time between the two looks of one write.
func TestALossFoundWhileAnotherIsBeingToldIsCountedToo(t *testing.T) {
	form := framedForm()
	b := newBed(t, ring.Options{Entries: 8, Bytes: 1 << 20}, form)
	defer b.close()
	notice, again := form.Drop, 1
	form.Drop = func(dst []byte, d *record.Drop) []byte {
		if again > 0 {
			again--
			b.publish(40, 1)
		}
		return notice(dst, d)
	}
	s := b.join(0)
	st := &stream{next: 1}
	b.publish(40, 1)
	b.loop.pump(s, false)
	for s.cursor.Behind() > 0 {
		b.loop.pump(s, false)
	}
	if got := s.Totals(); got.Delivered+got.Dropped != got.Offered || got.Offered != b.published {
		t.Errorf("delivered %d + dropped %d, offered %d, published %d", got.Delivered, got.Dropped, got.Offered, b.published)
	}
	st.feed(b, true, b.receive(s, 1<<20))
}

// TestASubscriberThatLosesEntriesTwiceInAWriteIsNotTakenForIdle has no notice
// to write after the second loss.
func TestASubscriberThatLosesEntriesTwiceInAWriteIsNotTakenForIdle(t *testing.T) {
	form := silentForm()
	b := newBed(t, ring.Options{Entries: 8, Bytes: 1 << 20}, form)
	defer b.close()
	again := 1
	form.Drop = func(dst []byte, _ *record.Drop) []byte {
		if again > 0 {
			again--
			b.publish(40, 1)
		}
		return dst
	}
	s := b.join(0)
	b.publish(40, 1)
	if more := b.loop.pump(s, false); !more && !s.blocked && s.cursor.Behind() > 0 {
		t.Errorf("the pass takes the subscriber for idle while it is %d entries behind", s.cursor.Behind())
	}
}

// TestAStuckSubscriberWithFrequentLossesStaysSmall is a client that never reads
// beside a ring that is often overtaken, with slow_timeout_seconds = 0.
func TestAStuckSubscriberWithFrequentLossesStaysSmall(t *testing.T) {
	form := framedForm()
	form.Drop = func(dst []byte, d *record.Drop) []byte { // about as long as an event
		return fmt.Appendf(dst, "drop %100d %100d %d\n", d.From, d.To, d.Total)
	}
	b := newBed(t, ring.Options{Entries: 4, Bytes: 4 << 20}, form)
	defer b.close()
	b.pad = func(uint64) int { return smallPage } // too large to be gathered
	s := b.join(4 << 10)
	for range 400 {
		b.publish(6, 1)
		b.loop.now = b.loop.now.Add(time.Second)
		b.loop.tick()
		b.loop.pump(s, false)
	}
	if n := len(s.control) + len(s.rest); n > maxCopy {
		t.Errorf("the subscriber keeps %d bytes of its own, more than %d", n, maxCopy)
	}
	if got := s.Totals(); got.Delivered+got.Dropped != got.Offered {
		t.Errorf("delivered %d + dropped %d != offered %d", got.Delivered, got.Dropped, got.Offered)
	}
}

// TestHeartbeatsAreSkippedWhileAClientIsBlocked is the contract's section 5.
func TestHeartbeatsAreSkippedWhileAClientIsBlocked(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 256, Bytes: 1 << 20}, framedForm())
	defer b.close()
	b.transport.Reload(ClientOptions{}, HeartbeatPolicy{Interval: time.Second})
	b.pad = func(uint64) int { return 1000 }
	s := b.join(4 << 10)
	s.heartbeat = b.loop.now.Add(time.Second)
	b.publish(200, 1)
	b.loop.pump(s, false)
	if !s.blocked {
		t.Fatal("the socket took everything: the case does not test what it says")
	}
	for range 20 {
		b.loop.now = b.loop.now.Add(time.Second)
		b.loop.tick()
		b.loop.pump(s, false)
	}
	if len(s.control) > 0 {
		t.Errorf("stale heartbeats wait for a blocked client: %q", s.control)
	}
}

// TestAWriteLetsGoOfItsPages looks for pages that the loop still refers to.
func TestAWriteLetsGoOfItsPages(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 4 << 20}, rawForm())
	defer b.close()
	b.pad = func(uint64) int { return 20 << 10 }
	s := b.join(1 << 20)
	b.publish(8, 1)
	for b.loop.pump(s, false) {
	}
	out := &b.loop.out
	for i, sp := range out.spans[:cap(out.spans)] {
		if sp.text != nil {
			t.Fatalf("span %d keeps a page of %d bytes after the write", i, len(sp.text))
		}
	}
}

// TestABlockIsNotFilledAnewWhileTheSameWriteUsesIt lets one subscriber gather a
// block per entry and another collect them all, and one more, in one write.
func TestABlockIsNotFilledAnewWhileTheSameWriteUsesIt(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, framedForm())
	defer b.close()
	first, second := b.join(0), b.join(0)
	for range maxBlocks {
		b.publish(1, 1)
		b.take(first, everything)
	}
	b.publish(3, 1)
	st := &stream{next: 1}
	st.feed(b, true, b.take(second, everything))
	st.feed(b, true, b.take(second, everything))
	st.wantTotals(b, second)
	if st.next != maxBlocks+4 {
		t.Errorf("the second client has %d of %d entries", st.next-1, b.published)
	}
}

// TestARestOutlivesTheBlockItWasCutFrom fills every block anew before the rest
// of an entry goes out.
func TestARestOutlivesTheBlockItWasCutFrom(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, framedForm())
	defer b.close()
	slow, fast := b.join(0), b.join(0)
	st := &stream{next: 1}
	b.publish(2, 1)
	st.feed(b, true, b.take(slow, func(int) int { return 8 }))
	for range 2 * maxBlocks {
		b.publish(1, 1)
		b.take(fast, everything)
	}
	for slow.cursor.Behind() > 0 || slow.rest != nil {
		st.feed(b, true, b.take(slow, everything))
	}
	st.wantTotals(b, slow)
	if st.next != b.published+1 || st.dropped != 0 {
		t.Errorf("the slow client has %d of %d entries, %d lost", st.next-1, b.published, st.dropped)
	}
}

func TestHeartbeatsChangeForThoseWhoAreThereAndDoNotAskForTheirOwn(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 256, Bytes: 1 << 20}, framedForm())
	defer b.close()
	s, own := b.join(4<<10), b.join(4<<10)
	own.ownBeat = true
	b.loop.tickOne(s)
	if !s.heartbeat.IsZero() {
		t.Fatal("there are heartbeats by default")
	}
	policy := HeartbeatPolicy{Interval: time.Minute, Stats: true}
	b.transport.Reload(ClientOptions{SlowTimeout: 7}, policy)
	b.loop.tickOne(s)
	b.loop.tickOne(own)
	if s.policy != policy || !s.heartbeat.Equal(b.loop.now.Add(time.Minute)) {
		t.Errorf("policy %+v, the next at %s", s.policy, s.heartbeat)
	}
	if !own.heartbeat.IsZero() {
		t.Error("whoever wants none gets them")
	}
	b.transport.Reload(ClientOptions{SlowTimeout: 8}, policy)
	next := s.heartbeat
	b.loop.now = b.loop.now.Add(time.Second)
	if b.loop.tickOne(s); !s.heartbeat.Equal(next) {
		t.Error("a change of something else has put a heartbeat off")
	}
	b.transport.Reload(ClientOptions{}, HeartbeatPolicy{})
	if b.loop.tickOne(s); !s.heartbeat.IsZero() {
		t.Error("heartbeats go on")
	}
}

func TestAClientMaySendSoManyBytesASecond(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 256, Bytes: 1 << 20}, framedForm())
	defer b.close()
	s := b.join(4 << 10)
	if !s.input.hears(maxHeard-1) || !s.input.hears(1) {
		t.Error("it has not sent more than it may")
	}
	if s.input.hears(1) {
		t.Error("a byte more is too many")
	}
	b.loop.tickOne(s)
	if !s.input.hears(maxHeard) {
		t.Error("in the next second it may go on")
	}
}

func TestAClientThatMustSayHelloAndDoesNotIsDisconnected(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 256, Bytes: 1 << 20}, framedForm())
	defer b.close()
	s := b.join(4 << 10)
	s.held, s.joined = true, b.loop.now
	b.loop.now = s.joined.Add(helloTime - time.Second)
	if b.loop.tickOne(s); s.gone {
		t.Fatal("it had time left")
	}
	b.loop.now = s.joined.Add(helloTime)
	if b.loop.tickOne(s); !s.gone {
		t.Error("it is still there")
	}
	if n := b.transport.disconnects.counts()["hello"]; n != 1 {
		t.Errorf("counted %d times", n)
	}
}
