package tail

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// reconcile compares what a name leads to with what it led to, and is the one
// place where files begin and end. Events, listings and timers only decide
// which names are compared.
func (w *Watcher) reconcile(n *name) {
	at := w.now() // before the look: what is born behind that came later
	st, err := statPath(n.path)
	switch {
	case err == nil:
		w.arrive(n, st, at)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP):
		w.vanish(n)
	default:
		w.report(n, err, &w.stats.failedStats) // no permission, no answer: not the same as gone
	}
}

// vanish notes that the path leads nowhere.
func (w *Watcher) vanish(n *name) {
	old := n.file
	w.detach(n, nil)
	w.remember(n, old)
	w.relink(n)
	if n.real == "" { // else a link that waits for its target
		w.forget(n)
	}
}

// remember keeps the file that a path led to until it leads to another one, so
// that what came in between is found, and read in order.
func (w *Watcher) remember(n *name, old *file) {
	if old != nil && old.phase == rotated {
		w.left[n.path] = w.between(n, old, nil)
	}
}

// arrive notes that the path leads to what st says, which was looked at behind at.
func (w *Watcher) arrive(n *name, st status, at time.Duration) {
	w.relink(n)
	if !st.regular {
		w.detach(n, nil)
		if !st.dir {
			w.report(n, errNotRegular, nil)
		}
		return
	}
	if f := n.file; f != nil && f.id == st.id {
		w.reconsiderIfShorter(f, n.path, st.size)
		f.seen = at
		f.mtime = st.mtime
		w.grew(f, st.size)
		w.queue(f)
		return
	}
	old := n.file
	if f := w.files[st.id]; f != nil {
		if f.refused && len(f.names) == 0 {
			w.reconsider(f, n.path) // the file system may have given its number to another
		}
		w.detach(n, f)
		w.attach(n, f, at)
		return
	}
	f := w.begins(n, st)
	w.detach(n, f)
	if f == nil {
		w.remember(n, old)
		return
	}
	w.attach(n, f, at)
	if old == nil {
		old = w.left[n.path]
	}
	delete(w.left, n.path)
	if old != nil && !w.starting {
		w.succeed(n, old, f)
	}
}

// succeed settles where f begins, and behind what, when it has taken old's
// place at n.
func (w *Watcher) succeed(n *name, old, f *file) {
	if w.savedAgain(f, old) {
		f.readHead()
		f.place(old.whole) // what waits for more there comes with it here
		f.startSize = old.startSize
		old.split.Reset(false)
		old.group, old.pieces = group{}, [2]piece{}
		f.copied = nil
		f.rotations = old.rotations + 1
		if st, err := statFile(old.fd); err == nil && !f.shorterThan(st.size) {
			old.atEnd = true // what is unread of it is read here
			w.setLag(old, 0)
			w.finish(old)
		}
		return
	}
	f.former = slices.Clone(old.former)
	w.recall(f, old.memory)
	last := w.between(n, old, f)
	f.rotations = last.rotations + 1
	if last.phase != closed && last.atEnd && last.fd >= 0 {
		last.atEnd = w.drain(last) // writers go on for a while in what was renamed
	}
	if last.phase != closed && !last.atEnd && !leadsTo(last, f) {
		f.after = last
	}
}

// begins opens a file that was not known. It returns nil when it cannot be
// followed now.
func (w *Watcher) begins(n *name, st status) *file {
	if len(w.files)-len(w.gone) >= w.options.MaxFiles {
		w.skip(n, true)
		if !w.skipping {
			w.skipping = true
			w.log.Warn("too many files, the rest is not followed until there is room: raise max_files",
				"max_files", w.options.MaxFiles, "path", n.path)
		}
		return nil
	}
	fd, err := w.openWithin(n.path)
	if err != nil {
		if w.starting && n.present == nil {
			n.present = &st
		}
		w.report(n, err, &w.stats.failedOpens)
		return nil
	}
	now, err := statFile(fd)
	if err != nil || now.id != st.id {
		closeFile(fd) // replaced in between: whoever replaced it made an event
		w.recheck = true
		return nil
	}
	f := &file{id: st.id, fd: fd, mtime: now.mtime, grown: w.now()}
	w.files[f.id] = f
	w.open.add(f)
	w.rename(f, n.path) // it may be read before it is attached, see goOnInCopy
	w.position(f, n, now)
	w.stats.files.Add(1)
	return f
}

// skip notes whether n is beyond the limit of files.
func (w *Watcher) skip(n *name, beyond bool) {
	switch {
	case beyond && !n.skipped:
		w.stats.skipped.Add(1)
	case !beyond && n.skipped:
		if w.stats.skipped.Add(-1) == 0 {
			w.skipping = false
		}
	}
	n.skipped = beyond
}

// position decides where a new file is read from.
func (w *Watcher) position(f *file, n *name, now status) {
	if w.resume(f, n, now) {
		return
	}
	present := w.starting || w.asked(n.path) && w.keep.to == nil
	size := now.size
	if p := n.present; p != nil {
		present = present || p.id == f.id
		size = min(size, p.size)
		n.present = nil
	}
	if present && w.options.ReadFrom != "beginning" {
		if kind := notText(f.readHead()); kind != "" {
			w.refuse(f, kind)
			return
		}
		f.placeAtEnd(size, w.options.MaxLineBytes)
		f.startSize = size
		f.atEnd = size == now.size && f.pos == size
		w.setLag(f, now.size-f.pos)
		return
	}
	f.place(0)
	w.setLag(f, now.size)
	if present {
		return
	}
	w.mayRepeat(f, n.path)
}

