package netio

import "time"

// What is published while a loop sleeps is delivered by the producer itself
// when it is little, for few: waking the loop's thread takes several times as
// long as the write. Where there is one loop only, and so no processor to spare
// for it, that holds for any number of entries. Whatever is not plain (control
// lines, full sockets, departures) is left to the loop.
const (
	fewSubscribers = 4
	fewEntries     = 64
	fewWrites      = 4 // to each, more than one read of a file makes
)

// Few reports whether there are so few subscribers that producers deliver to them
// themselves when there is little. Safe for concurrent use.
func (e *Engine) Few() bool {
	return e.subscribers() <= fewSubscribers
}

// wake is called by a producer when the loop sleeps and there is something new.
// It never waits: who has the turn already is the loop, awake.
func (l *loop) wake() {
	if l.turn.TryLock() {
		done := l.deliverAtOnce()
		l.turn.Unlock()
		if done {
			return
		}
	}
	l.ring()
}

// deliverAtOnce gives every subscriber what is new and returns whether the loop
// may sleep on. It runs in a producer's goroutine, which has the turn (N1), and
// closes no connection: that is for the loop's own goroutine.
func (l *loop) deliverAtOnce() bool {
	r := l.engine.ring
	head := r.Head()
	if l.ended || l.next != 0 || l.rung.Load() || l.drainHead != 0 ||
		len(l.watched) > 0 || len(l.subs) > fewSubscribers || head-min(l.head, head) > fewEntries && len(l.engine.loops) > 1 {
		return false
	}
	for _, s := range l.subs {
		if !s.blocked && !s.plain() {
			return false
		}
	}
	l.now = time.Now()
	l.scan.begin(l.now.Add(maxScanTime))
	l.enter()
	defer l.exit()
	l.elsewhere = true
	more, reached := false, uint64(0)
	for _, s := range l.subs {
		behind := l.pump(s, false)
		for k := 1; behind && k < fewWrites && !l.scan.over(); k++ {
			behind = l.pump(s, false)
		}
		more = more || behind
		if s.current || l.now.Sub(s.progress) < standsStill {
			reached = max(reached, s.cursor.Seq())
		}
	}
	l.elsewhere = false
	l.reader.Reach(reached)
	l.head = head
	return !more && !l.doomed && l.waker.Park(head) // N8
}

// plain reports whether s wants nothing but the entries that come next.
func (s *Subscriber) plain() bool {
	return s.current && s.rest == nil && len(s.control) == 0 && s.wanted == nil && s.bounds == nil && s.batching == nil &&
		s.lossTo == 0 && !s.heartbeatDue && !s.bye && !s.held && !s.kicked
}

// dismiss makes those leave that a producer has found gone.
func (l *loop) dismiss() {
	l.doomed = false
	for i := len(l.subs) - 1; i >= 0; i-- {
		if s := l.subs[i]; s.doomed != "" {
			l.leave(s, s.doomed)
		}
	}
}
