package tail

import (
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

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

// pathOf returns where an open file is, and whether it still has a name.
func pathOf(fd int) (path string, there bool) {
	path, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	return path, err == nil && !strings.HasSuffix(path, " (deleted)")
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
