package netio

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"logwisp/ring"
	"logwisp/ring/record"
)

// settle makes passes until the loop parks.
func (b *bed) settle() {
	b.f.Helper()
	for i := 0; b.loop.rung.Load() || b.waitsForRest(); i++ {
		if i > 10000 {
			b.f.Fatalf("the loop never parks: next %d of %d, busy %t", b.loop.next, len(b.loop.subs), b.loop.busy)
		}
		b.loop.rest = time.Time{}
		b.loop.pass()
	}
}

// rests reports whether a group waits because its filter is slow. The loop is
// woken for it.
func (b *bed) rests(g *group) bool { return g.slow && !b.loop.alarmAt.IsZero() }

func (b *bed) waitsForRest() bool {
	waits := false
	for _, g := range b.loop.watched {
		waits = waits || b.rests(g) && g.at.Behind() > 0
	}
	for _, s := range b.loop.subs {
		waits = waits || b.rests(s.group) && !s.blocked && (s.cursor.Behind() > 0 || s.rest != nil || s.control != nil)
	}
	return waits
}

// spin uses up the time of a pass.
func spin() {
	for end := time.Now().Add(maxPass); time.Now().Before(end); {
	}
}

// TestALoopThatParksHasLeftNobodyBehind mixes joins, departures, full sockets
// and publishing into rounds that take several passes.
func TestALoopThatParksHasLeftNobodyBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := framedForm()
		long := false // every gathering uses up a pass
		entry := form.Entry
		form.Entry = func(dst []byte, ids record.IDs, seq uint64, line []byte) []byte {
			if long {
				long = false
				spin()
			}
			return entry(dst, ids, seq, line)
		}
		b := newBed(t, ring.Options{Entries: 64, Bytes: 64 << 10}, form)
		defer b.close()
		b.pad = func(seq uint64) int { return int(seq*91) % 1500 }
		streams := make(map[*Subscriber]*stream)
		read := func(s *Subscriber, most int) {
			if p := b.receive(s, most); len(p) > 0 {
				streams[s].feed(b, true, p)
				b.writable(s)
			}
		}
		pick := func(t *rapid.T) *Subscriber {
			if len(b.loop.subs) == 0 {
				return nil
			}
			return b.loop.subs[rapid.IntRange(0, len(b.loop.subs)-1).Draw(t, "who")]
		}
		join := func(n int) {
			for range n {
				s := b.join(4 << 10)
				streams[s] = &stream{next: s.start}
			}
		}
		join(12)
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				long = rapid.Bool().Draw(t, "long pass")
				b.publish(rapid.IntRange(1, 20).Draw(t, "n"), 3)
			},
			"join":  func(t *rapid.T) { join(rapid.IntRange(1, 3).Draw(t, "n")) },
			"leave": func(t *rapid.T) { b.leaves(pick(t)) },
			"read": func(t *rapid.T) {
				if s := pick(t); s != nil {
					read(s, rapid.IntRange(1, 20000).Draw(t, "bytes"))
				}
			},
			"tick": func(t *rapid.T) { b.loop.due.Store(true); b.loop.ring() },
			"pass": func(t *rapid.T) {
				if b.loop.rung.Load() {
					b.loop.pass()
				}
			},
			"": func(t *rapid.T) { b.wantNobodyBehind() },
		})
		b.settle()
		b.wantNobodyBehind()
		for unread := true; unread; {
			unread = false
			for _, s := range b.loop.subs {
				before := streams[s].next
				read(s, 1<<20)
				unread = unread || streams[s].next != before || s.cursor.Behind() > 0
			}
			b.settle()
		}
		for _, s := range b.loop.subs {
			if streams[s].next != b.published+1 {
				t.Fatalf("a client has everything up to entry %d of %d", streams[s].next-1, b.published)
			}
			streams[s].wantTotals(b, s)
		}
	})
}

// leaves ends a subscriber as a closed connection does.
func (b *bed) leaves(s *Subscriber) {
	if s == nil {
		return
	}
	b.loop.leave(s, "closed by peer")
	unix.Close(b.peers[s])
	delete(b.peers, s)
}

