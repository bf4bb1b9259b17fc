package bench

import (
	"runtime"
	"sync"
	"sync/atomic"

	"logwisp/ring"
)

// heard is what the readers of one design were given, all of them together.
type heard struct {
	delivered uint64
	dropped   uint64
}

// copyBytes is the size of the block that a copying reader copies to: as much
// as one write to a socket takes.
const copyBytes = 64 << 10

// cursors are the readers of a ring, shared out between two loops that park
// with a Waker, as the event loops of netio do.
type cursors struct {
	wakes   []chan struct{}
	closing atomic.Bool
	asleep  atomic.Int32 // loops that have parked
	loops   sync.WaitGroup
	mu      sync.Mutex
	sum     heard
}

// follow starts n readers at the head of r. With copying, each copies every
// page it is given to memory of its loop, in place of a write to a socket.
func follow(r *ring.Ring, n int, copying bool) *cursors {
	s := &cursors{}
	for l := range min(2, n) {
		var mine []ring.Cursor
		for i := l; i < n; i += 2 {
			mine = append(mine, r.Live())
		}
		var scratch []byte
		if copying {
			scratch = make([]byte, copyBytes)
		}
		wake := make(chan struct{}, 1)
		s.wakes = append(s.wakes, wake)
		w := r.NewWaker(func() { nudge(wake) })
		s.loops.Go(func() {
			defer w.Close()
			s.loop(r, mine, scratch, w, wake)
		})
	}
	return s
}

// nudge puts a token into a channel of capacity one unless there is one.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (s *cursors) loop(r *ring.Ring, mine []ring.Cursor, scratch []byte, w *ring.Waker, wake <-chan struct{}) {
	var sum heard
	for {
		last := s.closing.Load() // before the head: then the head is final
		head := r.Head()
		sum.pass(mine, scratch)
		if last {
			break
		}
		if w.Park(head) {
			s.asleep.Add(1)
			<-wake
			s.asleep.Add(-1)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sum.delivered += sum.delivered
	s.sum.dropped += sum.dropped
}

// rest waits until every loop has come to the head and sleeps.
func (s *cursors) rest() {
	for int(s.asleep.Load()) < len(s.wakes) {
		runtime.Gosched()
	}
}

// pass takes every cursor to the head, one page a turn.
func (h *heard) pass(mine []ring.Cursor, scratch []byte) {
	for more := true; more; {
		more = false
		for i := range mine {
			c := &mine[i]
			p, lost, ok := c.Page()
			h.dropped += lost
			if !ok {
				continue
			}
			copy(scratch, p.Text)
			end := p.First + uint64(p.Count())
			h.delivered += end - c.Seq()
			c.Advance(end)
			more = true
		}
	}
}

// stop lets every reader come to the head and returns what they were given. It
// is called when nobody publishes any more.
func (s *cursors) stop() heard {
	s.closing.Store(true)
	for _, wake := range s.wakes {
		nudge(wake)
	}
	s.loops.Wait()
	return s.sum
}

// channelLines is how many lines the channel of one client holds.
const channelLines = 1000

// channels is the baseline: each client has a channel and a goroutine, and a
// line that finds a channel full is dropped for that client.
type channels struct {
	clients   []chan []byte
	receivers sync.WaitGroup
	delivered atomic.Uint64
	dropped   uint64
}

func openChannels(n int) *channels {
	s := &channels{}
	for range n {
		c := make(chan []byte, channelLines)
		s.clients = append(s.clients, c)
		s.receivers.Go(func() {
			var n uint64
			for range c {
				n++
			}
			s.delivered.Add(n)
		})
	}
	return s
}

// publish offers line, which must not change any more, to every client.
func (s *channels) publish(line []byte) {
	for _, c := range s.clients {
		select {
		case c <- line:
		default:
			s.dropped++
		}
	}
}

// stop lets every client take what its channel holds and returns what they were
// given.
func (s *channels) stop() heard {
	for _, c := range s.clients {
		close(c)
	}
	s.receivers.Wait()
	return heard{delivered: s.delivered.Load(), dropped: s.dropped}
}
