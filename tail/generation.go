package tail

import (
	"cmp"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// generationGap is how long after the last sign of the old file a new one is
// born in an ordinary rotation; it must not be shorter than the tick of the file
// system's clock. After a longer gap all is searched that was born since the old
// file was last found under the name, after a shorter one what was born in it.
const generationGap = 10 * time.Millisecond

// searchPart is the part of the time that searches after ordinary rotations may
// take: thousands of logs in one large directory may be rotated at once.
const searchPart = 20

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
	if err != nil {
		return old
	}
	from := w.date(old.seen) - int64(2*generationGap)
	if old.id.born <= now+int64(setApart) { // else by a clock that was set back behind it
		from = max(from, old.id.born)
	}
	setBack := st.ctime > now+int64(setApart)
	if ordinary := upTo-st.ctime < int64(generationGap) && !setBack && !shifted(old.fd, st, from, upTo); ordinary {
		from = max(from, st.ctime-int64(generationGap))
		began := w.now()
		if from >= upTo || began < w.searchAgain {
			return old
		}
		defer func() { w.searchAgain = w.now() + searchPart*(w.now()-began) }()
	}
	if upTo < from && old.seen < w.clock.set {
		upTo = math.MaxInt64 // by another clock
	}
	last := old
	for _, g := range w.born(standsAt(n.path), from, upTo) {
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

// shifted reports whether the old file was renamed more than once: its name has a
// number, and the file with the one below it was born between two dates. The last
// change of its status is then that of the last rotation, and tells nothing of when
// it left its first name. Of a file that is gone it is not known, unless it went
// later, as one does that is compressed.
func shifted(fd int, st status, from, upTo int64) bool {
	path, there := pathOf(fd)
	if !there {
		return st.ctime <= upTo
	}
	dir, name := filepath.Split(path)
	end := len(strings.TrimRight(name, ".abcdefghijklmnopqrstuvwxyz")) // what may be behind it, as .log
	begin := len(strings.TrimRight(name[:end], "0123456789"))
	number, err := strconv.Atoi(name[begin:end])
	if err != nil || number == 0 {
		return false
	}
	below, err := statPath(dir + name[:begin] + strconv.Itoa(number-1) + name[end:])
	return err == nil && below.regular && below.id.born > from && below.id.born <= upTo
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
	path  string
	id    identity
	ctime int64
}

// born lists the files beside path whose names extend its own and that were
// born after from and not after upTo, oldest first.
func (w *Watcher) born(path string, from, upTo int64) []generation {
	dir, base := filepath.Split(path)
	entries, err := readNames(dir)
	if err != nil {
		return nil
	}
	var all []generation
	for _, e := range entries {
		// access-api.log, made beside access.log by the same rotation, is another log.
		extends := strings.HasPrefix(e, base) || generationOf(e, base)
		if e == base || !extends || w.matched(dir+e) {
			continue
		}
		st, err := statPath(dir + e)
		if err == nil && st.regular && st.id.born > from && st.id.born <= upTo && w.files[st.id] == nil {
			all = append(all, generation{dir + e, st.id, st.ctime})
		}
	}
	slices.SortFunc(all, func(a, b generation) int {
		return cmp.Or(cmp.Compare(a.id.born, b.id.born), cmp.Compare(a.ctime, b.ctime)) // within a tick they were renamed in order
	})
	return all
}
