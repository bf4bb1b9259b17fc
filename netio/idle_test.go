package netio

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"logwisp/ring"
)

// TestSubscribersThatAreSetAsideMissNothing mixes filtered and other clients,
// of which some leave, are kicked, stop reading or get heartbeats.
func TestSubscribersThatAreSetAsideMissNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBed(t, ring.Options{
			Entries: rapid.SampledFrom([]int{64, 1024}).Draw(t, "slots"), Bytes: 1 << 20,
		}, tellingForm(rapid.Bool().Draw(t, "raw")))
		defer b.close()
		b.pad = func(seq uint64) int { return int(seq*91) % 900 }
		b.level = func(seq uint64) ring.Level {
			if seq%97 < 3 || seq/300%5 == 4 {
				return ring.LevelError
			}
			return ring.LevelInfo
		}
		clients := make(map[*Subscriber]*witness)
		join := func(level string) {
			w := &witness{b: b, raw: b.transport.Form.Entry == nil, wants: func(seq uint64) bool {
				return level == "" || b.level(seq).String() == level
			}}
			w.s = b.joinAs(8<<10, Subscription{Filter: levelFilter(t, level)})
			w.next = w.s.start
			clients[w.s] = w
		}
		all := func() (of []*Subscriber) {
			b.loop.each(func(s *Subscriber) { of = append(of, s) })
			return of
		}
		pick := func(t *rapid.T) *Subscriber {
			if of := all(); len(of) > 0 {
				return of[rapid.IntRange(0, len(of)-1).Draw(t, "who")]
			}
			return nil
		}
		read := func(s *Subscriber, most int) bool {
			p := b.receive(s, most)
			if len(p) > 0 {
				clients[s].feed(p)
				b.writable(s)
			}
			return len(p) > 0
		}
		for _, level := range []string{"error", "error", "error", "fatal", ""} {
			join(level)
		}
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				b.publish(rapid.IntRange(1, 60).Draw(t, "n"), rapid.SampledFrom([]int{1, 3, 50}).Draw(t, "per page"))
			},
			"join": func(t *rapid.T) { join(rapid.SampledFrom([]string{"error", "fatal", ""}).Draw(t, "level")) },
			"leave": func(t *rapid.T) {
				if s := pick(t); s != nil && len(all()) > 4 {
					b.leaves(s)
				}
			},
			"kick": func(t *rapid.T) {
				if s := pick(t); s != nil && len(all()) > 4 {
					s.kick.Store(true)
					b.engine.kicks.Add(1)
					b.loop.ring()
				}
			},
			"read": func(t *rapid.T) {
				if s := pick(t); s != nil {
					read(s, rapid.IntRange(1, 20000).Draw(t, "bytes"))
				}
			},
			"beat": func(t *rapid.T) {
				if s := pick(t); s != nil {
					s.policy.Interval, s.heartbeat = time.Hour, time.Now()
					b.loop.due.Store(true)
					b.loop.ring()
				}
			},
			"pass": func(t *rapid.T) {
				if b.loop.rung.Load() {
					b.loop.pass()
				}
			},
			"": func(t *rapid.T) { b.wantNobodyBehind() },
		})
		for unread := true; unread; {
			unread = false
			b.settle()
			for _, s := range all() {
				unread = read(s, 1<<20) || unread
			}
			b.settle()
			for _, s := range all() {
				unread = unread || !s.aside && (s.cursor.Behind() > 0 || s.rest != nil || s.control != nil)
			}
		}
		b.wantNobodyBehind()
		for _, s := range all() {
			w := clients[s]
			w.skipTo(b.published + 1)
			total := s.Totals()
			if total.Offered != b.published+1-s.start || total.Filtered+total.Dropped != w.unwanted+w.dropped || total.Delivered != w.got {
				t.Fatalf("%+v where the client has %d, misses %d by the filter and %d by lag", total, w.got, w.unwanted, w.dropped)
			}
			if !s.aside && s.group.filter != nil {
				t.Fatalf("a client with a filter that has caught up is not set aside")
			}
		}
	})
}
