package tail

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
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
