package tail

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// identity names a file for as long as it exists. Device and inode alone come
// back at once for a new file when the old one is gone and nobody holds it
// open; the time of birth tells the two apart. It is 0 where the file system
// does not keep it.
type identity struct {
	dev, ino uint64
	born     int64
}

// status is what the watcher wants to know about a file.
type status struct {
	id      identity
	size    int64
	mtime   int64 // nanoseconds since 1970, like ctime
	ctime   int64
	links   uint32
	regular bool
	dir     bool
}

// The steps of the clocks by which file systems date changes are less than
// these, in nanoseconds. Old forms of ext4 keep seconds, FAT every other one.
const (
	clockGrain  = int64(50 * time.Millisecond)
	coarseGrain = int64(2100 * time.Millisecond)
)

// sameAs reports whether st and o are of one file and tell of no change of it.
// The time of modification alone may have been set back.
func (st status) sameAs(o status) bool {
	return st.id == o.id && st.mtime == o.mtime && st.ctime == o.ctime
}

// tellsAfter reports whether a change after the time at, if the status was
// taken before, makes another status: it has a date of its own.
func (st status) tellsAfter(at int64) bool {
	grain := clockGrain
	if st.ctime%int64(time.Second) == 0 {
		grain = coarseGrain
	}
	return max(st.mtime, st.ctime) < at-grain
}

// openFile opens a path for reading. Opening must neither wait (a pipe without
// a writer) nor make the daemon the owner of a terminal.
func openFile(path string) (fd int, err error) {
	err = ignoringEINTR(func() error {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		return err
	})
	return fd, err
}

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

func ignoringEINTR(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// linkTarget returns the file a symbolic link leads to in the end, or would
// lead to if it were there; "" when the path is no link.
func linkTarget(path string) string {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return ""
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	next, err := os.Readlink(path)
	if err != nil {
		return ""
	}
	if !filepath.IsAbs(next) {
		next = filepath.Join(filepath.Dir(path), next)
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(next)); err == nil {
		return filepath.Join(dir, filepath.Base(next))
	}
	return filepath.Clean(next)
}

func (id identity) String() string { return fmt.Sprintf("%x-%x-%x", id.dev, id.ino, id.born) }
