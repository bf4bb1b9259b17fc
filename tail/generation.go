package tail

import (
	"cmp"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// generationGap is how long after the last sign of the old file a new one is
// born in an ordinary rotation. Only a longer gap is worth a search; it must
// not be shorter than the tick of the file system's clock.
const generationGap = 10 * time.Millisecond

// between finds the generations of the log at n that came and went between two
// looks: created under the name after old left it, and renamed away before
// anybody looked. They are read before next, which may be nil. It returns the
// last file to be read before next.
//
// A file counts as such a generation when its name extends n's, no target
// names it, and it was born after n was last found leading to old and before
// next: what else lies beside the log under a longer name is older than that, or a
// copy. Of what was made shortly before the log was found, twice generationGap, and
// is no copy that can be told, it is not known: it is read, lest it be lost.
func (w *Watcher) between(n *name, old, next *file) *file {
	now := w.date(w.now())
	upTo := now
	if next != nil {
		upTo = next.id.born
	}
	if old.fd < 0 || old.id.born == 0 || upTo == 0 {
		return old
	}
	st, err := statFile(old.fd)
	setBack := st.ctime > now+int64(setApart)
	if err != nil || upTo-st.ctime < int64(generationGap) && !setBack {
		return old
	}
	from := w.date(old.seen) - int64(2*generationGap)
	if old.id.born <= now+int64(setApart) { // else by a clock that was set back behind it
		from = max(from, old.id.born)
	}
	if upTo < from && old.seen < w.clock.set {
		upTo = math.MaxInt64 // by another clock
	}
	last := old
	for _, g := range w.born(n.path, from, upTo) {
		fd, err := w.openWithin(g.path)
		if err != nil {
			continue
		}
		st, err := statFile(fd)
		if err != nil || st.id != g.id || w.files[g.id] != nil || isBeginning(old, fd, st) || w.wasHeld(old, fd, st) ||
			next != nil && st.id.born >= next.id.born && isBeginning(next, fd, st) {
			closeFile(fd)
			continue
		}
		last = w.readGeneration(n, fd, g, last)
	}
	return last
}

// isBeginning reports whether an open file holds the beginning of f and nothing else,
// and all that f held when it was made.
func isBeginning(f *file, fd int, st status) bool {
	least, _ := f.trail.reach(st.id.born)
	return st.size > 0 && st.size >= least && beginsLike(f, fd, st.size)
}

// wasHeld reports whether an open file is a copy of what f held before a
// truncation: one that was made before that, and of all that was read by then.
func (w *Watcher) wasHeld(f *file, fd int, st status) bool {
	for _, past := range w.formers(f) {
		least, _ := past.trail.reach(st.id.born)
		if st.size >= least && st.size <= past.trail.end() && st.id.born <= w.date(past.at) && past.proves(fd, st.size) > 0 {
			return true
		}
	}
	return false
}

// readGeneration follows a file that has no name any more, behind another.
func (w *Watcher) readGeneration(n *name, fd int, g generation, behind *file) *file {
	f := w.nameless(n.path, fd, g.id)
	f.rotations = behind.rotations + 1
	if behind.phase != closed && !behind.atEnd {
		f.after = behind
	}
	w.stats.renames.Add(1)
	w.drain(f)
	w.queue(f)
	return f
}

// nameless makes an open file known that was written under path once, to be
// read from its beginning to its end.
func (w *Watcher) nameless(path string, fd int, id identity) *file {
	f := &file{id: id, fd: fd, phase: rotated, left: w.now(), grown: w.now(), seen: w.now()}
	w.files[f.id] = f
	w.open.add(f)
	w.rename(f, path)
	f.place(0)
	w.watchClock(f)
	return f
}

type generation struct {
	path string
	id   identity
}

// born lists the files beside path whose names extend its own and that were
// born after from and not after upTo, oldest first.
func (w *Watcher) born(path string, from, upTo int64) []generation {
	dir, base := filepath.Split(path)
	entries, err := readNames(dir)
	if err != nil {
		return nil
	}
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	var all []generation
	for _, e := range entries {
		extends := strings.HasPrefix(e, base) || strings.HasPrefix(e, stem) && strings.HasSuffix(e, ext)
		if e == base || !extends || w.matched(dir+e) {
			continue
		}
		st, err := statPath(dir + e)
		if err == nil && st.regular && st.id.born > from && st.id.born <= upTo && w.files[st.id] == nil {
			all = append(all, generation{dir + e, st.id})
		}
	}
	slices.SortFunc(all, func(a, b generation) int { return cmp.Compare(a.id.born, b.id.born) })
	return all
}