// wantNobodyBehind checks N8: with no bell on its way every subscriber is at
// the head or waits for its socket.
func (b *bed) wantNobodyBehind() {
	b.f.Helper()
	l := b.loop
	for i, s := range l.subs {
		if s.index != i || l.byFD[s.fd] != s || s.gone {
			b.f.Fatalf("subscriber %d of the list believes to be number %d, gone: %t", i, s.index, s.gone)
		}
	}
	if l.rung.Load() {
		return
	}
	for _, g := range l.watched {
		if b.rests(g) {
			continue
		}
		for i, s := range g.idle {
			if s.index != i || !s.aside || s.group != g || g.at.Behind() > 0 {
				b.f.Fatalf("number %d of those set aside believes to be number %d, aside: %t; its group is %d behind",
					i, s.index, s.aside, g.at.Behind())
			}
			if t := s.Totals(); t.Offered != b.published+1-s.start || t.Delivered+t.Filtered+t.Dropped != t.Offered {
				b.f.Fatalf("one that is set aside has %+v, it began at %d of %d", t, s.start, b.published)
			}
		}
	}
	for i, s := range l.subs {
		if !s.blocked && !b.rests(s.group) && (s.cursor.Behind() > 0 || s.rest != nil || s.control != nil) {
			b.f.Fatalf("the loop sleeps while subscriber %d of %d is %d entries behind, %d bytes of a rest, %d of control",
				i, len(l.subs), s.cursor.Behind(), len(s.rest), len(s.control))
		}
	}
}

// TestNothingFollowsTheDisconnectNotice publishes on while the streams end.
func TestNothingFollowsTheDisconnectNotice(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, framedForm())
	defer b.close()
	s := b.join(0)
	st := &stream{next: 1}
	b.publish(3, 1)
	b.loop.draining = true
	for range 10 {
		b.loop.pass()
		st.feed(b, true, b.receive(s, 1<<20))
		if st.bye && !s.gone {
			b.publish(1, 1)
			s.heartbeatDue = true
		}
	}
	if !st.bye || !s.gone {
		t.Errorf("said goodbye: %t, gone: %t", st.bye, s.gone)
	}
}

// TestADrainEndsThoughEntriesKeepComing has a page published between any two
// looks at a subscriber.
func TestADrainEndsThoughEntriesKeepComing(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, framedForm())
	defer b.close()
	s := b.join(0)
	b.loop.draining = true
	for range 1000 {
		b.publish(1, 1)
		b.loop.pass()
		b.receive(s, 1<<20)
	}
	if !s.gone {
		t.Error("the stream has not ended after 1000 passes, each with one new entry")
	}
}

// TestAnEventForAFormerOwnerOfADescriptorHarmsNobody tells the loop of events for
// a descriptor whose number belongs to another subscriber by now.
func TestAnEventForAFormerOwnerOfADescriptorHarmsNobody(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, framedForm())
	defer b.close()
	first := b.join(0)
	old := first.fd
	b.leaves(first)
	second := b.join(0)
	if second.fd != old {
		t.Skipf("the kernel gave number %d, not %d", second.fd, old)
	}
	b.loop.unblock(old, true)
	b.loop.unblock(1<<20, true)
	b.publish(2, 1)
	b.settle()
	if second.gone {
		t.Fatal("the new owner was disconnected")
	}
	st := &stream{next: 1}
	st.feed(b, true, b.receive(second, 1<<20))
	st.wantTotals(b, second)
	if st.next != 3 {
		t.Errorf("the new owner got %d of 2 entries", st.next-1)
	}
}

// TestADepartureInMidRoundSkipsNobody lets the visited first one go, so that
// the unvisited last one takes its place.
func TestADepartureInMidRoundSkipsNobody(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, framedForm())
	defer b.close()
	for range 4 {
		b.join(0)
	}
	b.settle()
	b.publish(1, 1)
	l := b.loop
	l.head, l.busy = b.ring.Head(), false
	for l.next < 2 {
		l.pump(l.subs[l.next], false)
		l.next++
	}
	b.leaves(l.subs[0])
	b.settle()
	b.wantNobodyBehind()
}
