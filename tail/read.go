package tail

import (
	"bytes"
	"errors"
	"io/fs"
	"syscall"
	"time"
)

// readSize is how many bytes one file may be read in one turn. A quarter of a
// mebibyte is past the point where a read call's own cost shows, and takes one
// to two milliseconds to parse: so long another file waits at most.
const readSize = 256 << 10

// look reads what is new in f, one turn's worth at most. It reports whether
// there is nothing more to be read now.
//
// One call of pread brings the bytes before the position and those behind it:
// when the former are not what they were, the file was rewritten, however
// large it is by now.
func (w *Watcher) look(f *file) (end bool) {
	if f.phase == closed || f.refused || f.truncated {
		return true
	}
	if f.after != nil && !w.finished(f) {
		return false
	}
	if f.fd < 0 && !w.reopen(f) {
		return true
	}
	w.open.touch(f)
	if f.copied != nil && !w.decideCopy(f) {
		return true
	}
	keep := len(f.marker)
	n, err := f.read(w.buf, f.pos-int64(keep))
	if err != nil {
		w.unreadable(f, err)
		return true
	}
	if n < keep || !bytes.Equal(w.buf[:keep], f.marker) {
		return w.rewritten(f, n < keep)
	}
	data := w.buf[keep:n]
	end = n < len(w.buf)
	if f.pos == 0 && int64(n) < f.lag && (end || f.shorterThan(f.lag)) {
		return w.rewritten(f, true) // nothing of it was read, so nothing in it tells
	}
	f.shrunk = false
	f.atEnd = end
	f.looked = nowNanos()
	if len(data) > 0 {
		w.consume(f, data, w.buf[:n])
	}
	w.measureLag(f)
	return end || f.refused
}

// finished reports whether the file that f replaced has been read to its end,
// so that the order of lines holds across a rotation. Until then that file is
// read instead.
func (w *Watcher) finished(f *file) bool {
	before := f.after
	if before.phase == closed || before.atEnd || w.look(before) {
		f.after = nil
		if before.complete && before.phase == rotated {
			w.finish(before)
		}
		return true
	}
	return false
}

// consume takes new bytes of f, but for the beginning of a character at their
// end. read ends with data and begins with the old marker.
func (w *Watcher) consume(f *file, data, read []byte) {
	if f.pos == 0 {
		if kind := notText(data); kind != "" {
			w.refuse(f, kind)
			return
		}
		known := false
		if f.encoding, known = encodingOf(data, f.encoding); !known {
			return
		}
	}
	whole := f.encoding.whole(data)
	if whole == 0 {
		return
	}
	read = read[:len(read)-len(data)+whole]
	data = data[:whole]
	w.stats.read.Add(uint64(len(data)))
	f.head.extend(data, f.pos)
	f.grown = w.now()
	w.begin(f)
	text := data
	if f.encoding != plain {
		w.decoded = f.encoding.decode(w.decoded[:0], data)
		text = w.decoded
	}
	w.span = span{end: f.ended, base: f.pos + int64(len(data))}
	f.split.Feed(text, int(w.options.MaxLineBytes), w.emit)
	f.pos += int64(len(data))
	f.mark(read, len(data), w.micros*int64(time.Microsecond))
	if !f.split.Pending() && !f.atEnd && allZero(data) {
		w.skipHole(f)
	}
	f.settle(data)
	w.told()
	w.watchClock(f)
}

// skipHole jumps to the next byte that was written, so that a hole of any size
// costs nothing. The bytes jumped over read as zeros.
func (w *Watcher) skipHole(f *file) {
	next, err := nextData(f.fd, f.pos)
	if err != nil || next <= f.pos {
		return
	}
	f.pos = next
	f.mark(make([]byte, markerSize), 0, nowNanos())
}

func allZero(b []byte) bool {
	return b[0] == 0 && bytes.Equal(b[:len(b)-1], b[1:])
}

// flush sends what is held of f: the fragment of a line as an entry of its own,
// and what waits for more. One from before the
// start that never grew is not part of the stream.
func (w *Watcher) flush(f *file) {
	if f.stale() || !f.split.Pending() && f.group.lines == 0 && !f.piecesHeld() {
		return
	}
	w.begin(f)
	w.span = span{end: f.ended, base: f.pos}
	f.split.Flush(int(w.options.MaxLineBytes), w.emit)
	w.span.end = f.pos
	w.endPieces(f, w.now())
	w.endGroup(f)
	f.ended, f.whole = f.pos, f.pos
	w.told()
}

// drain reads f to its end, a bounded number of turns and no further than
// readers allow. It reports whether the end was reached.
func (w *Watcher) drain(f *file) bool {
	for range 16 {
		if w.heldBack(f) {
			return false
		}
		if w.look(f) {
			return true
		}
	}
	return false
}

