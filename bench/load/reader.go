package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

const (
	readBytes   = 256 << 10
	maxRest     = 4 << 20 // an unfinished line longer than this is no line
	readerTick  = 10      // ms between looks at stop and stalled clients
	latencyLow  = 1_000   // ns
	latencyHigh = int64(10 * time.Minute)
)

// board is what the threads tell each other while the run lasts.
type board struct {
	written   atomic.Uint64   // lines appended
	greeted   atomic.Int64    // clients whose stream has begun
	synced    atomic.Int64    // clients that have seen a probe
	lastRead  atomic.Int64    // ns since the epoch of the last line received
	delivered atomic.Uint64   // lines received, by all clients
	entries   atomic.Uint64   // the same with probes and what came before them
	bytes     atomic.Uint64   // bytes received, by all clients
	accounted []atomic.Uint64 // per client, see ledger.accounted; closed clients: all ones
	pacers    []int           // clients that hold back a flat-out run
	stop      atomic.Bool     // readers end
}

const allAccounted = ^uint64(0)

// slowest returns the line up to which every pacing client has accounted.
func (b *board) slowest() uint64 {
	low := allAccounted
	for _, i := range b.pacers {
		low = min(low, b.accounted[i].Load())
	}
	return low
}

// finished reports whether every client has accounted for lines 1 … n.
func (b *board) finished(n uint64) bool {
	for i := range b.accounted {
		if b.accounted[i].Load() < n {
			return false
		}
	}
	return true
}

// reader serves its clients from one thread through one epoll.
type reader struct {
	epoll   int
	clients []*client // by index in the epoll data; nil = another reader's
	board   *board
	latency *hdrhistogram.Histogram // ns
	buf     []byte
	stopped []*client // stalled ones, not in the epoll now
	err     error
}

func newReader(b *board) (*reader, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create: %w", err)
	}
	return &reader{
		epoll:   fd,
		board:   b,
		latency: hdrhistogram.New(latencyLow, latencyHigh, 3),
		buf:     make([]byte, readBytes*2),
	}, nil
}

// add gives the reader a connected client, before run.
func (r *reader) add(c *client) error {
	c.sample = func(written int64) {
		// Out of range can only be a clock that was set: it is not a latency.
		_ = r.latency.RecordValue(max(c.received-written, latencyLow))
	}
	for len(r.clients) <= c.index {
		r.clients = append(r.clients, nil)
	}
	r.clients[c.index] = c
	return r.watch(c)
}

func (r *reader) watch(c *client) error {
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: int32(c.index)}
	if err := unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, c.fd, &ev); err != nil {
		return fmt.Errorf("epoll_ctl: watch client %d: %w", c.index, err)
	}
	return nil
}

// run reads until the board says stop. It keeps a thread to itself.
func (r *reader) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	events := make([]unix.EpollEvent, 256)
	for !r.board.stop.Load() {
		n, err := unix.EpollWait(r.epoll, events, readerTick)
		if err != nil && err != unix.EINTR {
			r.err = fmt.Errorf("epoll_wait: %w", err)
			return
		}
		for i := range max(n, 0) {
			r.serve(r.clients[events[i].Fd])
		}
		if err := r.resume(); err != nil {
			r.err = err
			return
		}
	}
}

// serve reads once from c and takes what is complete.
func (r *reader) serve(c *client) {
	if c.closed || c.hasStalled && !c.resumeAt.IsZero() {
		return
	}
	if need := len(c.rest) + readBytes; len(r.buf) < need {
		r.buf = make([]byte, need)
	}
	have := copy(r.buf, c.rest)
	n, err := readNow(c.fd, r.buf[have:have+readBytes])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return
	case err != nil:
		c.end("read: " + err.Error())
	case n == 0:
		c.end("closed by the daemon")
	default:
		r.take(c, have, n)
	}
	if c.closed {
		r.board.accounted[c.index].Store(allAccounted)
		_ = unix.EpollCtl(r.epoll, unix.EPOLL_CTL_DEL, c.fd, nil)
	}
}

// readNow reads from a socket that never blocks, without telling the scheduler.
func readNow(fd int, b []byte) (int, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// take scans the have+n bytes in the buffer, n of them new, and publishes
// what they changed.
func (r *reader) take(c *client, have, n int) {
	c.received = time.Now().UnixNano()
	received, entries, was := c.ledger.received, c.entries, c.phase
	used := c.scan(r.buf[:have+n])
	c.rest = append(c.rest[:0], r.buf[used:have+n]...)
	if len(c.rest) > maxRest {
		c.protocol++
		c.fault("no end of line in %d bytes", len(c.rest))
		c.end("unfinished line")
	}
	b := r.board
	if was == greeting && c.phase != greeting {
		b.greeted.Add(1)
	}
	if c.phase == counting {
		if was != counting {
			b.synced.Add(1)
		}
		b.accounted[c.index].Store(c.ledger.accounted())
	}
	b.bytes.Add(uint64(n))
	b.entries.Add(c.entries - entries)
	if got := c.ledger.received - received; got > 0 {
		b.delivered.Add(got)
		b.lastRead.Store(c.received)
		if c.role == stalled && !c.hasStalled {
			r.stall(c)
		}
	}
}

// stall takes c out of the epoll for a while.
func (r *reader) stall(c *client) {
	c.hasStalled = true
	c.resumeAt = time.Now().Add(c.run.stallFor)
	r.stopped = append(r.stopped, c)
	_ = unix.EpollCtl(r.epoll, unix.EPOLL_CTL_DEL, c.fd, nil)
}

// resume puts stalled clients whose time is up back into the epoll.
func (r *reader) resume() error {
	if len(r.stopped) == 0 {
		return nil
	}
	now := time.Now()
	keep := r.stopped[:0]
	for _, c := range r.stopped {
		if now.Before(c.resumeAt) {
			keep = append(keep, c)
			continue
		}
		c.resumeAt = time.Time{}
		if err := r.watch(c); err != nil {
			return err
		}
	}
	r.stopped = keep
	return nil
}

// end marks the connection as over; an announced reason is kept.
func (c *client) end(reason string) {
	c.closed = true
	if c.reason == "" {
		c.reason = reason
	}
}
