package ingest

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket reads a connection without a buffer of its own.
type socket struct {
	conn    net.Conn
	raw     syscall.RawConn
	idle    time.Duration // after which wait gives up, 0 = never
	until   time.Time     // at which it gives up as well, 0 = never
	limited bool          // the deadline is until
	ends    func() bool   // reports whether Stop was called

	// Closures, and what goes in and out of them, so that reading allocates
	// nothing.
	try    func() bool
	ready  func(fd uintptr) bool
	buf    []byte
	n      int
	err    error
	readFD func(fd uintptr)
}

func newSocket(c net.Conn, idle time.Duration, ends func() bool) (*socket, error) {
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, err
	}
	k := &socket{conn: c, raw: raw, idle: idle, ends: ends}
	k.ready = func(uintptr) bool { return k.try() }
	k.readFD = func(fd uintptr) { k.n, k.err = readNow(int(fd), k.buf) }
	return k, nil
}

func (k *socket) wait(try func() bool) error {
	switch {
	case !k.until.IsZero():
		_ = k.conn.SetReadDeadline(k.until)
		k.endEarly()
	case k.idle > 0:
		_ = k.conn.SetReadDeadline(time.Now().Add(k.idle))
		k.endEarly()
	case k.limited:
		_ = k.conn.SetReadDeadline(time.Time{})
		k.endEarly()
	}
	k.limited = !k.until.IsZero()
	k.try = try
	return k.raw.Read(k.ready)
}

// endEarly sets the deadline of Stop again that another one has replaced.
func (k *socket) endEarly() {
	if k.ends() {
		_ = k.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

func (k *socket) read(b []byte) (int, error) {
	k.buf = b
	err := k.raw.Control(k.readFD)
	k.buf = nil
	if err != nil {
		return 0, err
	}
	return k.n, k.err
}

// readNow reads from a descriptor that does not block, or has something.
func readNow(fd int, b []byte) (int, error) {
	for {
		n, err := unix.Read(fd, b)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, errNothing
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// standardInput reads a descriptor that may be of any kind and is shared with
// others, so that it is not made one that does not block.
type standardInput struct {
	fd   int
	wake int // an eventfd: no more is to be waited for
}

func newStandardInput(f *os.File) (*standardInput, error) {
	wake, err := newWake()
	if err != nil {
		return nil, fmt.Errorf("make an eventfd: %w", err)
	}
	return &standardInput{int(f.Fd()), wake}, nil
}

func (in *standardInput) wait(try func() bool) error {
	for !try() {
		fds := []unix.PollFd{{Fd: int32(in.fd), Events: unix.POLLIN}, {Fd: int32(in.wake), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR {
			return os.NewSyscallError("poll", err)
		}
		if fds[1].Revents != 0 {
			return os.ErrDeadlineExceeded
		}
	}
	return nil
}

func (in *standardInput) read(b []byte) (int, error) {
	fds := []unix.PollFd{{Fd: int32(in.fd), Events: unix.POLLIN}}
	switch n, err := unix.Poll(fds, 0); {
	case err == unix.EINTR || err == nil && n == 0:
		return 0, errNothing
	case err != nil:
		return 0, os.NewSyscallError("poll", err)
	}
	return readNow(in.fd, b)
}

// end has wait return.
func (in *standardInput) end() {
	if in.wake >= 0 {
		_, _ = unix.Write(in.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

// close gives up what end needs. It may be called again.
func (in *standardInput) close() {
	if in.wake >= 0 {
		_ = unix.Close(in.wake)
		in.wake = -1
	}
}
