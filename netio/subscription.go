package netio

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// Subscription is what one subscriber asks for. The zero value is the
// transport's stream from the live end, or from the oldest entry held where the
// engine was told so.
type Subscription struct {
	Name      string           // what the client calls itself, for people
	Still     func() bool      // whether it may be here, asked by any goroutine when rights may have changed; nil: it may
	Peer      netip.Addr       // where the client is, if the connection is that of a proxy before it
	Form      *Form            // nil: the transport's
	Filter    *filter.Filter   // nil: every entry
	From      Position         // where it starts
	NoFollow  bool             // end behind entry Until
	Until     uint64           // with NoFollow; 0 = the newest entry when it joins
	Limit     uint64           // end after so many delivered entries; 0 = no limit
	MaxRate   int              // matching entries a second beyond which they are dropped; 0 = no limit
	Heartbeat *HeartbeatPolicy // nil: the transport's
	Batch     time.Duration    // group entries for so long into one event, in a Form that has batches; 0 = do not

	// Greet appends what is sent first. nil: nothing.
	Greet func(dst []byte, g Greeting) []byte
}

// Greeting is what is known when a subscriber joins.
type Greeting struct {
	ClientID string
	IDs      record.IDs
	Head     uint64 // seq of the newest entry
	Oldest   uint64 // seq of the oldest entry held
	Resumes  bool   // the stream goes on behind entry Resumed, as was asked
	Resumed  uint64
	Older    string // then the id that was asked for, if that entry is not in the ring
	Version  string // Options.Version
}

// Enroll makes the peer of c a subscriber and takes c over, also when it fails.
// c must be a *net.TCPConn or a *net.UnixConn. Errors: ErrStopping, ErrFull, or
// one of the socket.
func (t *Transport) Enroll(c net.Conn, sub Subscription) error {
	err := t.enrol(c, sub)
	if err != nil {
		t.Rejected(err)
	}
	return err
}

func (t *Transport) enrol(c net.Conn, sub Subscription) error {
	e := t.engine
	e.mu.Lock()
	if e.stopping {
		e.mu.Unlock()
		c.Close()
		return ErrStopping
	}
	e.enrols.Add(1)
	e.mu.Unlock()
	defer e.enrols.Done()

	if n, limit := t.active.Add(1), t.rules.Load().maxClients; limit > 0 && n > int64(limit) {
		t.active.Add(-1)
		c.Close()
		return ErrFull
	}
	s := &Subscriber{
		transport: t,
		id:        t.Name + "-" + strconv.FormatUint(e.nextID.Add(1), 10),
		address:   c.RemoteAddr().String(),
		from:      AddressOf(c.RemoteAddr()),
		joined:    time.Now(),
		wanted:    &sub,
	}
	if sub.Peer.IsValid() {
		s.from, s.address = sub.Peer, sub.Peer.String()
	}
	room := t.room()
	if hasRoom(c) {
		s.buffer = int32(room)
	}
	if err := tune(c, room); err != nil {
		t.active.Add(-1)
		c.Close()
		return fmt.Errorf("set up the socket of %s: %w", s.address, err)
	}
	if !t.enter(s) {
		t.active.Add(-1)
		c.Close()
		return ErrCrowd
	}
	if _, err := e.client.EnrollContext(plainSocket(c), s); err != nil {
		t.leave(s)
		return fmt.Errorf("enrol %s: %w", s.address, err)
	}
	if s.loop == nil { // gnet says nothing when its epoll refuses a socket
		t.leave(s)
		return fmt.Errorf("enrol %s: the event loop cannot watch the socket", s.address)
	}
	return nil
}

// enter makes s one of the live subscribers, unless its address has as many as
// it may.
func (t *Transport) enter(s *Subscriber) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.from.Take(s.from, t.rules.Load().perAddress) { // counted without a limit too: there may be one later
		return false
	}
	t.live[s] = struct{}{}
	return true
}

// begin starts a subscriber's stream as it was asked for: its place, what it
// wants and what it is told first. Its counters are 0.
func (l *loop) begin(s *Subscriber) {
	sub := s.wanted
	s.wanted = nil
	s.kicked = s.kicked || s.kick.Load() // perhaps before it was in a loop, which has looked by now
	s.form = s.transport.Form
	if sub.Form != nil {
		s.form = sub.Form
	}
	s.group = l.groupOf(sub, s.form)
	s.rules = s.transport.rules.Load()
	s.ownBeat = sub.Heartbeat != nil
	if s.ownBeat {
		s.beat(*sub.Heartbeat)
	} else {
		s.beat(s.rules.heartbeat)
	}
	s.transport.mu.Lock()
	s.name, s.still, s.filter = sub.Name, sub.Still, ""
	if sub.Filter != nil {
		s.filter = sub.Filter.String()
	}
	s.transport.mu.Unlock()
	if sub.Still != nil && !sub.Still() { // it was let in before a change, and Recheck did not see it
		s.kicked = true
	}
	s.stopReplay()
	s.earlier = 0
	start := l.locate(sub.From)
	s.cursor, s.start = start.cursor, start.cursor.Seq()-start.missed
	s.bounds = newBounds(sub, l.engine.ring.Head(), l.now)
	s.batching = nil
	if sub.Batch > 0 && s.form.Batch != nil {
		s.batching = &batching{every: sub.Batch}
	}
	s.dropped.Store(start.missed)
	s.missed.Store(start.missed)
	s.since, s.latency = l.now.UnixNano(), l.latencyOf(s.transport)
	s.note()
	if sub.Greet != nil {
		r := l.engine.ring
		s.control = sub.Greet(s.control, Greeting{
			ClientID: s.id, IDs: l.engine.ids, Head: r.Head(), Oldest: r.Oldest(),
			Resumes: start.resumes || start.older != "", Resumed: start.resumed, Older: start.older, Version: l.engine.options.Version,
		})
	}
	s.tellStart(&start)
	if start.older != "" {
		l.startReplay(s, start.older)
	}
}

// beat has heartbeats sent by a policy from now on.
func (s *Subscriber) beat(p HeartbeatPolicy) {
	s.policy = p
	s.heartbeat = time.Time{}
	if p.Interval > 0 {
		s.heartbeat = s.loop.now.Add(p.Interval)
	}
}
