package netio

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"logwisp/ring"
	"logwisp/ring/filter"
)

// crowd is clients of one loop, with filters and without.
type crowd struct {
	*bed
	clients map[*Subscriber]*witness
}

func (c *crowd) join(level string) {
	w := &witness{b: c.bed, raw: c.transport.Form.Entry == nil, wants: func(seq uint64) bool {
		return level == "" || c.level(seq).String() == level
	}}
	w.s = c.joinAs(8<<10, Subscription{Filter: levelFilter(c.f, level)})
	w.next = w.s.start
	c.clients[w.s] = w
}

func (c *crowd) all() (of []*Subscriber) {
	c.loop.each(func(s *Subscriber) { of = append(of, s) })
	return of
}

// pick returns one of them, nil when there are no more than atLeast.
func (c *crowd) pick(t *rapid.T, atLeast int) *Subscriber {
	of := c.all()
	if len(of) <= atLeast {
		return nil
	}
	return of[rapid.IntRange(0, len(of)-1).Draw(t, "who")]
}

// read reports whether anything has arrived.
func (c *crowd) read(s *Subscriber, most int) bool {
	p := c.receive(s, most)
	if len(p) > 0 {
		c.clients[s].feed(p)
		c.writable(s)
	}
	return len(p) > 0
}

// readAll reads until nobody has anything to come.
func (c *crowd) readAll() {
	for unread := true; unread; {
		unread = false
		c.settle()
		for _, s := range c.all() {
			unread = c.read(s, 1<<20) || unread
		}
		c.settle()
		for _, s := range c.all() {
			unread = unread || !s.aside && (s.cursor.Behind() > 0 || s.rest != nil || s.control != nil)
		}
	}
}

// wantSums checks a client that has everything that is for it.
func (c *crowd) wantSums(s *Subscriber) {
	w := c.clients[s]
	w.skipTo(c.published + 1)
	total := s.Totals()
	if total.Offered != c.published+1-s.start || total.Filtered+total.Dropped != w.unwanted+w.dropped || total.Delivered != w.got {
		c.f.Fatalf("%+v where the client has %d, misses %d by the filter and %d by lag", total, w.got, w.unwanted, w.dropped)
	}
	if !s.aside && s.group.filter != nil {
		c.f.Fatalf("a client with a filter that has caught up is not set aside")
	}
}

func (c *crowd) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"publish": func(t *rapid.T) {
			c.publish(rapid.IntRange(1, 60).Draw(t, "n"), rapid.SampledFrom([]int{1, 3, 50}).Draw(t, "per page"))
		},
		"join":  func(t *rapid.T) { c.join(rapid.SampledFrom([]string{"error", "fatal", ""}).Draw(t, "level")) },
		"leave": func(t *rapid.T) { c.leaves(c.pick(t, 4)) },
		"kick": func(t *rapid.T) {
			if s := c.pick(t, 4); s != nil {
				s.kick.Store(true)
				c.engine.kicks.Add(1)
				c.loop.ring()
			}
		},
		"read": func(t *rapid.T) {
			if s := c.pick(t, 0); s != nil {
				c.read(s, rapid.IntRange(1, 20000).Draw(t, "bytes"))
			}
		},
		"beat": func(t *rapid.T) {
			if s := c.pick(t, 0); s != nil {
				s.policy.Interval, s.heartbeat = time.Hour, time.Now()
				c.loop.due.Store(true)
				c.loop.ring()
			}
		},
		"pass": func(t *rapid.T) {
			if c.loop.rung.Load() {
				c.loop.pass()
			}
		},
		"": func(t *rapid.T) { c.wantNobodyBehind() },
	}
}

