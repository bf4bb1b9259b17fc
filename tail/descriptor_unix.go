//go:build unix

package tail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// openFile opens a path for reading. Opening must neither wait (a pipe without
// a writer) nor make the daemon the owner of a terminal.
func openFile(path string) (fd int, err error) {
	err = ignoringEINTR(func() error {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		return err
	})
	return fd, err
}

func closeFile(fd int) { unix.Close(fd) }

// readAt fills buf from offset on as far as the file goes.
func readAt(fd int, buf []byte, offset int64) (n int, err error) {
	for n < len(buf) && err == nil {
		m := 0
		err = ignoringEINTR(func() error {
			var e error
			m, e = unix.Pread(fd, buf[n:], offset+int64(n))
			return e
		})
		if m <= 0 {
			break
		}
		n += m
	}
	return n, err
}

// nextData returns where the next byte from offset on is that was written: what
// is before it is a hole.
func nextData(fd int, offset int64) (int64, error) { return unix.Seek(fd, offset, unix.SEEK_DATA) }

func ignoringEINTR(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// lockFile makes the file ours until it is closed. The error is EWOULDBLOCK when
// it is another's.
func lockFile(f *os.File) error {
	return ignoringEINTR(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
}

// replace writes a file as a whole or not at all. The error does not name the
// replacement, whose name is another each time.
func replace(path string, text []byte) (err error) {
	defer func() {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = fmt.Errorf("%s its replacement: %w", e.Op, e.Err)
		}
	}()
	t, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(0o600))
	if err != nil {
		return err
	}
	defer t.Cleanup()
	if _, err := t.Write(text); err != nil {
		return err
	}
	return t.CloseAtomicallyReplace()
}

// descriptorBudget is how many descriptors the watcher may hold: at least half
// of the limit is left to clients, and 64 for the rest of the process.
func descriptorBudget() int {
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &lim) != nil {
		return 512
	}
	n := min(lim.Cur, 1<<20)
	return int(max(min(n-min(n, 64), n/2), 16))
}
