package netio

import (
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"logwisp/ring"
	"logwisp/ring/record"
)

const (
	// maxWrite is about the most one write call is given. Below 64 KiB the cost
	// per byte rises steeply, above 256 KiB it is flat.
	maxWrite = 256 << 10
	// maxCopy is the longest rest of an entry a stuck subscriber keeps a copy
	// of; of a longer one it keeps a reference (N6).
	maxCopy = 64 << 10
)

// A rest that is kept by reference is part of a page whose memory the ring does
// not use again.
const _ = uint(maxCopy - ring.BlockBytes)

// Subscriber is one connected client: a cursor and what is still to be written
// before the cursor's entry.
type Subscriber struct {
	transport *Transport
	id        string // names the client in events and logs
	address   string
	greet     func([]byte, Greeting) []byte

	loop   *loop
	conn   gnet.Conn // nil once the peer has closed its sending side
	fd     int
	index  int  // place in the loop's list
	half   bool // the peer has closed its sending side; fd is our own duplicate
	polled bool // fd is in the loop's writePoll
	gone   bool

	cursor  ring.Cursor
	start   uint64 // seq of the first entry offered
	rest    []byte // what the socket did not take of the entry before the cursor (N3)
	shared  bool   // rest is a piece of a shared page, held in Engine.pins
	pinned  pinKey // as which
	control []byte // control lines to go out next (N4)
	bye     bool   // the disconnect notice is in control or sent: nothing follows

	lagging          bool   // entries were lost since it had caught up
	lossFrom, lossTo uint64 // entries lost and not told yet; lossTo 0 = none

	current      bool // had caught up when it was last served
	blocked      bool // the socket was full
	progress     time.Time
	heartbeat    time.Time // when the next one is due; zero = never
	heartbeatDue bool

	offered, delivered, filtered, dropped, writes atomic.Uint64
}

// Totals returns the subscriber's sums (N5).
func (s *Subscriber) Totals() Totals {
	return Totals{
		Offered: s.offered.Load(), Delivered: s.delivered.Load(),
		Filtered: s.filtered.Load(), Dropped: s.dropped.Load(),
	}
}

// pump makes one write for s (N2): the rest of a cut entry, control lines, and
// entries up to maxWrite. It returns whether there may be more to write at
// once. s may be gone afterwards.
func (l *loop) pump(s *Subscriber, draining bool) bool {
	if s.blocked {
		s.heartbeatDue = false
		s.current = false
		return false
	}
	b := &l.out
	defer b.end()
	caughtUp := l.compose(s, draining)
	s.current = caughtUp
	if b.bytes == 0 {
		if s.bye {
			l.leave(s, "server stopped")
			return false
		}
		return draining || !caughtUp
	}
	n, errno := b.write(s.fd)
	if errno != 0 && errno != unix.EAGAIN && errno != unix.EINTR {
		l.leave(s, errno.Error())
		return false
	}
	s.writes.Add(1)
	full := n == b.bytes
	if n > 0 {
		s.progress = l.now
		s.account(b, n)
	}
	if !full && errno != unix.EINTR {
		s.blocked = true
		l.poll.add(s)
		l.makeRoom()
		return false
	}
	if s.bye && full {
		l.leave(s, "server stopped")
		return false
	}
	return draining || !caughtUp || !full
}

// maxLaps is how often compose starts anew because the ring has gone round.
const maxLaps = 4

// compose collects what s is to be written next and returns whether that is
// all there is.
func (l *loop) compose(s *Subscriber, draining bool) (caughtUp bool) {
	b := &l.out
	if draining {
		s.sayGoodbye(l.drainHead)
	}
	for range maxLaps {
		s.tellLoss()
		s.sendHeartbeat(l)
		b.begin()
		b.add(s.rest)
		b.add(s.control)
		if s.bye {
			return true
		}
		if s.lossTo > 0 {
			return false // told when the control lines before it are sent
		}
		caughtUp, lost := b.collect(l, s)
		if lost == 0 {
			s.lagging = s.lagging && !caughtUp
			return caughtUp
		}
		s.drop(lost)
	}
	return false
}

