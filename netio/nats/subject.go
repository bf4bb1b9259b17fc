package nats

import (
	"context"
	"fmt"
	"time"

	"logwisp/netio"
)

const (
	settleTime  = 100 * time.Millisecond
	settleEvery = time.Millisecond

	// maxEnds is of how many files it is kept how far they are in the stream, which
	// is where their next message begins.
	maxEnds = 4096
)

// subject is what is known of one source.
type subject struct {
	name  string
	last  uint64          // sequence number of its last message; 0: none
	known bool            // last is
	mine  bool            // this run has published the last one
	acked uint64          // entries up to this seq are delivered
	had   map[uint64]bool // and these behind it, by an earlier run
	queue []*message      // to be published, in order
	ends  map[string]int64
}

func (e *Edge) of(name string) *subject {
	s := e.subject[name]
	if s == nil {
		s = &subject{name: name, ends: make(map[string]int64)}
		e.subject[name] = s
	}
	return s
}

func (e *Edge) subjectOf(p netio.Parcel, i int) string {
	return subjectOf(e.options.Stream, e.options.Host, p.Source(i))
}

// cut makes messages of what was not delivered yet, and returns the subjects
// that have some.
func (e *Edge) cut(ctx context.Context, p netio.Parcel) (active []*subject, err error) {
	limit := maxMessage
	largest := limit
	if most := int(e.conn.MaxPayload()); most > 0 { // else there is no connection
		largest = max(most-headerRoom, most/2)
		limit = min(limit, largest)
	}
	for _, s := range e.subject {
		s.queue = nil
	}
	var s *subject
	source := ""
	for i := range p.Len() {
		if name := p.Source(i); s == nil || name != source {
			source = name
			s = e.of(subjectOf(e.options.Stream, e.options.Host, name))
		}
		seq := p.Seq(i)
		if seq <= s.acked || s.had[seq] {
			continue
		}
		text := p.Entries(i, i+1)
		if len(text) > largest {
			return nil, fmt.Errorf("%w: an entry of %d bytes, the server takes %d with headers (max_payload)", netio.ErrRefused, len(text), e.conn.MaxPayload())
		}
		o, known := e.originOf(ctx, seq)
		if len(s.queue) == 0 {
			active = append(active, s)
		}
		if n := len(s.queue); n == 0 || !s.queue[n-1].takes(text, o, known, limit) {
			s.queue = append(s.queue, newMessage(e.epoch, seq, min(limit, len(p.Entries(i, p.Len())))))
		}
		s.queue[len(s.queue)-1].add(text, seq, o, known, s.startOf(o))
	}
	return active, nil
}

// originOf returns the origin of an entry. It waits a little for all that can be
// known.
func (e *Edge) originOf(ctx context.Context, seq uint64) (Origin, bool) {
	if e.origins == nil {
		return Origin{}, false
	}
	for limit := time.Now().Add(settleTime); ; {
		o, known, settled := e.origins.Origin(seq)
		if settled || time.Now().After(limit) {
			return o, known
		}
		select {
		case <-ctx.Done():
			return o, known
		case <-time.After(settleEvery):
		}
	}
}

// startOf returns where a message begins whose first entry of a file has an origin:
// where the one before it ended.
func (s *subject) startOf(o Origin) int64 {
	for i := len(s.queue) - 1; i >= 0; i-- {
		if k := s.queue[i].partOf(o.File); k >= 0 {
			return s.queue[i].parts[k].last.End
		}
	}
	if end := s.ends[o.File]; end <= o.End {
		return end
	}
	return 0
}

// stored says that the first message is in the stream, under a number.
func (s *subject) stored(number uint64) {
	m := s.queue[0]
	s.queue = s.queue[1:]
	s.last, s.known, s.mine = number, true, true
	s.deliveredUpTo(m.entries[len(m.entries)-1].seq)
	if len(s.ends) > maxEnds {
		clear(s.ends)
	}
	for i := range m.parts {
		s.ends[m.parts[i].file] = m.parts[i].last.End
	}
}

func (s *subject) deliveredUpTo(seq uint64) {
	s.acked = max(s.acked, seq)
	for n := range s.had {
		if n <= s.acked {
			delete(s.had, n)
		}
	}
}

// skip takes out of the first message what the stream has: what ends where its
// file is stored to. It reports whether that is known of any file of it.
func (s *subject) skip(stored map[string]int64) bool {
	m := s.queue[0]
	known := false
	for i := range m.parts {
		_, ok := stored[m.parts[i].file]
		known = known || ok
	}
	if !known {
		return false
	}
	left, had := m.without(stored)
	if s.had == nil {
		s.had = make(map[uint64]bool)
	}
	for _, seq := range had {
		s.had[seq] = true
	}
	if len(left.entries) > 0 {
		s.queue[0] = left
		return true
	}
	s.queue = s.queue[1:]
	s.deliveredUpTo(m.entries[len(m.entries)-1].seq)
	return true
}