// TestSubscribersThatAreSetAsideMissNothing mixes filtered and other clients,
// of which some leave, are kicked, stop reading or get heartbeats.
func TestSubscribersThatAreSetAsideMissNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBed(t, ring.Options{
			Entries: rapid.SampledFrom([]int{64, 1024}).Draw(t, "slots"), Bytes: 1 << 20,
		}, tellingForm(rapid.Bool().Draw(t, "raw")))
		defer b.close()
		b.loop.scan.most = anyScan(t)
		b.loop.scan.slow = rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(t, "slow")
		b.pad = func(seq uint64) int { return int(seq*91) % 900 }
		b.level = func(seq uint64) ring.Level {
			if seq%97 < 3 || seq/300%5 == 4 {
				return ring.LevelError
			}
			return ring.LevelInfo
		}
		c := &crowd{bed: b, clients: make(map[*Subscriber]*witness)}
		for _, level := range []string{"error", "error", "error", "fatal", ""} {
			c.join(level)
		}
		t.Repeat(c.actions())
		c.readAll()
		c.wantNobodyBehind()
		for _, s := range c.all() {
			c.wantSums(s)
		}
	})
}

// TestNobodyIsSetAsideBeyondWhatItsGroupHasNotSeen has one client get an entry
// that the group of those set aside has not looked at yet.
func TestNobodyIsSetAsideBeyondWhatItsGroupHasNotSeen(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, tellingForm(true))
	defer b.close()
	b.level = func(seq uint64) ring.Level {
		if seq == 11 {
			return ring.LevelError
		}
		return ring.LevelInfo
	}
	sub := Subscription{Filter: levelFilter(t, "error")}
	waits := b.joinAs(0, sub)
	b.publish(10, 1)
	b.settle()
	if !waits.aside {
		t.Fatal("the first client is not set aside")
	}
	ahead := b.joinAs(0, sub)
	b.publish(1, 1)
	b.loop.pump(ahead, false)
	b.publish(2, 1)
	b.loop.pump(ahead, false)
	if ahead.cursor.Behind() > 0 {
		t.Fatal("the second client has not caught up")
	}
	if ahead.settles() {
		t.Error("the group is moved over an entry that is for its members")
	}
	b.settle()
	if got := string(b.receive(waits, 1<<20)); got != b.line(11) {
		t.Errorf("the first client got %q, want entry 11", got)
	}
}

// TestAGroupThatHasALotToLookAtComesToTheHead has more come than is looked at in
// one pass, in bytes and in pages.
func TestAGroupThatHasALotToLookAtComesToTheHead(t *testing.T) {
	for _, spec := range []filter.Spec{{Q: []string{"nowhere"}}, {Level: "fatal"}} {
		f, err := filter.Compile(spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := newBed(t, ring.Options{Entries: 1 << 12, Bytes: 16 << 20}, tellingForm(true))
		b.pad = func(uint64) int { return 1000 }
		clients := []*Subscriber{b.joinAs(0, Subscription{Filter: f}), b.joinAs(0, Subscription{Filter: f})}
		b.publish(1, 1)
		b.settle()
		for _, perPage := range []int{1, 40} {
			b.publish(2000, perPage)
			b.settle()
			b.wantNobodyBehind()
		}
		for _, s := range clients {
			if got := s.Totals(); !s.aside || got != (Totals{Offered: 4001, Filtered: 4001}) {
				t.Errorf("%s: %+v, set aside: %t", f, got, s.aside)
			}
		}
		b.close()
	}
}

func TestNoGroupIsForgottenWhenAnotherHasNobodyLeft(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 64, Bytes: 1 << 20}, rawForm())
	defer b.close()
	first := b.joinAs(0, Subscription{Filter: levelFilter(t, "fatal")})
	b.joinAs(0, Subscription{Filter: levelFilter(t, "error")})
	b.settle()
	b.publish(1, 1)
	b.settle() // the next look begins behind these two
	b.joinAs(0, Subscription{Filter: levelFilter(t, "warn")})
	b.settle()
	b.leaves(first)
	b.publish(1, 1)
	b.settle()
	b.wantNobodyBehind()
}
