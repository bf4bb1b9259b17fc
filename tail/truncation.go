package tail

import (
	"slices"
	"time"
)

// former is what a file was before it was truncated, or another one in its
// place before it: a copy of that may turn up later.
type former struct {
	memory
	at time.Duration
}

const (
	// formerLife is how long what a file was before a truncation is remembered
	// for a copy that is found late, and formerMost how many of these.
	formerLife = time.Minute
	formerMost = 4
)

// recall remembers what f, or another file in its place, was until now.
func (w *Watcher) recall(f *file, m memory) {
	if len(m.trail) == 0 || m.trail.end() == 0 {
		return
	}
	m.trail = slices.Clone(m.trail)
	f.former = append(f.former, former{m, w.now()})
	f.former = f.former[max(0, len(f.former)-formerMost):]
}

// formers returns what f was before its last truncations.
func (w *Watcher) formers(f *file) []former {
	f.former = slices.DeleteFunc(f.former, func(p former) bool { return w.now()-p.at > formerLife })
	return f.former
}

// rewritten begins anew with a file whose content before the position is not
// what it was. What had not been sent of the old content is read in the copy
// that a rotation has made of it; without one, what was read is sent, and what
// was not is lost.
func (w *Watcher) rewritten(f *file, short bool) (end bool) {
	if short && w.remote(f) && !f.shrunk {
		// The size a network file system tells may lag behind: believe it
		// only when the next look, at the interval, sees the same.
		f.shrunk = true
		w.watchClock(f)
		return true
	}
	w.stats.truncations.Add(1)
	lost := f.lag
	g, size := w.goOnInCopy(f)
	if g != nil {
		lost = max(0, f.pos+f.lag-size)
		if f.after != g {
			lost = 0 // what was seen last is of a copy made since, which is read
		}
	}
	if g != nil && size > f.pos {
		f.split.Reset(true)
		f.group, f.pieces = group{}, [2]piece{}
	} else {
		w.flush(f)
	}
	if lost > 0 {
		w.stats.lost.Add(uint64(lost))
		w.log.Warn("file was truncated before it was read to its end: rotate by renaming, or leave the copy beside it",
			"path", f.path, "position", f.pos, "lost_bytes", lost)
	}
	w.recall(f, f.memory)
	f.head = fingerprint{}
	f.startSize, f.shrunk = 0, false
	f.rotations++
	f.place(0)
	if g == nil {
		w.mayBeCopiedAnew(f)
	}
	w.setLag(f, 0)
	f.atEnd = false
	return false
}

// mayBeCopiedAnew asks whether f, which begins anew, is a copy that is made over the
// one before. The file that it would be a copy of may wait for what that held.
func (w *Watcher) mayBeCopiedAnew(f *file) {
	w.mayRepeat(f, f.path)
	if f.copied == nil {
		return
	}
	if !f.copied.numbered {
		f.copied = nil // app-worker.log is another log
		return
	}
	for b := f.copied.of; b != nil; b = b.after {
		if b.after == f {
			b.after = nil // it is gone
		}
	}
	if leadsTo(f.copied.of, f) {
		f.copied = nil
	}
}

// leadsTo reports whether from is to, or waits for it, or for one that does: to be
// read first, or to be known whether it is a copy. No file may wait for itself.
func leadsTo(from, to *file) bool {
	seen := map[*file]bool{nil: true}
	for next := []*file{from}; len(next) > 0; {
		f := next[len(next)-1]
		next = next[:len(next)-1]
		switch {
		case seen[f]:
			continue
		case f == to:
			return true
		}
		seen[f] = true
		if next = append(next, f.after); f.copied != nil {
			next = append(next, f.copied.of)
		}
	}
	return false
}

// goOnInCopy looks for the copy that a rotation has made of f, whose content is
// gone. If there is one that holds all that was read of f, and more, it is read
// on from what was sent, before anything else of f. It returns the copy and its size.
func (w *Watcher) goOnInCopy(f *file) (_ *file, size int64) {
	f.truncated = true
	g := w.copyOf(f)
	f.truncated = false
	if g == nil {
		return nil, 0
	}
	st, err := statFile(g.fd)
	if err != nil {
		return nil, 0
	}
	g.copied = nil
	g.readHead()
	g.place(f.whole)
	if st.size == f.pos {
		g.place(f.pos)
	}
	g.startSize, g.rotations = f.startSize, f.rotations
	g.complete = g.phase == rotated
	g.atEnd = false
	if leadsTo(g.after, f) {
		g.after = nil
	}
	w.setLag(g, st.size-g.pos)
	w.queue(g)
	f.after = w.readCopiesSince(f, g)
	return g, st.size
}

