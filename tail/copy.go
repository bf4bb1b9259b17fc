package tail

import (
	"bytes"
	"path/filepath"
	"strings"
	"time"
)

const (
	// copyStall is how long a file that may be a copy in the making is given
	// to grow before it is judged by what is there.
	copyStall = time.Second
	// formerLife is how long the state of a file before its truncation is
	// remembered for a copy that is found late.
	formerLife = time.Minute
)

// copyCheck is the question whether a new file repeats a followed one: a
// rotation by copying leaves the old lines under a longer name, and these must
// not be sent again.
//
// Until the answer is known nothing of the file is read. It is the original's
// copy only if it agrees with it up to the original's position; a file that
// merely begins alike is a file of its own.
type copyCheck struct {
	of     *file
	before int64         // the original's position when the new file was found
	agreed int64         // as far as this the two are known to agree
	size   int64         // when last looked at
	moved  time.Duration // when size last changed
}

// original returns the followed file whose name the base name of path extends,
// as app.log.1, app.log-2026 and app-2026.log extend app.log; nil if none.
func (w *Watcher) original(path string, f *file) *file {
	dir, base := filepath.Split(path)
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	for i := len(base) - 1; i > 0; i-- {
		if !strings.ContainsRune(".-_~", rune(base[i])) {
			continue
		}
		if o := w.known(dir+base[:i], f); o != nil {
			return o
		}
		if i < len(stem) {
			if o := w.known(dir+base[:i]+ext, f); o != nil {
				return o
			}
		}
	}
	return nil
}

// known returns the file at path when it has content that f could repeat.
func (w *Watcher) known(path string, f *file) *file {
	n := w.names[path]
	if n == nil || n.file == nil || n.file == f || n.file.refused {
		return nil
	}
	if n.file.pos == 0 && w.formerOf(n.file) == nil {
		return nil
	}
	return n.file
}

func (w *Watcher) formerOf(f *file) *former {
	if f.former != nil && w.now()-f.former.at > formerLife {
		f.former = nil
	}
	return f.former
}

// decideCopy goes on with the question whether f is a copy. It reports whether
// f can be read now; if not, f is looked at again when it grows or time passes.
func (w *Watcher) decideCopy(f *file) bool {
	c := f.copied
	// All that the copy holds must be behind the original's position, or what
	// is unread of the original would be sent twice.
	if !w.drain(c.of) {
		if w.heldBack(c.of) {
			w.hold(f)
		} else {
			w.queue(f)
		}
		return false
	}
	if f.fd < 0 {
		return false
	}
	st, err := statFile(f.fd)
	if err != nil || st.size == 0 {
		return false
	}
	if st.size > c.size {
		c.size, c.moved = st.size, w.now()
	}
	answer, from := w.compare(f, c, st.size)
	if answer == undecided && w.now()-c.moved >= copyStall {
		answer, from = own, 0
		if c.agreed == st.size && c.agreed >= c.before {
			answer, from = repeats, c.agreed
		}
	}
	if answer == undecided {
		w.watchClock(f)
		return false
	}
	f.copied = nil
	if answer == repeats {
		f.readHead()
		f.place(from)
	}
	return true
}

type verdict uint8

const (
	undecided verdict = iota
	repeats           // a copy up to an offset
	own               // a file of its own
)

// compare looks at the first size bytes of f. What the original was before its
// truncation comes first: what it is now may be no more than a beginning that
// all its generations share.
func (w *Watcher) compare(f *file, c *copyCheck, size int64) (verdict, int64) {
	past := w.formerOf(c.of)
	if past != nil && size >= past.pos && same(f, past.head, past.marker, past.pos) {
		return repeats, past.pos
	}
	o := c.of
	if o.fd >= 0 && o.pos > 0 {
		switch {
		case size >= o.pos && same(f, o.head, o.marker, o.pos):
			return repeats, o.pos
		case size < o.pos && agree(f.fd, o.fd, 0, min(size, headSize)) &&
			agree(f.fd, o.fd, max(0, size-markerSize), size):
			c.agreed = size
			return undecided, 0
		}
	}
	if past != nil && size < past.pos {
		return undecided, 0
	}
	return own, 0
}

// same reports whether f begins with what head covers and has marker before
// pos.
func same(f *file, head fingerprint, marker []byte, pos int64) bool {
	buf := make([]byte, max(head.n, len(marker)))
	if n, err := readAt(f.fd, buf[:head.n], 0); err != nil || n < head.n || fingerprintOf(buf[:n]) != head {
		return false
	}
	n, err := readAt(f.fd, buf[:len(marker)], pos-int64(len(marker)))
	return err == nil && n == len(marker) && bytes.Equal(buf[:n], marker)
}

// agree reports whether two open files hold the same bytes from start to end.
func agree(a, b int, start, end int64) bool {
	x, y := make([]byte, end-start), make([]byte, end-start)
	n, err := readAt(a, x, start)
	m, err2 := readAt(b, y, start)
	return err == nil && err2 == nil && n == len(x) && m == len(y) && bytes.Equal(x, y)
}

// savedAgain reports whether f, found at a name that led to old, is the same
// log saved again: it was complete before the old file lost its last name, and
// agrees with it up to its position. A file created in the old one's place
// after its deletion is another log even when it begins alike.
func (w *Watcher) savedAgain(f, old *file) bool {
	if old.fd < 0 || old.pos == 0 || f.id.born == 0 {
		return false
	}
	st, err := statFile(old.fd)
	if err != nil || st.links > 0 || f.id.born >= st.ctime {
		return false
	}
	now, err := statFile(f.fd)
	return err == nil && now.size >= old.pos && same(f, old.head, old.marker, old.pos)
}
