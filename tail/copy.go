package tail

import (
	"bytes"
	"path/filepath"
	"strings"
	"time"
)

// copyStall is how long a file that may be a copy in the making is given to
// grow before it is judged by what is there. One that is known to be unfinished
// and has the name of a copy is given five times as long.
const copyStall = time.Second

// copyCheck is the question whether a new file repeats a followed one: a
// rotation by copying leaves the old lines under a longer name, and these must
// not be sent again.
//
// Until the answer is known nothing of the file is read. It is a copy only if
// all it holds agrees with what the original holds, or held before a
// truncation, and if it reaches as far as the original did when it was made; a
// file that merely begins alike is a file of its own.
type copyCheck struct {
	of    *file
	found int64         // the original's position when the new file was found
	size  int64         // when last looked at
	moved time.Duration // when size last changed

	agreed int64  // so much was compared with the original's own bytes
	began  uint64 // the original's rotations then

	// The name is one for a copy of the original's, which may be another by
	// now, and it adds no more than a number or a date.
	named, numbered bool
}

// mayRepeat asks whether f, found at path, repeats a followed file, if there is
// one that it could.
func (w *Watcher) mayRepeat(f *file, path string) {
	o := w.original(path, f)
	if o == nil {
		return
	}
	base, of := filepath.Base(path), filepath.Base(o.path)
	numbered := generationOf(base, of)
	// Nobody calls another log app.log.something; app-something.log may be one.
	named := numbered || filepath.Ext(of) != "" && strings.HasPrefix(base, of)
	f.copied = &copyCheck{of: o, found: o.pos, named: named, numbered: numbered}
}

// original returns the followed file whose name the base name of path extends,
// as app.log.1, app.log-2026 and app-2026.log extend app.log, in the same
// directory or the one above; nil if none.
func (w *Watcher) original(path string, f *file) *file {
	dir, base := filepath.Split(path)
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	for i := len(base) - 1; i > 0; i-- {
		if !strings.ContainsRune(".-_~", rune(base[i])) {
			continue
		}
		for _, in := range [...]string{dir, slashed(filepath.Dir(filepath.Clean(dir)))} {
			if o := w.known(in+base[:i], f); o != nil {
				return o
			}
			if i >= len(stem) {
				continue
			}
			if o := w.known(in+base[:i]+ext, f); o != nil {
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
	if n.file.pos == 0 && len(w.formers(n.file)) == 0 {
		if st, err := statPath(path); err != nil || st.size == 0 {
			return nil
		}
	}
	return n.file
}

// decideCopy goes on with the question whether f is a copy. It reports whether
// f can be read now; if not, f is looked at again when it grows or time passes.
func (w *Watcher) decideCopy(f *file) bool {
	c := f.copied
	if f.fd < 0 {
		return false
	}
	st, err := statFile(f.fd)
	if err != nil || st.size == 0 {
		return false
	}
	if st.size != c.size {
		c.size, c.moved = st.size, w.now()
	}
	// What a copy holds was in the original before. All of it must be behind
	// the original's position, or what is unread there would be sent twice.
	if !w.drain(c.of) {
		if w.heldBack(c.of) {
			w.hold(f)
		} else {
			w.queue(f)
		}
		return false
	}
	if f.copied == nil {
		return true // the original was truncated, and f has what it held
	}
	answer, from := w.compare(f, c)
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

// compare judges f by what is known of the original. What that was before its
// truncations comes first: what it is now may be no more than a beginning that
// all its generations share.
func (w *Watcher) compare(f *file, c *copyCheck) (verdict, int64) {
	if c.agreed == c.size && c.began != c.of.rotations {
		return repeats, c.size // the original was truncated since: the copy is complete
	}
	possible := false
	past := w.formers(c.of)
	for i := len(past) - 1; i >= 0; i-- {
		switch answer, from := w.compareFormer(f, c, &past[i]); answer {
		case repeats:
			return repeats, from
		case undecided:
			possible = true
		}
	}
	if o := c.of; o.pos > 0 {
		switch answer, from := w.comparePresent(f, c, o); answer {
		case repeats:
			return repeats, from
		case undecided:
			possible = true
		}
	}
	wait := w.stall
	if c.named {
		wait *= 5
	}
	if !possible || w.now()-c.moved >= wait {
		return own, 0
	}
	return undecided, 0
}

// compareFormer judges f by what the original was before a truncation. A copy
// made before that is complete.
func (w *Watcher) compareFormer(f *file, c *copyCheck, past *former) (verdict, int64) {
	proven := past.proves(f.fd, c.size)
	switch {
	case proven < 0:
		return own, 0
	case proven == past.trail.end():
		return repeats, proven
	case proven == 0 || c.size > past.trail.end():
		return undecided, 0
	}
	least, known := past.trail.reach(f.id.born)
	complete := known && f.id.born < w.date(past.at) || w.now()-c.moved >= w.stall
	if complete && proven >= least {
		return repeats, c.size
	}
	return undecided, 0
}

// comparePresent judges f by what the original, which was read to its end,
// holds now. While that is so the copy may be in the making.
func (w *Watcher) comparePresent(f *file, c *copyCheck, o *file) (verdict, int64) {
	proven := o.proves(f.fd, c.size)
	switch {
	case proven < 0:
		return own, 0
	case c.size > o.pos: // it goes on by itself
		if o.pos >= headSize && c.named {
			return repeats, o.pos
		}
		return own, 0
	case c.size < o.pos && o.fd >= 0:
		if !agree(f.fd, o.fd, 0, min(c.size, headSize)) || !agree(f.fd, o.fd, max(0, c.size-markerSize), c.size) {
			if w.intact(o) {
				return own, 0
			}
			w.queue(f) // and see the truncation first
			return undecided, 0
		}
	case c.size < o.pos && proven == 0 && c.agreed != c.size:
		return undecided, 0 // the original is gone, and nothing tells
	}
	if o.fd >= 0 {
		c.agreed, c.began = c.size, o.rotations
	}
	least, known := o.trail.reach(f.id.born)
	if f.id.born == 0 {
		least, known = c.found, true
	}
	sure := c.size >= headSize || c.numbered || known && c.named
	if w.now()-c.moved >= w.stall && c.size >= least && sure {
		return repeats, c.size
	}
	return undecided, 0
}

// intact reports whether f still holds what was read of it.
func (w *Watcher) intact(f *file) bool {
	marker := make([]byte, len(f.marker))
	n, err := readAt(f.fd, marker, f.pos-int64(len(marker)))
	return err == nil && n == len(marker) && bytes.Equal(marker, f.marker)
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
	return err == nil && now.size >= old.pos && old.proves(f.fd, now.size) == old.pos
}