// readCopiesSince has the copies read, behind g, that were made of f after g was:
// a file that is held back may be rotated more than once before it is looked at.
// It returns the last of them, g if there is none. Only birth tells their order.
func (w *Watcher) readCopiesSince(f, g *file) (last *file) {
	if g.id.born == 0 {
		return g
	}
	from := max(g.id.born, f.trail[len(f.trail)-1].at) // what is older was there to be seen
	last = g
	next := opened{fd: -1} // read unless it is no more than the beginning of the one behind it
	read := func() {
		if next.fd < 0 {
			return
		}
		c := w.nameless(f.path, next.fd, next.id)
		c.complete, c.after = true, last
		w.setLag(c, next.size)
		w.queue(c)
		w.stats.truncations.Add(1)
		last = c
	}
	for _, b := range generationsBeside(f.path) {
		if b.st.id.born <= from || w.files[b.st.id] != nil || w.matched(b.path) {
			continue
		}
		o, ok := w.openText(b)
		switch {
		case !ok:
		case f.memory.proves(o.fd, o.size) > 0 || beginsLike(f, o.fd, o.size) || beginsLike(g, o.fd, o.size) || // of what it held, holds, or did then
			next.fd >= 0 && o.begins(next):
			closeFile(o.fd)
		default:
			if next.fd >= 0 && next.begins(o) {
				closeFile(next.fd)
			} else {
				read()
			}
			next = o
		}
	}
	read()
	return last
}

// copyOf returns the copy, open, nil if there is none: among the files that may
// be one, and then beside f under the name of a generation.
func (w *Watcher) copyOf(f *file) *file {
	var oldest *file
	for _, g := range w.files {
		if g.copied == nil || g.copied.of != f || g.fd < 0 || oldest != nil && oldest.id.born <= g.id.born {
			continue
		}
		if st, err := statFile(g.fd); err == nil && f.heldBy(g.fd, st) {
			oldest = g
		}
	}
	if oldest != nil {
		return oldest
	}
	b, ok := w.copyBeside(f, f.trail[0].at)
	if !ok { // the clock of files may be a tick behind
		b, ok = w.copyBeside(f, f.trail[0].at-int64(generationGap))
	}
	if ok {
		return w.openCopy(f, b.path, b.st)
	}
	return nil
}

// copyBeside returns the oldest of the generations beside f, made or written to since
// a date, that hold what was read of it, or a later one that holds all that the former does: a copy may have been
// made for another purpose before that of the rotation. Copies of what was there
// before f began were made and last written to before that, and may begin as f does:
// all logs of a program have one head. Where the clock was set, dates say nothing.
func (w *Watcher) copyBeside(f *file, since int64) (best beside, ok bool) {
	held := opened{fd: -1}
	for _, b := range generationsBeside(f.path) {
		older := b.st.id.born != 0 && max(b.st.id.born, b.st.mtime) < since && w.clock.set == 0
		if b.st.size < f.pos || b.st.id == f.id || older {
			continue
		}
		if k := w.files[b.st.id]; k != nil && (k.phase != closed || w.matched(b.path)) && (k.copied == nil || k.copied.of != f) {
			continue // a file of its own
		}
		o, text := w.openText(b)
		switch {
		case !text:
		case f.heldBy(o.fd, o.status) && (held.fd < 0 || held.begins(o)):
			if held.fd >= 0 {
				closeFile(held.fd)
			}
			best, held, ok = b, o, true
		default:
			closeFile(o.fd)
		}
	}
	if ok {
		closeFile(held.fd)
	}
	return best, ok
}

// openCopy returns the file at path, with a descriptor, if it holds what was
// read of f and is not known as anything but a copy that may be in the making.
func (w *Watcher) openCopy(f *file, path string, st status) *file {
	if w.files[st.id] == nil && w.matched(path) {
		n := w.names[path]
		if n == nil {
			n = w.learn(path)
		}
		w.reconcile(n)
	}
	g := w.files[st.id]
	if g != nil && (g.phase != closed || w.matched(path)) {
		if g.copied != nil && g.copied.of == f && g.fd >= 0 && f.heldBy(g.fd, st) {
			return g
		}
		return nil
	}
	fd, err := w.openWithin(path)
	if err != nil {
		return nil
	}
	if now, err := statFile(fd); err != nil || now.id != st.id || !f.heldBy(fd, st) {
		closeFile(fd)
		return nil
	}
	if g != nil { // a copy that was read, and is made over now
		w.gone = slices.DeleteFunc(w.gone, func(o *file) bool { return o == g })
	}
	return w.nameless(f.path, fd, st.id)
}

// heldBy reports whether an open file is a copy of all that was read of f. If
// that is nothing, it is one when it was made since f began and holds all that
// was seen.
func (f *file) heldBy(fd int, st status) bool {
	if f.pos > 0 {
		return f.proves(fd, st.size) == f.pos
	}
	return st.id.born > f.trail[0].at && st.size >= f.lag
}
