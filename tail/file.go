package tail

import (
	"bytes"
	"time"

	"logwisp/ring/entry"
)

const (
	// markerSize is how many bytes before the position are remembered. Fewer
	// coincide by chance in logs whose lines resemble each other.
	markerSize = 256
	// headSize is how much of a file's beginning its fingerprint covers.
	headSize = 1024
)

// phase is where a file is in its life; see the package comment.
type phase uint8

const (
	following phase = iota // a name leads to it
	rotated                // no name does; read to its end
	closed                 // given up; kept for the case that a name leads to it again
)

// name is one path that a target names. It may lead to a file, to something
// that is not followed, or to nothing yet.
type name struct {
	path  string
	file  *file  // nil when the path leads to nothing that can be followed
	real  string // where the path leads when it is a symbolic link, else ""
	index int    // place in Watcher.order

	polled  bool    // events do not serve here
	skipped bool    // not followed: too many files
	problem error   // what was last reported about the path
	present *status // the file was there at the start but could not be read
}

// file is one file that is followed, whatever its names. It is passive: the
// watcher's goroutine owns it.
//
// INVARIANT: 0 <= startSize; bytes before pos are emitted or held in split;
// marker is what precedes pos in the file, and trail ends there.
type file struct {
	id    identity
	names []*name // the first is the one it is read under
	path  string  // of names[0], or the last there was
	phase phase

	fd     int // -1 = not open
	pos    int64
	ended  int64 // where the last line that was taken ends
	whole  int64 // what is before it was sent: ended without what waits for more
	marker []byte
	memory
	encoding encoding
	split    entry.Splitter
	rules    *rules
	wrapping wrapping
	members  [3][]byte // for the fields of a container's entries, by stream
	attrs    []byte    // what Docker says of the container, within members
	pieces   [2]piece  // of a container's lines, by stream
	group    group
	sourceID uint16
	source   string

	startSize int64         // size when the daemon started, 0 for later files
	mtime     int64         // when last compared with the path
	looked    int64         // when what was read of it was last found in it, nanoseconds since 1970
	lag       int64         // unread bytes when last looked at
	seen      time.Duration // when a path was last found leading to it
	grown     time.Duration // when bytes last came
	left      time.Duration // when the last name went
	atEnd     bool          // the last look reached the end
	until     int64         // of a deleted or dismissed file: what is still read of it; 0 = not decided

	entries   uint64 // sent
	last      int64  // when the last was sent, microseconds since 1970
	rotations uint64 // how often its path began anew

	former []former // before truncations, the last one last
	copied *copyCheck
	after  *file // is read to its end before this one begins

	queued, timed bool
	dismissed     bool  // it has its name, and no target names that any more
	held          bool  // put aside, see pace.go
	refused       bool  // not read: not text
	refusedSize   int64 // how long it was when that was found
	uncached      bool  // its file system does not say what a read would wait for
	problem       error
	shrunk        bool // on a remote file system: seen short once
	truncated     bool // its copy is being looked for
	complete      bool // it is the copy of one that was: nobody writes to it

	newer, older *file // neighbours in the list of open files
}

// fingerprint is a hash (FNV-1a) of the first n bytes of a file. It grows with
// the file until n is headSize.
type fingerprint struct {
	sum uint64
	n   int
}

// extend adds bytes that stand at offset in the file, if they continue what is
// covered.
func (p *fingerprint) extend(data []byte, offset int64) {
	if p.n >= headSize || offset != int64(p.n) {
		return
	}
	if p.n == 0 {
		p.sum = 14695981039346656037
	}
	for _, c := range data[:min(len(data), headSize-p.n)] {
		p.sum = (p.sum ^ uint64(c)) * 1099511628211
		p.n++
	}
}

// fingerprintOf returns the fingerprint of head.
func fingerprintOf(head []byte) (p fingerprint) {
	p.extend(head, 0)
	return p
}

// mark remembers the bytes before pos; before ends there and has been in the
// file since the time given, its last fresh bytes for the first time.
func (f *file) mark(before []byte, fresh int, at int64) {
	for back := fresh / 2; back >= trailStep; back /= 2 {
		upTo := before[:len(before)-back]
		f.trail.note(f.pos-int64(back), upTo[max(0, len(upTo)-markerSize):], at)
	}
	f.marker = append(f.marker[:0], before[max(0, len(before)-markerSize):]...)
	f.trail.note(f.pos, f.marker, at)
}