// attach makes n a name of f, to which it was found leading behind at.
func (w *Watcher) attach(n *name, f *file, at time.Duration) {
	n.file = f
	n.problem = nil
	w.skip(n, false)
	f.seen = at
	f.names = append(f.names, n)
	f.dismissed, f.until = false, 0
	read := f.phase != following || !f.atEnd
	if f.phase != following {
		if f.phase == closed {
			w.gone = slices.DeleteFunc(w.gone, func(g *file) bool { return g == f })
		}
		f.phase = following
		w.stats.files.Add(1)
	}
	if len(f.names) == 1 {
		w.rename(f, n.path)
	}
	if read {
		w.queue(f)
	}
}

// detach takes n away from the file it led to; next is what it leads to now.
// A file without a name is read to its end, first of all what was written
// while it had one.
func (w *Watcher) detach(n *name, next *file) {
	f := n.file
	if f == nil || f == next {
		return
	}
	n.file = nil
	first := f.names[0] == n
	f.names = slices.DeleteFunc(f.names, func(o *name) bool { return o == n })
	if !first {
		return
	}
	if f.fd < 0 && !f.refused && len(f.names) == 0 {
		w.findMoved(f)
	}
	w.countRotation(f)
	f.atEnd = w.drain(f) && f.copied == nil // under the name it was written under
	if len(f.names) > 0 {
		w.rename(f, f.names[0].path)
		return
	}
	f.phase = rotated
	f.left = w.now()
	w.stats.files.Add(-1)
	w.queue(f)
	w.watchClock(f)
}

// rename makes path the one that f is read under. What waits for more lines is
// sent by the rules it was begun by, before others hold.
func (w *Watcher) rename(f *file, path string) {
	f.path = path
	of := w.rootOf(path)
	if f.rules != of.rules {
		w.endHeld(f)
		if f.rules != nil && f.rules.unwraps() != of.rules.unwraps() {
			f.wrapping = unseen
		}
		f.rules = of.rules
	}
	if f.wrapping > bare {
		f.members = containerMembers(f.rules.tags, path, f.attrs)
	}
	if name := w.sourceName(of, path); name != f.source {
		f.source, f.sourceID = name, w.ring.Source(name)
	}
}

// rootOf returns the first target that names path, or did before the last
// change. A file that has lost its name is read under the path it had.
func (w *Watcher) rootOf(path string) *root {
	for _, roots := range [...][]root{w.roots, w.lapsed} {
		for i := range roots {
			if roots[i].matches(path) {
				return &roots[i]
			}
		}
	}
	if len(w.roots) == 0 {
		return &w.lapsed[0]
	}
	return &w.roots[0]
}

// sourceName is what the entries of a file at path say of where they are from.
func (w *Watcher) sourceName(of *root, path string) string {
	switch w.options.SourceName {
	case "path":
		return path
	case "relative":
		if rest, below := strings.CutPrefix(path, slashed(of.path)); below {
			return rest
		}
	}
	return filepath.Base(path)
}

// findMoved looks for a file whose descriptor was given up among those whose
// names extend its old one, and opens it if it is there.
func (w *Watcher) findMoved(f *file) {
	dir, base := filepath.Split(f.path)
	entries, err := readNames(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e == base || !strings.HasPrefix(e, base) && !generationOf(e, base) {
			continue
		}
		st, err := statPath(dir + e)
		if err != nil || st.id != f.id {
			continue
		}
		fd, err := w.openWithin(dir + e)
		if err != nil {
			return
		}
		f.fd = fd
		w.open.add(f)
		return
	}
}

// finish ends a file that no name leads to. What it was is remembered in case
// it gets a name again.
func (w *Watcher) finish(f *file) {
	if f.dismissed && f.fd >= 0 {
		w.leaveLine(f)
	} else {
		w.flush(f)
	}
	if f.fd >= 0 && !f.atEnd && !f.dismissed {
		w.stats.lost.Add(uint64(f.lag))
		w.log.Warn("file was deleted and is still written to: given up", "path", f.path, "unread_bytes", f.lag)
	}
	gone := f.fd >= 0 && f.deleted()
	if w.left[f.path] == f {
		delete(w.left, f.path)
	}
	w.release(f)
	w.setLag(f, 0)
	f.split.Reset(false)
	f.phase = closed
	f.copied, f.after, f.former = nil, nil, nil
	if gone {
		delete(w.files, f.id)
		return
	}
	w.gone = append(w.gone, f)
	if len(w.gone) > maxGone {
		delete(w.files, w.gone[0].id)
		w.gone = w.gone[1:]
	}
}

// maxGone is how many closed files are remembered.
const maxGone = 1024

var errNotRegular = errors.New("not a regular file")

// report says once per path and kind of error that it cannot be followed, and
// counts it each time; in may be nil.
func (w *Watcher) report(n *name, err error, in *atomic.Uint64) {
	if in != nil {
		in.Add(1)
	}
	if n.problem != nil && errors.Is(err, n.problem) {
		return
	}
	n.problem = err
	hint := "it is looked at again"
	if errors.Is(err, fs.ErrPermission) {
		hint = "give the daemon's user read permission; it is looked at again"
	}
	w.log.Warn("file cannot be followed", "path", n.path, "error", err, "hint", hint)
}
