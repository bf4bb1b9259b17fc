//go:build linux

package netio

import (
	"net"
	"os"
	"sync"
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
// Its own epoll is waited for by Go's poller. A goroutine that waits in epoll_wait
// keeps one of Go's processors until the monitor thread notices, which may take ten
// milliseconds; while all of them are kept like that nobody looks for events, and
// neither files nor timers are served.
type writePoll struct {
	loop *loop
	fd   int
	file *os.File // fd
	done sync.WaitGroup
}

func newWritePoll(l *loop) (*writePoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil { // os.NewFile asks for it
		unix.Close(fd)
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "epoll of sockets")
	if err := file.SetReadDeadline(time.Time{}); err != nil { // Go's poller has not taken it
		file.Close()
		return nil, err
	}
	return &writePoll{loop: l, fd: fd, file: file}, nil
}

func (p *writePoll) start() { p.done.Go(p.run) }

// run hands events to the loop until close.
func (p *writePoll) run() {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return
	}
	events := make([]unix.EpollEvent, 256)
	for {
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			for failed := error(unix.EINTR); failed == unix.EINTR; {
				n, failed = unix.EpollWait(int(fd), events, 0)
			}
			return n > 0 // else it is called again when there are some
		})
		if err != nil { // closed
			return
		}
		p.loop.mu.Lock()
		for _, ev := range events[:n] {
			p.loop.ready = append(p.loop.ready, pollEvent{
				fd: int(ev.Fd), broken: ev.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0,
			})
		}
		p.loop.mu.Unlock()
		p.loop.ring()
	}
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
	_ = p.file.Close()
	p.done.Wait()
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