// place puts the file's position at pos and reads the marker that belongs to
// it. Bytes that are no longer there make the next look see a rewritten file.
func (f *file) place(pos int64) {
	f.pos, f.ended, f.whole = pos, pos, pos
	buf := make([]byte, min(pos, markerSize))
	n, _ := readAt(f.fd, buf, pos-int64(len(buf)))
	f.trail = f.trail[:0]
	f.looked = nowNanos()
	f.mark(buf[:n], 0, f.looked)
	f.split.Reset(pos == 0)
}

// placeAtEnd puts the position at the beginning of the line that ends or will
// end at size, looking back at most limit bytes. The encoding is known.
func (f *file) placeAtEnd(size, limit int64) {
	const block = 64 << 10
	size = f.encoding.floor(size)
	buf := make([]byte, min(block, size))
	for end := size; end > 0 && size-end < limit; {
		start := max(0, end-int64(len(buf)))
		n, err := readAt(f.fd, buf[:end-start], start)
		if err != nil {
			break
		}
		if i := f.encoding.lineEnd(buf[:n]); i > 0 {
			f.place(start + int64(i))
			return
		}
		end = start
	}
	f.place(f.encoding.floor(max(0, size-limit)))
}

// readHead takes the fingerprint and the encoding, and returns the bytes they
// are from.
func (f *file) readHead() []byte {
	buf := make([]byte, headSize)
	n, _ := readAt(f.fd, buf, 0)
	f.head = fingerprintOf(buf[:n])
	f.encoding, _ = encodingOf(buf[:n], f.encoding)
	return buf[:n]
}

// read fills buf from offset on as far as the file goes.
//
// What the kernel has in memory is read without telling the scheduler: it is
// copied in a tenth of a millisecond, and being taken off the processor for it
// costs more. Only the rest, which may have to wait for a disk, is announced.
func (f *file) read(buf []byte, offset int64) (int, error) {
	n := 0
	if !f.uncached {
		n, f.uncached = readCached(f.fd, buf, offset)
		if n == len(buf) {
			return n, nil
		}
	}
	m, err := readAt(f.fd, buf[n:], offset+int64(n))
	return n + m, err
}

// shorterThan reports whether the file holds fewer bytes.
func (f *file) shorterThan(size int64) bool {
	st, err := statFile(f.fd)
	return err == nil && st.size < size
}

// deleted reports whether no name is left anywhere: then holding the file
// open keeps its disk space.
func (f *file) deleted() bool {
	st, err := statFile(f.fd)
	return err == nil && st.links == 0
}

// stale reports whether the fragment held is nothing but text from before the
// daemon's start, which is not part of the stream unless it goes on.
func (f *file) stale() bool { return f.pos <= f.startSize }

// needsClock reports whether something is to be done with the file when time
// passes, not only when it changes.
func (f *file) needsClock() bool {
	return f.phase == rotated || f.copied != nil && f.copied.size > 0 || f.shrunk ||
		f.phase == following && (f.split.Pending() && !f.stale() || f.group.lines > 0 || f.piecesHeld())
}

// notText names what begins like data when it is nothing to be read as lines.
func notText(data []byte) string {
	for _, m := range [...]struct {
		magic, kind string
	}{
		{"\x1f\x8b\x08", "gzip data"},
		{"\x28\xb5\x2f\xfd", "zstd data"},
		{"\xfd7zXZ", "xz data"},
		{"\xff\xfe\x00\x00", "UTF-32 text"},
		{"\x00\x00\xfe\xff", "UTF-32 text"},
	} {
		if bytes.HasPrefix(data, []byte(m.magic)) {
			return m.kind
		}
	}
	// The fourth byte tells the block size.
	if len(data) >= 10 && string(data[:3]) == "BZh" && string(data[4:10]) == "1AY&SY" {
		return "bzip2 data"
	}
	return ""
}

// openFiles is the list of files with an open descriptor, the most recently
// active first.
type openFiles struct {
	newest, oldest *file
	count          int
}

func (l *openFiles) add(f *file) {
	f.older, f.newer = l.newest, nil
	if l.newest != nil {
		l.newest.newer = f
	} else {
		l.oldest = f
	}
	l.newest = f
	l.count++
}

func (l *openFiles) remove(f *file) {
	if f.newer != nil {
		f.newer.older = f.older
	} else {
		l.newest = f.older
	}
	if f.older != nil {
		f.older.newer = f.newer
	} else {
		l.oldest = f.newer
	}
	f.newer, f.older = nil, nil
	l.count--
}

// touch makes f the most recently active.
func (l *openFiles) touch(f *file) {
	if l.newest != f {
		l.remove(f)
		l.add(f)
	}
}
