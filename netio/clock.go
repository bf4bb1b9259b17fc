package netio

// tick looks at the clocks of all subscribers.
func (l *loop) tick() {
	l.ticked.Store(int64(l.now.Sub(l.engine.started)))
	l.makeRoom()
	l.each(l.tickOne)
	l.busy = true
}

func (l *loop) tickOne(s *Subscriber) {
	s.input.heard = 0
	if s.held && !s.input.done && l.now.Sub(s.joined) >= helloTime {
		l.leave(s, leftSilent)
		return
	}
	if r := s.transport.rules.Load(); r != s.rules {
		s.rules = r
		if !s.ownBeat && s.policy != r.heartbeat {
			s.beat(r.heartbeat)
		}
	}
	blocked := s.blocked
	if blocked {
		limit := s.rules.slowTimeout
		late := limit > 0 && l.now.Sub(s.progress) >= limit
		if late && s.drains() {
			s.progress, late = l.now, false
		}
		if late {
			l.engine.warnings.Warn("client disconnected: it accepted no byte for slow_timeout_seconds",
				"client", s.id, "address", s.address, "timeout", limit)
			l.leave(s, leftSlow)
			return
		}
		// A short write for lack of kernel memory raises no edge; try again.
		s.blocked = false
	}
	if !s.heartbeat.IsZero() && !l.now.Before(s.heartbeat) {
		l.takeBack(s)
		s.heartbeatDue = !blocked // it would be stale when it can be sent
		s.heartbeat = s.heartbeat.Add(s.policy.Interval)
		if s.heartbeat.Before(l.now) {
			s.heartbeat = l.now.Add(s.policy.Interval)
		}
	}
}
