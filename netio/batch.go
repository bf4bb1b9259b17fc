package netio

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"logwisp/ring"
)

// maxSpans is the most pieces one write gathers.
const maxSpans = 64

// span is a run of whole entries in one wire form, to be written from offset
// from, which is where entry skip begins.
type span struct {
	text  []byte
	first uint64   // seq of entry 0
	ends  []uint32 // offset behind each entry; nil: page has them
	page  ring.Page
	count int
	skip  int // entries the subscriber has already
	from  int
	at    ring.Cursor // at entry skip
	after ring.Cursor // behind the last entry
}

// end returns the offset behind entry i, 0 for i = -1.
func (s *span) end(i int) int {
	switch {
	case i < 0:
		return 0
	case s.ends != nil:
		return int(s.ends[i])
	default:
		return s.page.End(i)
	}
}

// entriesWithin returns how many entries end at or before offset.
func (s *span) entriesWithin(offset int) int {
	if offset == len(s.text) {
		return s.count
	}
	lo, hi := 0, s.count
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if s.end(mid) <= offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// batch is what one write call is given. The loop owns it and uses it anew for
// every write.
type batch struct {
	iov    []unix.Iovec
	bytes  int
	spans  []span
	number uint64 // of this batch; blocks used by it must not be overwritten
	gather gatherer
}

func (b *batch) begin() {
	b.iov, b.spans, b.bytes = b.iov[:0], b.spans[:0], 0
	b.number++
}

// end lets go of the pages (N6).
func (b *batch) end() {
	clear(b.iov)
	clear(b.spans)
}

func (b *batch) add(p []byte) {
	if len(p) == 0 {
		return
	}
	v := unix.Iovec{Base: unsafe.SliceData(p)}
	v.SetLen(len(p))
	b.iov = append(b.iov, v)
	b.bytes += len(p)
}

// collect adds the entries from s's cursor on, until maxWrite is reached, and
// returns whether it got to the head. When entries
// were lost at the very start, it moves the cursor past them and returns their
// number, with nothing collected; a loss further on is left for the next write.
func (b *batch) collect(l *loop, s *Subscriber) (caughtUp bool, lost uint64) {
	c := s.cursor
	for b.bytes < maxWrite && len(b.spans) < maxSpans {
		sp, lost, ok := l.spanAt(&c, s.transport.Form)
		if lost > 0 {
			if len(b.spans) > 0 {
				return false, 0
			}
			s.cursor = c
			return false, lost
		}
		if !ok {
			return true, 0
		}
		b.spans = append(b.spans, sp)
		b.add(sp.text[sp.from:])
		c = sp.after
	}
	return false, 0
}

// write hands the batch to the socket. It is a raw system call: the socket
// never blocks, and telling the scheduler would cost more than it saves.
func (b *batch) write(fd int) (int, unix.Errno) {
	var n uintptr
	var errno unix.Errno
	if len(b.iov) == 1 {
		n, _, errno = unix.RawSyscall(unix.SYS_WRITE, uintptr(fd),
			uintptr(unsafe.Pointer(b.iov[0].Base)), uintptr(b.iov[0].Len))
	} else {
		n, _, errno = unix.RawSyscall(unix.SYS_WRITEV, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(b.iov))), uintptr(len(b.iov)))
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
