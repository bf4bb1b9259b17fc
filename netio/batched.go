package netio

import (
	"bytes"
	"time"
)

// maxBatch is how many bytes of entries make a batch that is sent at once.
const maxBatch = 64 << 10

// batching groups entries into one event for a client to which every event is
// work. Nothing is kept meanwhile: the cursor waits before the entries.
type batching struct {
	every time.Duration
	due   time.Time // of the entries at the cursor; zero: none has been seen
}

// composeBatch makes one batch of what was collected for s behind its control
// lines, or puts it off. caughtUp is whether that is all there is. It returns
// whether s has nothing to do until it is woken.
func (l *loop) composeBatch(s *Subscriber, caughtUp, draining bool) bool {
	b := &l.out
	blank, size := 0, 0
	for i := range b.spans {
		if size += b.spans[i].to - b.spans[i].from; size == 0 {
			blank++
		}
	}
	if size == 0 {
		s.batching.due = time.Time{}
		return caughtUp
	}
	if s.batching.due.IsZero() {
		s.batching.due = l.now.Add(s.batching.every)
	}
	spans := b.spans
	b.begin()
	b.add(s.control)
	if caughtUp && !draining && size < maxBatch && l.now.Before(s.batching.due) {
		clear(spans[blank:])
		b.spans = spans[:blank]
		l.wakeAt(s.batching.due)
		return true
	}
	if len(s.control) == 0 { // else what is in it comes first
		s.makeBatch(spans)
		b.add(s.rest)
	}
	clear(spans)
	return false
}

// makeBatch makes the rest to be sent of the entries of spans, as many as fit,
// and moves the cursor behind them.
func (s *Subscriber) makeBatch(spans []span) {
	var lines []byte
	passing, covered, last := 0, 0, s.cursor.Seq()-1
	for i := range spans {
		sp := &spans[i]
		text := sp.text[sp.from:sp.to]
		if sp.sampled || len(lines) > 0 && len(lines)+len(text) > maxBatch {
			break
		}
		lines = append(lines, text...)
		passing += sp.passing(sp.count)
		covered += sp.count - sp.skip
		last = sp.first + uint64(sp.count) - 1
		s.goBehind(sp)
		if sp.goesOn {
			s.moveTo(sp, sp.first+uint64(sp.count))
		}
	}
	event := s.form.Batch(nil, s.loop.engine.ids, last, bytes.TrimSuffix(lines, []byte("\n")))
	s.setRest(event, long(event))
	s.restPassing, s.restCovered = passing, covered
	s.batching.due = time.Time{}
	s.note()
}

// wakeAt asks for a pass at a time.
func (l *loop) wakeAt(t time.Time) {
	if !l.alarmAt.IsZero() && l.alarmAt.After(l.now) && !t.Before(l.alarmAt) {
		return
	}
	l.alarmAt = t
	if l.alarm == nil {
		l.alarm = time.AfterFunc(t.Sub(l.now), l.ring)
		return
	}
	l.alarm.Reset(t.Sub(l.now))
}
