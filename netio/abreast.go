package netio

import "time"

const (
	// fewAbreast is up to how many subscribers of a loop are kept abreast. Those of
	// a crowd are, as it is, and each would wait for all others.
	fewAbreast = 16
	// shareBytes is about how much they are written at a time: a page of the ring or
	// a view of one is less, so two of them at most. So much stays in the cache of a
	// core until the others have had it, and until the receiver has read it.
	shareBytes = 80 << 10
)

// keepAbreast serves whoever is furthest behind, a share at a time, before a round
// goes on in which somebody had more than one write to take. With as many writes
// each, whoever has fallen behind stays there: they drift apart by as much as the
// ring holds or the writer is ahead, and each reads pages that have left the caches.
// It ends with the time of the pass.
func (l *loop) keepAbreast(draining bool) {
	if len(l.subs) < 2 || len(l.subs) > fewAbreast || draining {
		return
	}
	deadline := l.now.Add(maxPass)
	l.out.most = shareBytes
	defer func() { l.out.most = maxWrite }()
	for n := 1; !l.scan.part(2); n++ {
		s := l.furthestBehind()
		if s == nil || n%4 == 0 && time.Now().After(deadline) {
			return
		}
		before := s.cursor.Seq()
		l.pump(s, draining)
		l.busy = true
		if !s.gone && !s.blocked && s.cursor.Seq() == before {
			return // there is more to it than entries, which the round sees to
		}
	}
}

// furthestBehind returns who of those that can be written to expects the lowest
// entry of the ring; nil if all have caught up.
func (l *loop) furthestBehind() (last *Subscriber) {
	for _, s := range l.subs {
		if !s.blocked && !s.current && s.replay == nil && !l.rests(s.group) && (last == nil || s.cursor.Seq() < last.cursor.Seq()) {
			last = s
		}
	}
	return last
}
