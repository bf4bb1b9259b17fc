//go:build linux

package netio

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// writePoll watches the sockets of a loop that were full once. gnet's own
// epoll watches for input only and tells nobody when a socket drains.
//
// Events are edge-triggered: the kernel raises one only after a write found
// the buffer full, so a subscriber that keeps up causes none, and one that is
// stuck causes none either.
//
// The loop takes the events at the start of a pass. Only while it sleeps does a
// second epoll, which watches the first and is good for one event, have it woken:
// to wake a thread for every socket that drains while the loop has work anyway
// costs more than the writes.
//
// That second one is waited for by Go's poller. A goroutine that waits in epoll_wait
// keeps one of Go's processors until the monitor thread notices, which may take ten
// milliseconds; while all of them are kept like that nobody looks for events, and
// neither files nor timers are served.
type writePoll struct {
	loop   *loop
	fd     int
	events []unix.EpollEvent
	alarm  *os.File    // the second epoll
	second int         // alarm's descriptor
	rung   atomic.Bool // it has had its event: the loop is to look
	done   sync.WaitGroup
}

func newWritePoll(l *loop) (*writePoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	p := &writePoll{loop: l, fd: fd, events: make([]unix.EpollEvent, 256)}
	if err := p.newAlarm(); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return p, nil
}

// newAlarm makes the second epoll.
func (p *writePoll) newAlarm() error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	if err = unix.SetNonblock(fd, true); err == nil { // os.NewFile asks for it
		err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, p.fd, &oneEvent)
	}
	if err != nil {
		unix.Close(fd)
		return err
	}
	file := os.NewFile(uintptr(fd), "epoll of sockets")
	if err := file.SetReadDeadline(time.Time{}); err != nil { // Go's poller has not taken it
		file.Close()
		return err
	}
	p.alarm, p.second = file, fd
	return nil
}

// queuedBytes returns how many bytes a socket holds that its peer has not
// acknowledged, 0 when it is gone.
func queuedBytes(fd int) int {
	n, _ := unix.IoctlGetInt(fd, unix.TIOCOUTQ)
	return n
}

var oneEvent = unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT}

func (p *writePoll) start() { p.done.Go(p.run) }

// run wakes the loop until close.
func (p *writePoll) run() {
	raw, err := p.alarm.SyscallConn()
	if err != nil {
		return
	}
	var event [1]unix.EpollEvent
	for {
		err := raw.Read(func(fd uintptr) bool {
			n, failed := 0, error(unix.EINTR)
			for failed == unix.EINTR {
				n, failed = unix.EpollWait(int(fd), event[:], 0)
			}
			return n > 0 // else it is called again when there is one
		})
		if err != nil { // closed
			return
		}
		p.rung.Store(true)
		p.loop.ring()
	}
}

// take calls visit for sockets that can be written to again, or are broken, and
// returns whether there may be more. The loop calls it.
func (p *writePoll) take(visit func(fd int, broken bool)) (more bool) {
	if !p.rung.Load() {
		return false
	}
	n, err := unix.EpollWait(p.fd, p.events, 0)
	if err != nil {
		return err == unix.EINTR
	}
	for _, ev := range p.events[:n] {
		visit(int(ev.Fd), ev.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0)
	}
	return n == len(p.events)
}

// watch has the loop woken by what take would find from now on. The loop calls it
// before it sleeps.
func (p *writePoll) watch() {
	if !p.rung.Swap(false) { // before the kernel is asked, which may answer at once
		return
	}
	_ = unix.EpollCtl(p.second, unix.EPOLL_CTL_MOD, p.fd, &oneEvent)
}

// add watches a subscriber's socket from now on. Adding reports the present
// state too, so nothing that happened before is missed.
func (p *writePoll) add(s *Subscriber) bool {
	if s.polled {
		return true
	}
	ev := unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLET, Fd: int32(s.fd)}
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, s.fd, &ev); err != nil {
		return false // the tick tries the socket again every second
	}
	s.polled = true
	return true
}

// remove must be called before the descriptor is closed.
func (p *writePoll) remove(s *Subscriber) {
	if s.polled {
		_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, s.fd, nil)
		s.polled = false
	}
}

func (p *writePoll) close() {
	_ = p.alarm.Close()
	p.done.Wait()
	_ = unix.Close(p.fd)
}

// hungUp reports whether a socket is closed in both directions or broken. It
// guards against an event meant for an earlier owner of the descriptor.
func hungUp(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd)}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
}

// closedSending reports whether the peer of a connection will say no more, and the
// connection is not known to be of a kind that cannot be asked.
func closedSending(c net.Conn) (closed bool) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return true
	}
	err = raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(fds, 0)
		closed = err == nil && n > 0
	})
	return closed || err != nil
}

// socketFDs returns two connected sockets that do not block.
func socketFDs() ([2]int, error) {
	return unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
}

// errNoNetwork is an error of accept that other systems do not have.
const errNoNetwork = syscall.ENONET
