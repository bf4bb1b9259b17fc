package netio

import (
	"time"

	"github.com/panjf2000/gnet/v2"
)

// join takes a new subscriber in.
func (l *loop) join(s *Subscriber, c gnet.Conn) {
	l.now = time.Now()
	s.loop, s.conn, s.fd = l, c, c.Fd()
	s.progress = l.now
	if h := s.transport.Handshake; h != nil {
		s.input.done = h.Off != nil && h.Off()
		s.held = h.Required != nil && h.Required()
	}
	l.begin(s)
	s.index = len(l.subs)
	l.subs = append(l.subs, s)
	l.byFD[s.fd] = s
	s.transport.joined.Add(1)
	if !l.serveJoined(s) {
		l.ring()
	}
}

// serveJoined gives one who has just joined its first write, and returns whether that
// was all: a pass would look at everybody for it, and ten thousand may come. What
// is published after the head it saw wakes the loop, as if it had been there when
// the loop parked (N8).
func (l *loop) serveJoined(s *Subscriber) bool {
	if l.drainHead != 0 || s.group.filter != nil {
		return false
	}
	l.scan.begin(l.now.Add(maxScanTime))
	l.enter()
	defer l.exit()
	l.elsewhere = true // gnet is not done with opening it
	more := l.pump(s, false)
	l.elsewhere = false
	if more || l.doomed || !s.current {
		return false
	}
	l.reader.Reach(s.cursor.Seq()) // nobody is further
	return true
}

// leave takes a subscriber out and closes its socket if it is still ours to
// close.
func (l *loop) leave(s *Subscriber, reason string) {
	if s.gone {
		return
	}
	if l.elsewhere {
		s.doomed, s.blocked, l.doomed = reason, true, true
		return
	}
	l.takeBack(s)
	s.gone = true
	s.stopReplay()
	if s.index < l.next {
		l.busy = true // the one that takes its place may not have had its turn
	}
	l.unlist(s)
	delete(l.byFD, s.fd)
	l.poll.remove(s)
	s.setRest(nil, nil)
	l.leaveGroup(s.group)
	s.transport.leave(s)
	s.transport.countDisconnect(reason)
	l.engine.log.Debug("client left", "client", s.id, "address", s.address, "reason", reason)
	switch {
	case s.conn != nil:
		discardInput(s.fd)
		_ = l.bellConn.EventLoop().Close(s.conn) // calls OnClose, which sees that s is gone
	case s.half:
		closeSocket(s.fd)
	}
}

// unlist takes s out of the list; the last one takes its place.
func (l *loop) unlist(s *Subscriber) {
	last := l.subs[len(l.subs)-1]
	l.subs[s.index] = last
	last.index = s.index
	l.subs[len(l.subs)-1] = nil
	l.subs = l.subs[:len(l.subs)-1]
}

// keepHalfClosed goes on serving a peer that has closed its sending side, on
// our own duplicate of the descriptor, since gnet closes the one it has. It
// returns false when the connection cannot be kept.
func (l *loop) keepHalfClosed(s *Subscriber) bool {
	fd, err := duplicateSocket(s.fd)
	if err != nil {
		return false
	}
	l.poll.remove(s) // else the epoll keeps an entry of the closed descriptor
	delete(l.byFD, s.fd)
	s.fd, s.conn, s.half = fd, nil, true
	l.byFD[fd] = s
	if !l.poll.add(s) {
		closeSocket(fd)
		s.half = false
		return false
	}
	if s.form.Probe != nil && !s.bye {
		l.takeBack(s)
		s.control = append(s.control, s.form.Probe...)
		l.busy = true
		l.ring()
	}
	return true
}
