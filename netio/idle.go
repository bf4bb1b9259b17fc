package netio

import "time"

// A filtered subscriber that has caught up is set aside: its group looks at
// what comes for all of them at once, and takes them back when there is
// something for them. So a thousand clients that wait for a rare line cost about
// what one of them costs.
//
// Who is set aside has nothing to be written and stands where its group stands.
// What the group passes over is filtered for each of them, without a touch:
// Totals adds it.

// settles reports whether s can be set aside, after a write that left nothing.
func (s *Subscriber) settles() bool {
	g := s.group
	if g.filter == nil || s.gone || s.blocked || !s.current || s.bounds != nil || s.batching != nil || s.wanted != nil ||
		s.rest != nil || s.control != nil || s.lossTo > 0 || s.heartbeatDue || s.bye || s.held || s.kicked || s.replay != nil {
		return false
	}
	at := s.cursor.Seq()
	if len(g.idle) == 0 {
		g.at = s.cursor
		g.place.Store(at)
		return true
	}
	here := g.at.Seq()
	if here < at && g.from <= here && at <= g.to { // nothing in between is for them
		g.at = s.cursor
		g.place.Store(at)
		here = at
	}
	return here == at
}

// setAside moves s from the loop's list to its group's.
func (l *loop) setAside(s *Subscriber) {
	g := s.group
	l.unlist(s)
	if !g.watched {
		g.watched = true
		l.watched = append(l.watched, g)
	}
	s.index = len(g.idle)
	g.idle = append(g.idle, s)
	s.account.Lock()
	defer s.account.Unlock()
	s.aside, s.asideAt = true, g.place.Load()
}

// takeBack moves s to the loop's list again, where it is served in this round.
func (l *loop) takeBack(s *Subscriber) {
	if !s.aside {
		return
	}
	g := s.group
	last := g.idle[len(g.idle)-1]
	g.idle[s.index] = last
	last.index = s.index
	g.idle[len(g.idle)-1] = nil
	g.idle = g.idle[:len(g.idle)-1]
	s.index = len(l.subs)
	l.subs = append(l.subs, s)
	s.cursor = g.at
	s.account.Lock()
	defer s.account.Unlock()
	s.filtered.Add(g.place.Load() - s.asideAt)
	s.aside = false
	s.note()
}

// takeAllBack ends every setting aside.
func (l *loop) takeAllBack() {
	for _, g := range l.watched {
		l.takeGroupBack(g)
		g.watched = false
	}
	l.watched = l.watched[:0]
}

func (l *loop) takeGroupBack(g *group) {
	for len(g.idle) > 0 {
		l.takeBack(g.idle[len(g.idle)-1])
	}
}

// each calls visit, which may end a subscriber, for all of them.
func (l *loop) each(visit func(s *Subscriber)) {
	for i := len(l.subs) - 1; i >= 0; i-- {
		visit(l.subs[i])
	}
	for _, g := range l.watched {
		for i := len(g.idle) - 1; i >= 0; i-- {
			visit(g.idle[i])
		}
	}
}

// watch looks at what has come for the groups of those that are set aside. What
// it has no time for makes the round a busy one (N8).
func (l *loop) watch() {
	head := l.engine.ring.Head()
	if head == l.watchHead && !l.unwatched {
		return
	}
	l.watchHead, l.unwatched = head, false
	empty, rested := false, false
	for i := range len(l.watched) { // every group once: none leaves the list meanwhile
		if l.watchNext >= len(l.watched) {
			l.watchNext = 0
		}
		g := l.watched[l.watchNext]
		l.watchNext++
		if len(g.idle) > 0 && l.rests(g) {
			rested = true
			continue
		}
		if len(g.idle) > 0 {
			before, began := l.scan, time.Now()
			l.look(g, head)
			l.judge(g, &before, began)
		}
		if len(g.idle) == 0 {
			empty = true
			continue
		}
		l.unwatched = l.unwatched || g.at.Seq() <= head
		if l.scan.over() || i&15 == 15 && time.Since(l.now) > maxPass/2 {
			l.unwatched = true
			break
		}
	}
	if empty {
		l.stopWatching()
	}
	if rested {
		l.watchHead = 0 // they are looked at when that is over, whatever has come
	}
	l.busy = l.busy || l.unwatched
}

// stopWatching takes the groups of which nobody is set aside any more out of
// the list; the others stay in order.
func (l *loop) stopWatching() {
	kept, next := l.watched[:0], 0
	for i, g := range l.watched {
		if g.watched = len(g.idle) > 0; !g.watched {
			continue
		}
		if i < l.watchNext {
			next++
		}
		kept = append(kept, g)
	}
	clear(l.watched[len(kept):])
	l.watched, l.watchNext = kept, next
}

// look moves a group over entries up to head that do not pass. When one does,
// or some are lost, its members go on by themselves.
func (l *loop) look(g *group, head uint64) {
	l.out.begin()
	c := g.at
	for range maxLooks {
		if c.Seq() > head || l.scan.over() {
			break
		}
		sp, lost, ok := l.spanAt(&c, g)
		if !ok && lost == 0 {
			break
		}
		if lost > 0 || sp.passing(sp.count) > 0 {
			l.takeGroupBack(g)
			break
		}
		c = sp.after
		g.at = c
		g.place.Store(c.Seq())
	}
}
