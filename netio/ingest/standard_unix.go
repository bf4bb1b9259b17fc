//go:build unix

package ingest

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

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
