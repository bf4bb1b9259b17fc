//go:build unix

package main

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// watchReader calls gone when w is a pipe that nobody reads any more. Without
// it `logwisp tail | head -n 1` would wait for an entry to notice. Its goroutine
// lives as long as the reader.
func watchReader(w io.Writer, gone func()) {
	f, ok := w.(*os.File)
	if !ok {
		return
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	go func() {
		_ = raw.Control(func(fd uintptr) {
			for {
				// No events are asked for: errors are told all the same.
				at := []unix.PollFd{{Fd: int32(fd)}}
				if _, err := unix.Poll(at, -1); errors.Is(err, unix.EINTR) {
					continue
				} else if err == nil && at[0].Revents&unix.POLLERR != 0 {
					gone()
				}
				return
			}
		})
	}()
}

// readerGone reports whether a write failed because nobody reads any more.
func readerGone(err error) bool { return errors.Is(err, unix.EPIPE) }

// takesEscapes reports whether a terminal understands escape sequences. What is
// in TERM says it here.
func takesEscapes(*os.File) bool { return true }
