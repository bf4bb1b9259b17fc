package netio

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"

	"logwisp/ring"
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
const _ = uint(maxCopy - ring.MaxPage)

// Subscriber is one connected client: a cursor and what is still to be written
// before the cursor's entry.
type Subscriber struct {
	transport *Transport
	id        string // names the client in events and logs
	address   string
	from      netip.Addr // the same without the port
	joined    time.Time
	name      string        // as the client says; under transport.mu
	still     func() bool   // Subscription.Still; under transport.mu
	filter    string        // what it asked for, as a query; under transport.mu
	wanted    *Subscription // not begun yet

	loop   *loop
	conn   gnet.Conn // nil once the peer has closed its sending side
	fd     int
	index  int  // place in the loop's list
	half   bool // the peer has closed its sending side; fd is our own duplicate
	polled bool // fd is in the loop's writePoll
	gone   bool
	doomed string // why it has to leave

	form     *Form
	group    *group // of those that want the same
	policy   HeartbeatPolicy
	ownBeat  bool      // policy is what it has asked for
	rules    *rules    // the transport's, as last seen
	bounds   *bounds   // nil: none
	batching *batching // nil: entries are sent as they come

	replay  *replay // what comes before the cursor's entry, from elsewhere; nil: nothing
	earlier uint64  // entries offered from there

	cursor                   ring.Cursor
	start                    uint64 // seq of the first entry offered
	rest                     []byte // what the socket did not take of the entry before the cursor (N3)
	restPassing, restCovered int    // entries in rest, and those it is done with

	shared  bool   // rest is a piece of a shared page, held in Engine.pins
	pinned  pinKey // as which, nil: none
	control []byte // control lines to go out next (N4)
	bye     bool   // the last line is in control or sent: nothing follows
	ending  string // why, for the log

	input     input
	held      bool  // nothing is sent before it has said hello
	answering bool  // its hello is being read
	refusal   error // what is wrong with its hello

	kicked           bool   // to be disconnected
	lagging          bool   // entries were lost since it had caught up
	lossFrom, lossTo uint64 // entries lost and not told yet; lossTo 0 = none

	current      bool  // had caught up when it was last served
	blocked      bool  // the socket was full
	buffer       int32 // its SO_SNDBUF in bytes as we have set it, 0 = not ours to change
	queued       int   // bytes it held when that was last asked for, since it shrank; 0 = it has not
	progress     time.Time
	heartbeat    time.Time // when the next one is due; zero = never
	heartbeatDue bool

	offered, delivered, filtered, dropped, writes counter

	overrun, thinned, missed counter // what dropped consists of, see Losses
	bytes                    counter // taken by the socket

	since   int64 // when the stream began, nanoseconds since 1970
	latency *histogram

	next counter // seq of the next entry offered

	account sync.Mutex // under it, changed by the loop only:
	aside   bool       // set aside in its group, where it stands
	asideAt uint64     // seq at which it was

	kick atomic.Bool // to be kicked when the loop looks

	standing standing
}

// counter is written by the loop and read by others (N1).
type counter = atomic.Uint64

// Totals returns the subscriber's sums (N5).
func (s *Subscriber) Totals() Totals {
	s.account.Lock()
	defer s.account.Unlock()
	t := Totals{
		Offered: s.offered.Load(), Delivered: s.delivered.Load(),
		Filtered: s.filtered.Load(), Dropped: s.dropped.Load(),
	}
	if s.aside {
		passed := s.group.place.Load() - s.asideAt
		t.Offered += passed
		t.Filtered += passed
	}
	return t
}

// place returns the next entry to be offered, 0 before it has a place.
func (s *Subscriber) place() uint64 {
	s.account.Lock()
	defer s.account.Unlock()
	if s.aside {
		return s.group.place.Load()
	}
	return s.next.Load()
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
	if l.rests(s.group) && !draining {
		s.current = false
		return false
	}
	b := &l.out
	defer b.end()
	caughtUp := l.composeTimed(s, draining)
	s.current = caughtUp
	if b.bytes == 0 {
		if s.bye {
			l.leave(s, s.ending)
			return false
		}
		s.tookBytes(b, 0)
		return draining || !caughtUp
	}
	n, errno := writePieces(s.fd, b.iov)
	if errno != 0 && errno != syscall.EAGAIN && errno != syscall.EINTR {
		l.leave(s, errno.Error())
		return false
	}
	s.writes.Add(1)
	full := n == b.bytes
	if n > 0 {
		s.progress = l.now
		s.bytes.Add(uint64(n))
		s.tookBytes(b, n)
		s.timeWrite(b.newest)
	}
	if !full && errno != syscall.EINTR {
		s.blocked = true
		s.fitRoom()
		l.poll.add(s)
		if !l.elsewhere {
			l.makeRoom()
		}
		return false
	}
	if s.bye && full {
		l.leave(s, s.ending)
		return false
	}
	return draining || !caughtUp || !full
}

// composeTimed is compose for one who may have a filter.
func (l *loop) composeTimed(s *Subscriber, draining bool) (caughtUp bool) {
	if s.group.filter == nil {
		return l.compose(s, draining)
	}
	g, before, began := s.group, l.scan, time.Now() // it may have another group afterwards
	caughtUp = l.compose(s, draining)
	if s.group == g {
		l.judge(g, &before, began)
	}
	return caughtUp
}

// maxLaps is how often compose starts anew because the ring has gone round.
const maxLaps = 4

// compose collects what s is to be written next and returns whether that is
// all there is.
func (l *loop) compose(s *Subscriber, draining bool) (caughtUp bool) {
	b := &l.out
	if s.bounds != nil {
		s.bounds.grant(l.now)
	}
	if s.wanted != nil && s.rest == nil && !s.bye {
		l.reshape(s)
	}
	s.sayGoodbye(draining)
	for range maxLaps {
		s.tellLoss()
		s.sendHeartbeat(l)
		b.begin()
		b.add(s.rest)
		b.add(s.control)
		if s.bye || s.held {
			return true
		}
		if s.lossTo > 0 {
			return false // told when the control lines before it are sent
		}
		if _, ended := s.bounded(); ended || s.kicked {
			return false // the goodbye follows
		}
		if s.batching != nil && s.rest != nil {
			return false
		}
		if s.replay != nil {
			return len(b.iov) == 0 && l.composeReplay(s)
		}
		caughtUp, lost := b.collect(l, s)
		if lost == 0 {
			s.lagging = s.lagging && !caughtUp
			if s.batching != nil {
				return l.composeBatch(s, caughtUp, draining)
			}
			return caughtUp
		}
		s.drop(lost)
	}
	return false
}