// measureLag keeps the sum of unread bytes. The size is asked for only when
// there is more to read.
func (w *Watcher) measureLag(f *file) {
	if f.atEnd {
		w.setLag(f, 0)
		return
	}
	if st, err := statFile(f.fd); err == nil {
		w.setLag(f, max(0, st.size-f.pos))
	}
}

// grew notes how long f is before it is read: so much may be lost by a
// truncation.
func (w *Watcher) grew(f *file, size int64) {
	if lag := size - f.pos; lag > f.lag && !f.refused {
		w.setLag(f, lag)
	}
}

func (w *Watcher) setLag(f *file, lag int64) {
	if lag == f.lag {
		return
	}
	switch {
	case f.lag == 0:
		w.behind++
	case lag == 0:
		w.behind--
	}
	w.stats.lag.Add(lag - f.lag)
	f.lag = lag
}

// refuse stops reading a file that is not text. Its names stay known, so that
// it is said once.
func (w *Watcher) refuse(f *file, kind string) {
	f.refused = true
	if st, err := statFile(f.fd); err == nil {
		f.refusedSize = st.size
	}
	if f.trail == nil {
		f.place(0) // another file may take its place
	}
	w.setLag(f, 0)
	w.log.Warn("file is not followed: not plain text", "path", f.path, "content", kind)
	w.release(f)
}

// reconsiderIfShorter does so when a refused file, if f is one, is shorter than it
// was.
func (w *Watcher) reconsiderIfShorter(f *file, path string, size int64) {
	if !f.refused {
		return
	}
	if size < f.refusedSize {
		w.reconsider(f, path)
	} else {
		f.refusedSize = size
	}
}

// reconsider looks at a refused file, which may have been written anew, again.
func (w *Watcher) reconsider(f *file, path string) {
	fd, err := w.openWithin(path)
	if err != nil {
		return // the next look tries again
	}
	defer closeFile(fd)
	st, err := statFile(fd)
	if err != nil || st.id != f.id {
		return
	}
	head := make([]byte, headSize)
	n, err := readAt(fd, head, 0)
	if err != nil {
		return
	}
	f.refusedSize = st.size
	if notText(head[:n]) != "" {
		return
	}
	f.refused = false
	f.head, f.encoding = fingerprint{}, 0
	f.place(0)
	w.log.Info("file was written anew and is looked at again", "path", path)
}

// unreadable reports a failed read once per kind of error. A stale handle is
// opened again by name.
func (w *Watcher) unreadable(f *file, err error) {
	w.stats.failedReads.Add(1)
	if !errors.Is(err, f.problem) || f.problem == nil {
		f.problem = err
		w.log.Warn("read failed, will be tried again", "path", f.path, "error", err)
	}
	if errors.Is(err, syscall.ESTALE) && f.phase == following {
		w.release(f)
	}
}

// reopen opens a file again whose descriptor was given up. The path may lead
// elsewhere by now; then it is reconciled and this file is not read.
func (w *Watcher) reopen(f *file) bool {
	if len(f.names) == 0 {
		return false
	}
	n := f.names[0]
	fd, err := w.openWithin(f.path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			w.reconcile(n)
		} else {
			w.report(n, err, &w.stats.failedOpens)
		}
		return false
	}
	st, err := statFile(fd)
	if err != nil || st.id != f.id {
		closeFile(fd)
		w.reconcile(n)
		return false
	}
	f.fd = fd
	w.open.add(f)
	return true
}

// openWithin opens a path, making room among the open files first.
func (w *Watcher) openWithin(path string) (int, error) {
	for w.open.count >= w.budget && w.park() {
	}
	fd, err := openFile(path)
	if (errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)) && w.park() {
		fd, err = openFile(path)
	}
	return fd, err
}

// park closes the descriptor of the file that was idle longest and can be
// opened again by name; one with unread bytes only when none of the oldest few
// is without.
func (w *Watcher) park() bool {
	var second *file
	few := 64
	for f := w.open.oldest; f != nil && (few > 0 || second == nil); f = f.newer {
		few--
		if f.phase != following || f.copied != nil {
			continue
		}
		if f.atEnd && !f.queued {
			w.release(f)
			return true
		}
		if second == nil {
			second = f
		}
	}
	if second == nil {
		return false
	}
	w.release(second)
	return true
}

// release closes the descriptor. Position, marker and fragment stay.
func (w *Watcher) release(f *file) {
	if f.fd >= 0 {
		w.open.remove(f)
		closeFile(f.fd)
		f.fd = -1
	}
}
