package nats

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"logwisp/netio"
)

const (
	settleTime  = 100 * time.Millisecond
	settleEvery = time.Millisecond

	// maxEnds is of how many files it is kept how far they are in the stream, which
	// is where their next message begins.
	maxEnds = 4096

	// lateFor is how long entries may be found to be in the stream already. What is
	// read again is read at once; later a small file may have been written anew and
	// end and begin as before.
	lateFor = time.Minute
)

// subject is what is known of one source.
type subject struct {
	name  string
	last  uint64           // sequence number of its last message; 0: none
	known bool             // last is
	acked uint64           // entries up to this seq are delivered
	had   map[uint64]bool  // and these behind it: they were in the stream already
	late  map[string]*late // files of which the stream may have what is about to be published
	since time.Time        // that late is known
	queue []*message       // to be published, in order
	ends  map[string]int64
}

// late is what a message has of a file that arrived when it was not expected any
// more: from another run, or from this one and its answer was lost.
type late struct {
	end     int64
	head    string // fingerprint of the file
	checked bool   // the file is the same
	dropped int64  // where the last entry ended that was found to be in the message
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

// cut makes messages of what was not delivered yet of the first n entries, and
// returns the subjects that have some. It ends before an entry of a file that has
// entries of another subject before it, since its source has changed: a run goes on
// where a file is furthest (J3).
func (e *Edge) cut(ctx context.Context, p netio.Parcel) (n int, active []*subject, err error) {
	room := e.rooms()
	for _, s := range e.subject {
		s.queue = nil
	}
	home := make(map[string]*subject)
	settled := time.Now().Add(settleTime)
	var s *subject
	source, file := "", "" // of the entry before
	for i := range p.Len() {
		if name := p.Source(i); s == nil || name != source {
			source, file = name, ""
			s = e.of(subjectOf(e.options.Stream, e.options.Host, name))
		}
		seq := p.Seq(i)
		if s.delivered(seq) {
			continue
		}
		o, known := e.originOf(ctx, seq, settled)
		if known && s.arrived(seq, o) {
			continue
		}
		if known && o.File != file {
			if was := home[o.File]; was != nil && was != s {
				return i, active, nil
			}
			file, home[o.File] = o.File, s
		}
		if len(s.queue) == 0 {
			active = append(active, s)
		}
		room.share = len(p.Entries(i, p.Len())) / len(active)
		if text := p.Entries(i, i+1); !s.enqueue(text, seq, e.epoch, o, known, &room) {
			return 0, nil, fmt.Errorf("%w: an entry of %d bytes, the server takes %d with headers (max_payload)", netio.ErrRefused, len(text), e.conn.MaxPayload())
		}
	}
	return p.Len(), active, nil
}

// enqueue puts an entry into the last message, or into another one, and reports
// whether that can be. The position of a file is encoded once for each message.
func (s *subject) enqueue(text []byte, seq, epoch uint64, o Origin, known bool, room *rooms) bool {
	if len(text) > room.largest {
		return false
	}
	var m *message
	if n := len(s.queue); n > 0 {
		m = s.queue[n-1]
	}
	head, start := 0, int64(0) // of a part that is to begin
	if known && (m == nil || m.partOf(o.File) < 0) {
		head, start = roomFor(o), s.startOf(o)
	}
	if m == nil || !m.takes(text, known, head, room) {
		if known && head == 0 {
			head, start = roomFor(o), s.startOf(o)
		}
		if !room.alone(text, head) {
			return false
		}
		size := min(room.limit, room.share)
		if m != nil { // it may be full for its headers, and so may this one be
			size = min(size, 2*len(m.data))
		}
		m = newMessage(epoch, seq, size)
		s.queue = append(s.queue, m)
	}
	m.add(text, seq, o, known, head, start)
	return true
}

// originOf returns the origin of an entry. It waits a little, until limit, for all
// that can be known.
func (e *Edge) originOf(ctx context.Context, seq uint64, limit time.Time) (Origin, bool) {
	if e.origins == nil {
		return Origin{}, false
	}
	for {
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
	end := s.ends[o.File]
	for i := len(s.queue) - 1; i >= 0; i-- {
		if k := s.queue[i].partOf(o.File); k >= 0 {
			end = s.queue[i].parts[k].last.End
			break
		}
	}
	if end > o.End { // it was truncated
		return 0
	}
	return end
}

// stored says that the first message is in the stream, under a number.
func (s *subject) stored(number uint64) {
	m := s.queue[0]
	s.queue = s.queue[1:]
	s.last, s.known = number, true
	s.acked = max(s.acked, m.entries[len(m.entries)-1].seq)
	for n := range s.had {
		if n <= s.acked {
			delete(s.had, n)
		}
	}
	if len(s.ends) > maxEnds {
		clear(s.ends)
	}
	for i := range m.parts {
		s.ends[m.parts[i].file] = m.parts[i].last.End
	}
}

func (s *subject) delivered(seq uint64) bool { return seq <= s.acked || s.had[seq] }

// expect takes note of the files of a message that was not known, and reports
// whether there are any.
func (s *subject) expect(last *jetstream.RawStreamMsg) bool {
	s.late, s.since = lateIn(last), time.Now()
	return len(s.late) > 0
}

// arrived reports whether an entry is in the stream with a message that was not
// expected. Entries come again in the same order, so it is those at the beginning
// that end before its end does; where that is not sure they are sent again.
func (s *subject) arrived(seq uint64, o Origin) bool {
	l := s.late[o.File]
	if l == nil {
		return false
	}
	if time.Since(s.since) > lateFor {
		s.late = nil
		return false
	}
	if !l.checked {
		now, ok := standsAt(o.Position.Position())
		l.checked = ok && now.head == l.head // else it was truncated and written anew
	}
	if !l.checked || o.End > l.end || o.End <= l.dropped {
		delete(s.late, o.File)
		return false
	}
	l.dropped = o.End
	if s.had == nil {
		s.had = make(map[uint64]bool)
	}
	s.had[seq] = true
	return true
}
