package netio

import (
	"time"

	"logwisp/ring/record"
)

// tellLoss queues the notice of a loss, at its place: the entries behind it
// follow the notice.
func (s *Subscriber) tellLoss() {
	if len(s.control) > 0 {
		return
	}
	s.tellSampled(false)
	if s.lossTo == 0 || len(s.control) > 0 {
		return
	}
	s.control = s.form.Drop(s.control, &record.Drop{
		IDs: s.loop.engine.ids, From: s.lossFrom, To: s.lossTo,
		Reason: "lagged", Total: s.dropped.Load(),
	})
	s.lossFrom, s.lossTo = 0, 0
}

// tellSampled queues the notice of what max_rate has cost, once a second; at
// the end of the stream at once. Its id is the place where the notice stands: a
// client that resumes from there has had everything before it.
func (s *Subscriber) tellSampled(atOnce bool) {
	bd := s.bounds
	if bd == nil || bd.sampled == 0 || s.form.Drop == nil || !atOnce && s.loop.now.Sub(bd.told) < time.Second {
		return
	}
	to := s.seq() - 1
	if s.lossTo > 0 {
		to = s.lossFrom - 1 // that loss is told behind it (N10)
	}
	s.control = s.form.Drop(s.control, &record.Drop{
		IDs: s.loop.engine.ids, Count: bd.sampled, From: bd.from, To: to,
		Reason: "sampled", Total: s.dropped.Load(),
	})
	bd.sampled, bd.told = 0, s.loop.now
}

// sayGoodbye queues the disconnect notice when the stream is to end and
// everything before it is told (N9).
func (s *Subscriber) sayGoodbye(draining bool) {
	if s.bye || s.rest != nil || len(s.control) > 0 || s.lossTo > 0 {
		return
	}
	reason, ended := s.bounded()
	switch {
	case s.kicked:
		reason, s.ending = "kicked", leftKicked
	case ended:
		s.ending = leftAtEnd
	case draining && (s.held || s.replay != nil || s.cursor.Seq() > s.loop.drainHead):
		reason, s.ending = "server_shutdown", leftAtStop
	default:
		return
	}
	s.tellSampled(true)
	s.bye = true
	if f := s.form.Disconnect; f != nil && reason != "" {
		s.control = f(s.control, reason)
	}
}

// sendHeartbeat queues a heartbeat that is due, at an entry's boundary (N4).
func (s *Subscriber) sendHeartbeat(l *loop) {
	if !s.heartbeatDue || s.bye || s.held || s.lossTo > 0 {
		return
	}
	s.heartbeatDue = false
	if s.form.Heartbeat == nil {
		return
	}
	h := record.Heartbeat{
		Now: l.now, ActiveClients: int(s.transport.active.Load()), Uptime: l.now.Sub(l.engine.started),
		Timestamp: s.policy.Timestamp, Stats: s.policy.Stats,
	}
	seen := uint64(0) // of a replay: it has no place to go on behind (N10)
	if s.replay == nil {
		s.tellSampled(true) // its id is beyond that
		seen = s.seq() - 1
	}
	s.control = s.form.Heartbeat(s.control, l.engine.ids, seen, &h)
}
