package netio

import "net"

const (
	// someRooms is up to how many clients have sockets of three quarters of the size
	// that is configured; up to fewSubscribers have all of it.
	someRooms = 16
	// leastRoom is what is left in any case: a write of maxWrite just fits, since
	// the kernel doubles the figure.
	leastRoom = maxWrite / 2
)

// room returns the SO_SNDBUF in bytes that a client is to have, 0 for the kernel's
// choice. Beyond a few it is three quarters of what is configured, then half: what
// all sockets together hold has to be in the processor's caches still when the
// clients read it. Where it is not, whoever reads them all takes twice as long for
// it, they get fuller for that, and so it remains.
func (t *Transport) room() int {
	size := t.rules.Load().sendBuffer
	if size <= leastRoom {
		return size
	}
	switch n := t.engine.subscribers(); {
	case n > someRooms:
		return max(size/2, leastRoom)
	case n > fewSubscribers:
		return max(size/4*3, leastRoom)
	}
	return size
}

// subscribers returns how many there are, of all transports. Safe for concurrent use.
func (e *Engine) subscribers() (n int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range e.transports {
		n += t.active.Load()
	}
	return n
}

// fitRoom has a socket that is full hold what it is to hold now, as others may have
// come or gone. One that never is full is nobody's matter.
func (s *Subscriber) fitRoom() {
	if s.buffer == 0 {
		return // TLS, whose socket another goroutine has, or one that has no such thing
	}
	if size := int32(s.transport.room()); size != s.buffer && size > 0 {
		if size < s.buffer {
			s.queued = queuedBytes(s.fd)
		}
		s.buffer = size
		setSendBuffer(s.fd, int(size))
	}
}

// drains reports whether a socket that takes nothing, as it holds more than it is
// to hold since its room shrank, holds less than when it was last asked.
func (s *Subscriber) drains() bool {
	if s.queued == 0 {
		return false
	}
	before := s.queued
	s.queued = queuedBytes(s.fd)
	return s.queued < before
}

// hasRoom reports whether the size of c's socket can be changed by its descriptor.
func hasRoom(c net.Conn) bool {
	_, ok := c.(*net.TCPConn)
	return ok
}
