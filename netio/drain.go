package netio

import "context"

// beginDrain asks the loop to end its streams.
func (l *loop) beginDrain() {
	l.mu.Lock()
	l.draining = true
	l.mu.Unlock()
	l.ring()
}

// awaitDrain waits until the streams have ended, or until ctx ends, when it has
// closed what is left.
func (l *loop) awaitDrain(ctx context.Context) {
	select {
	case <-l.drained:
	case <-ctx.Done():
		l.cutOff.Store(true)
		l.ring()
		<-l.drained
	}
}

func (l *loop) finishDrain() {
	select {
	case <-l.drained:
	default:
		close(l.drained)
	}
}

func (l *loop) closeAll() {
	l.takeAllBack()
	for len(l.subs) > 0 {
		l.leave(l.subs[len(l.subs)-1], leftAtStop)
	}
	l.next = 0
}

// discardInput reads what the peer has sent. A close with input unread would
// reset the connection and lose what the peer has not read yet.
func discardInput(fd int) {
	var buf [4096]byte
	for range 16 {
		if n, err := readSocket(fd, buf[:]); n <= 0 || err != nil {
			return
		}
	}
}
