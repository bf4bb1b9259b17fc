package netio

import "unsafe"

// tookBytes takes note of what the socket took: n bytes of rest, control and
// spans, in this order (N3, N5).
func (s *Subscriber) tookBytes(b *batch, n int) {
	k := min(n, len(s.rest))
	if k > 0 {
		if k < len(s.rest) {
			s.rest = s.rest[k:]
			return
		}
		s.setRest(nil, nil)
		if n -= k; s.replay != nil {
			s.replayed(s.restPassing, s.restCovered)
		} else {
			s.deliver(s.restPassing)
			if n := s.restCovered - s.restPassing; n > 0 {
				s.filtered.Add(uint64(n))
			}
		}
	}
	k = min(n, len(s.control))
	s.control = s.control[k:]
	n -= k
	if len(s.control) == 0 {
		s.control = nil
	}
	if s.control != nil {
		s.note()
		return
	}
	for i := range b.spans {
		sp := &b.spans[i]
		if sp.from == sp.to { // nothing of it is for the wire
			s.take(sp, sp.count)
			s.goBehind(sp)
			continue
		}
		if n == 0 {
			break
		}
		took := min(n, sp.to-sp.from)
		n -= took
		cut := sp.from + took
		whole := sp.entriesWithin(cut)
		s.take(sp, whole)
		if whole > sp.skip {
			b.newest = sp.page.Stamp
		}
		if whole == sp.count {
			s.goBehind(sp)
			continue
		}
		next := sp.first + uint64(whole)
		if cut == sp.end(whole-1) {
			s.moveTo(sp, next)
			break
		}
		// Cut in mid-entry: the cursor moves past it, the rest is kept (N3).
		s.moveTo(sp, next+1)
		s.keepRest(sp.text, cut, sp.end(whole))
		break
	}
	s.note()
}

// take counts the entries of sp before number i, which are done with.
func (s *Subscriber) take(sp *span, i int) {
	passing := sp.passing(i)
	if rejected := i - sp.skip - passing; rejected > 0 {
		s.filtered.Add(uint64(rejected))
	}
	switch {
	case passing == 0:
	case sp.sampled:
		s.dropped.Add(uint64(passing))
		s.thinned.Add(uint64(passing))
		if s.bounds.sampled == 0 {
			s.bounds.from = sp.first + uint64(sp.skip)
		}
		s.bounds.sampled += uint64(passing)
	default:
		s.deliver(passing)
	}
}

func (s *Subscriber) deliver(n int) {
	s.delivered.Add(uint64(n))
	if s.bounds != nil {
		s.bounds.spend(n)
	}
}

// goBehind moves the cursor behind the last entry of sp.
func (s *Subscriber) goBehind(sp *span) {
	switch {
	case sp.goesOn: // the next span moves it
	case sp.cut:
		s.moveTo(sp, sp.first+uint64(sp.count))
	default:
		s.cursor = sp.after
	}
}

// keepRest keeps what the socket did not take of an entry in the text of a page or a
// view (N6).
func (s *Subscriber) keepRest(text []byte, cut, end int) {
	rest := text[cut:end]
	s.restPassing, s.restCovered = 1, 1
	if len(rest) <= maxCopy {
		s.setRest(append([]byte(nil), rest...), nil)
	} else {
		s.setRest(rest, text)
	}
}

// moveTo moves the cursor to entry seq within or right behind sp.
func (s *Subscriber) moveTo(sp *span, seq uint64) {
	if sp.page.Count() > 0 {
		s.cursor = sp.at
		s.cursor.Advance(seq)
		return
	}
	// A gathered block covers many pages, and may be older than what the ring
	// holds: look the entry's page up.
	c, lost := s.loop.engine.ring.Seek(seq)
	s.cursor = c
	if lost > 0 {
		s.drop(lost)
	}
}

// seq is the next entry to be offered: the cursor's, or where the stream ends
// when an overtaken cursor was moved beyond that.
func (s *Subscriber) seq() uint64 {
	at := s.cursor.Seq()
	if s.bounds != nil && s.bounds.finite && at > s.bounds.until {
		at = max(s.bounds.until+1, s.start)
	}
	return at
}

// note publishes the scan position. What is in mid-write is not offered yet. One
// that is still to say hello has none, and lags behind nothing.
func (s *Subscriber) note() {
	if s.held {
		return
	}
	at := s.seq() - s.start
	if s.rest != nil && s.replay == nil {
		at -= uint64(s.restCovered)
	}
	s.offered.Store(s.earlier + at)
	s.next.Store(s.start + at)
}

// setRest replaces the rest of a cut entry, a piece of what is in memory for its
// sake, of or its own copy, and keeps the pinned budget right.
func (s *Subscriber) setRest(rest, of []byte) {
	pins := &s.loop.engine.pins
	if s.shared {
		pins.release(s.pinned)
	}
	if s.rest, s.shared = rest, of != nil; s.shared {
		s.pinned = unsafe.SliceData(of)
		pins.hold(s.pinned, cap(of))
	} else {
		s.pinned = nil // what is not counted must not be kept
	}
}

// long returns text if it is more than a stuck subscriber may have of its own, else
// nil.
func long(text []byte) []byte {
	if len(text) > maxCopy {
		return text
	}
	return nil
}

// drop counts entries that were overwritten before s could read them. What is
// lost before the last loss could be told is one loss with it, so that the
// notices of a stuck subscriber stay few (N6).
func (s *Subscriber) drop(lost uint64) {
	if beyond := s.cursor.Seq() - s.seq(); beyond > 0 {
		lost -= min(beyond, lost)
	}
	if lost == 0 {
		return
	}
	s.dropped.Add(lost)
	s.overrun.Add(lost)
	s.note()
	if !s.lagging {
		s.lagging = true
		s.loop.engine.warnings.Warn("client lags: entries are dropped for it until it has caught up",
			"client", s.id, "address", s.address, "lost", lost)
	}
	if s.form.Drop == nil {
		return
	}
	if s.lossTo == 0 {
		s.lossFrom = s.seq() - lost
	}
	s.lossTo = s.seq() - 1
}