// account takes note of what the socket took: n bytes of rest, control and
// spans, in this order (N3, N5).
func (s *Subscriber) account(b *batch, n int) {
	k := min(n, len(s.rest))
	if k > 0 {
		if k < len(s.rest) {
			s.rest = s.rest[k:]
			return
		}
		s.setRest(nil, false)
		s.delivered.Add(1)
		n -= k
	}
	k = min(n, len(s.control))
	s.control = s.control[k:]
	n -= k
	if len(s.control) == 0 {
		s.control = nil
	}
	for i := range b.spans {
		if n == 0 {
			break
		}
		sp := &b.spans[i]
		took := min(n, len(sp.text)-sp.from)
		n -= took
		cut := sp.from + took
		whole := sp.entriesWithin(cut)
		s.delivered.Add(uint64(whole - sp.skip))
		if whole == sp.count {
			s.cursor = sp.after
			continue
		}
		next := sp.first + uint64(whole)
		if cut == sp.end(whole-1) {
			s.moveTo(sp, next)
			continue
		}
		// Cut in mid-entry: the cursor moves past it, the rest is kept (N3).
		s.moveTo(sp, next+1)
		s.keepRest(sp.text[cut:sp.end(whole)])
	}
	s.note()
}

// keepRest keeps what the socket did not take of an entry (N6).
func (s *Subscriber) keepRest(rest []byte) {
	if len(rest) <= maxCopy {
		s.setRest(append([]byte(nil), rest...), false)
	} else {
		s.setRest(rest, true)
	}
}

// moveTo moves the cursor to entry seq within or right behind sp.
func (s *Subscriber) moveTo(sp *span, seq uint64) {
	if sp.ends == nil || sp.page.Count() > 0 {
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

// note publishes the scan position. An entry in mid-write is not offered yet.
func (s *Subscriber) note() {
	at := s.cursor.Seq() - s.start
	if s.rest != nil {
		at--
	}
	s.offered.Store(at)
}

// setRest replaces the rest of a cut entry, a piece of a shared page or its
// own copy, and keeps the pinned budget right.
func (s *Subscriber) setRest(rest []byte, shared bool) {
	pins := &s.loop.engine.pins
	if s.shared {
		pins.release(s.pinned)
	}
	s.rest, s.shared = rest, shared
	if shared {
		s.pinned = pinKey{s.transport.Form, s.cursor.Seq()}
		pins.hold(s.pinned, cap(rest))
	}
}

// drop counts entries that were overwritten before s could read them. What is
// lost before the last loss could be told is one loss with it, so that the
// notices of a stuck subscriber stay few (N6).
func (s *Subscriber) drop(lost uint64) {
	s.dropped.Add(lost)
	s.note()
	if !s.lagging {
		s.lagging = true
		s.loop.engine.log.Warn("client lags: entries are dropped for it until it has caught up",
			"client", s.id, "address", s.address, "lost", lost)
	}
	if s.transport.Form.Drop == nil {
		return
	}
	if s.lossTo == 0 {
		s.lossFrom = s.cursor.Seq() - lost
	}
	s.lossTo = s.cursor.Seq() - 1
}

// tellLoss queues the notice of a loss, at its place: the entries behind it
// follow the notice.
func (s *Subscriber) tellLoss() {
	if s.lossTo == 0 || len(s.control) > 0 {
		return
	}
	s.control = s.transport.Form.Drop(s.control, &record.Drop{
		Epoch: s.loop.engine.ring.Epoch(), From: s.lossFrom, To: s.lossTo,
		Reason: "lagged", Total: s.dropped.Load(),
	})
	s.lossFrom, s.lossTo = 0, 0
}

// sayGoodbye queues the disconnect notice once s has everything up to entry
// head (N9).
func (s *Subscriber) sayGoodbye(head uint64) {
	if s.bye || s.rest != nil || len(s.control) > 0 || s.lossTo > 0 || s.cursor.Seq() <= head {
		return
	}
	s.bye = true
	if f := s.transport.Form.Disconnect; f != nil {
		s.control = f(s.control, "server_shutdown")
	}
}

// sendHeartbeat queues a heartbeat that is due, at an entry's boundary (N4).
func (s *Subscriber) sendHeartbeat(l *loop) {
	if !s.heartbeatDue || s.bye || s.lossTo > 0 {
		return
	}
	s.heartbeatDue = false
	t := s.transport
	if t.Form.Heartbeat == nil {
		return
	}
	h := record.Heartbeat{
		Now: l.now, ActiveClients: int(t.active.Load()), Uptime: l.now.Sub(l.engine.started),
		Timestamp: t.Heartbeat.Timestamp, Stats: t.Heartbeat.Stats,
	}
	s.control = t.Form.Heartbeat(s.control, l.engine.ring.Epoch(), s.cursor.Seq()-1, &h)
}
