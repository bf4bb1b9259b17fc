package netio

import "time"

const (
	// apartPart is of what the ring holds: who is that share of it behind the
	// furthest gets up to mostWrites in a round.
	apartPart  = 64
	mostWrites = 16
)

// catchUp writes more to one who has fallen behind the others, if its socket takes
// it. Those at the same place find what is written in the processor's cache, and
// views and blocks made; with as many writes each, whoever is behind stays there.
// It takes as long as a pass at most, and the pass ends with it (N7).
func (l *loop) catchUp(s *Subscriber, draining bool) {
	r := l.engine.ring
	apart := (l.head - min(r.Oldest(), l.head)) / apartPart
	if s.current || s.gone || s.cursor.Seq()+apart >= l.furthest {
		return
	}
	deadline := time.Now().Add(maxPass)
	for k := 1; k < mostWrites && s.cursor.Seq()+apart < l.furthest && !l.scan.over() && time.Now().Before(deadline); k++ {
		if !l.pump(s, draining) || s.gone {
			return
		}
	}
}

// nearPart is of what the ring holds: who is less than that share of it behind
// the head is near it.
const nearPart = 16

// quickFirst serves those near the head before a round goes on whose writes are
// large: one that has little to take must not wait for a hundred that take all
// they can get, and who has fallen a little behind must come back to the head
// rather than into the crowd. It takes a quarter of the pass at most, and of what
// may be scanned for filters.
func (l *loop) quickFirst(draining bool) {
	head := l.engine.ring.Head()
	if head != l.quickHead {
		l.quickHead, l.quickLeft = head, len(l.subs)
	}
	near := (head - min(l.engine.ring.Oldest(), head)) / nearPart
	deadline := l.now.Add(maxPass / 4)
	for n := 0; l.quickLeft > 0 && len(l.subs) > 0; n++ {
		l.quickLeft--
		if l.quick++; l.quick >= len(l.subs) {
			l.quick = 0
		}
		s := l.subs[l.quick]
		if s.current || !s.blocked && head-min(s.cursor.Seq(), head) < near {
			for k := 0; k < fewWrites && !l.scan.part(4) && l.pump(s, draining); k++ {
				l.busy = true
			}
		} else if n&63 != 63 {
			continue
		}
		if l.scan.part(4) || time.Now().After(deadline) {
			return // and goes on in the next pass
		}
	}
}
