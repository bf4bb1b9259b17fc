package tail

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"
	"unsafe"

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

// statPath looks at what a path leads to, following symbolic links.
func statPath(path string) (status, error) { return statx(unix.AT_FDCWD, path, 0) }

// statFile looks at an open file.
func statFile(fd int) (status, error) { return statx(fd, "", unix.AT_EMPTY_PATH) }

func statx(fd int, path string, flags int) (status, error) {
	var st unix.Statx_t
	err := ignoringEINTR(func() error {
		return unix.Statx(fd, path, flags, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &st)
	})
	if err == unix.ENOSYS || err == unix.EPERM {
		return statPlain(fd, path) // an old kernel, or a sandbox that does not know the call
	}
	if err != nil {
		return status{}, err
	}
	s := status{
		id:    identity{dev: unix.Mkdev(st.Dev_major, st.Dev_minor), ino: st.Ino},
		size:  int64(st.Size),
		mtime: nanos(st.Mtime), ctime: nanos(st.Ctime),
		links:   st.Nlink,
		regular: st.Mode&unix.S_IFMT == unix.S_IFREG,
		dir:     st.Mode&unix.S_IFMT == unix.S_IFDIR,
	}
	if st.Mask&unix.STATX_BTIME != 0 {
		s.id.born = nanos(st.Btime)
	}
	return s, nil
}

func nanos(t unix.StatxTimestamp) int64 { return t.Sec*1e9 + int64(t.Nsec) }

func statPlain(fd int, path string) (status, error) {
	var st unix.Stat_t
	err := ignoringEINTR(func() error {
		if path == "" {
			return unix.Fstat(fd, &st)
		}
		return unix.Stat(path, &st)
	})
	if err != nil {
		return status{}, err
	}
	return status{
		id:    identity{dev: st.Dev, ino: st.Ino},
		size:  st.Size,
		mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano(),
		links:   uint32(st.Nlink),
		regular: st.Mode&unix.S_IFMT == unix.S_IFREG,
		dir:     st.Mode&unix.S_IFMT == unix.S_IFDIR,
	}, nil
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

// readCached reads what can be had without waiting, perhaps nothing. unknown
// means that the file system or the kernel cannot tell.
func readCached(fd int, buf []byte, offset int64) (n int, unknown bool) {
	if len(buf) == 0 {
		return 0, false
	}
	v := unix.Iovec{Base: unsafe.SliceData(buf)}
	v.SetLen(len(buf))
	// The kernel takes the offset in two words, of which the second is for
	// machines whose words are shorter than an offset.
	r, _, errno := unix.RawSyscall6(unix.SYS_PREADV2, uintptr(fd), uintptr(unsafe.Pointer(&v)), 1,
		uintptr(offset), uintptr(uint64(offset)>>32), unix.RWF_NOWAIT)
	if errno != 0 {
		return 0, errno != unix.EAGAIN && errno != unix.EINTR
	}
	return int(r), false
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

// remoteFS reports whether changes made elsewhere reach dir without events.
func remoteFS(dir string) bool {
	var st unix.Statfs_t
	if ignoringEINTR(func() error { return unix.Statfs(dir, &st) }) != nil {
		return false
	}
	switch uint32(st.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC,
		unix.FUSE_SUPER_MAGIC, unix.V9FS_MAGIC, unix.CEPH_SUPER_MAGIC:
		return true
	}
	return false
}
