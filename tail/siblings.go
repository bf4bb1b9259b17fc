package tail

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// unnoticed is how long before positions were taken a rotation may have
// happened that they do not show, because its event had not come yet. At the
// end of a run names are looked at without being told.
const unnoticed = time.Second

// beside is one file of a directory.
type beside struct {
	path string
	st   status
}

// siblings lists the regular files of the directory that path is in, by name.
// A directory is looked at once while the watcher is made.
func (w *Watcher) siblings(path string) []beside {
	dir := filepath.Dir(path)
	if all, ok := w.saved.listed[dir]; ok {
		return all
	}
	var all []beside
	names, _ := readNames(dir)
	slices.Sort(names)
	for _, name := range names {
		if st, err := statPath(slashed(dir) + name); err == nil && st.regular {
			all = append(all, beside{slashed(dir) + name, st})
		}
	}
	w.saved.listed[dir] = all
	return all
}

// generationsBeside lists the regular files that have the names of generations of the
// log at path, the oldest first.
func generationsBeside(path string) []beside {
	at := standsAt(path)
	dir := slashed(filepath.Dir(at))
	var all []beside
	names, _ := readNames(dir)
	for _, name := range names {
		if generationOf(dir+name, at) {
			if st, err := statPath(dir + name); err == nil && st.regular {
				all = append(all, beside{dir + name, st})
			}
		}
	}
	slices.SortFunc(all, func(a, b beside) int {
		return cmp.Or(cmp.Compare(a.st.id.born, b.st.id.born), cmp.Compare(a.path, b.path))
	})
	return all
}

// opened is an open file of a directory.
type opened struct {
	fd int
	status
}

// begins reports whether o holds what p begins with, and nothing else.
func (o opened) begins(p opened) bool {
	return o.size <= p.size && agree(o.fd, p.fd, 0, min(o.size, headSize)) &&
		agree(o.fd, p.fd, max(0, o.size-markerSize), o.size)
}

// openText opens b if it is still the file that was seen there, and text.
func (w *Watcher) openText(b beside) (o opened, ok bool) {
	fd, err := w.openWithin(b.path)
	if err != nil {
		return o, false
	}
	now, err := statFile(fd)
	head := make([]byte, headSize)
	n, _ := readAt(fd, head, 0)
	if err != nil || now.id != b.st.id || notText(head[:n]) != "" {
		closeFile(fd)
		return o, false
	}
	return opened{fd, now}, true
}

// standsAt returns where the generations of the log at path are: where it leads
// to when it is a symbolic link.
func standsAt(path string) string {
	if real := linkTarget(path); real != "" {
		return real
	}
	return path
}

// findSaved looks for the file of p, which is not where it was: one of its
// identity under any name, else a copy of it under the name of a generation,
// as a copying rotation leaves it. cur is what p's path leads to now. It
// reports whether there is one.
func (w *Watcher) findSaved(p *position, cur *file) bool {
	if !w.matched(p.Path) || cur == nil && !goneFrom(p) {
		return false // not asked for any more, or there and unreadable
	}
	at := standsAt(p.Path)
	all := w.siblings(at)
	for _, b := range all {
		if b.st.id.key() == p.id().key() && b.path != at && w.goOnAt(b, p) {
			return true
		}
	}
	if p.Marker.Length == 0 {
		return false // nothing was read that a copy could be told by
	}
	for _, b := range w.copiesFirst(p, all) {
		if generationOf(b.path, at) && b.st.size >= p.Marker.End && w.goOnAt(b, p) {
			return true
		}
	}
	return false
}

// copiesFirst sorts files by when they were made, those first that were since p was
// true: of several that hold what was read, the first copy goes on with it, and an
// older one is that of a log before, which began alike.
func (w *Watcher) copiesFirst(p *position, all []beside) []beside {
	from := p.written(w.saved.since)
	return slices.SortedStableFunc(slices.Values(all), func(a, b beside) int {
		if since, other := a.st.id.born > from, b.st.id.born > from; since != other {
			return cmp.Compare(b.st.id.born, a.st.id.born)
		} else if since {
			return cmp.Compare(a.st.id.born, b.st.id.born)
		}
		return 0
	})
}

// goOnAt goes on with p in b if that holds what was read.
func (w *Watcher) goOnAt(b beside, p *position) bool {
	if f := w.files[b.st.id]; f != nil {
		if w.saved.claimed[f] || f.refused || f.fd < 0 && !w.reopen(f) {
			return false
		}
		return w.goOn(f, p, b.st.size)
	}
	fd, err := w.openWithin(b.path)
	if err != nil {
		return false
	}
	now, err := statFile(fd)
	if err != nil || now.id != b.st.id || !p.heldBy(fd, now.size) {
		closeFile(fd)
		return false
	}
	f := w.nameless(p.Path, fd, now.id)
	w.goOn(f, p, now.size)
	w.queue(f)
	return true
}

// generationsSince lists the files that were begun under p's path after p was
// taken and renamed or copied away since, oldest first. cur may be nil.
//
// Only birth tells a generation from what lies there for another reason, so
// there are none where the file system does not keep it.
func (w *Watcher) generationsSince(p *position, cur *file) []beside {
	if !w.matched(p.Path) || p.Born == 0 {
		return nil
	}
	from := max(p.Born, p.written(w.saved.since))
	at := standsAt(p.Path)
	var all []beside
	for _, b := range w.siblings(at) {
		known := w.saved.byKey[b.st.id.key()]
		own := known == p // truncated, written to, and renamed after all
		if (own || known == nil && b.st.id.born > from) && (cur == nil || b.st.id != cur.id) && generationOf(b.path, at) {
			all = append(all, b)
		}
	}
	begun := func(b beside) int64 {
		if w.saved.byKey[b.st.id.key()] == p {
			return b.st.mtime
		}
		return b.st.id.born
	}
	slices.SortFunc(all, func(a, b beside) int { return cmp.Compare(begun(a), begun(b)) })
	return all
}

// openGeneration has a generation read from its beginning, behind last, under
// path. It returns nil when it is none.
//
// A file that holds what was read under the path is a copy and no generation, and
// so is one that holds no more than its beginning; one that is younger than cur and holds
// no more than cur's beginning, unless cur is known to have been truncated.
func (w *Watcher) openGeneration(p *position, b beside, last, cur *file) *file {
	f := w.files[b.st.id]
	if f != nil && (w.saved.claimed[f] || f.refused || f.phase != following) {
		return nil
	}
	o, ok := w.openText(b)
	if !ok {
		return nil
	}
	fd, now := o.fd, o.status
	if w.repeatsSaved(p.Path, fd, now.size) ||
		cur != nil && cur == p.file && p.Marker.Length > 0 && !p.heldBy(fd, now.size) || // of another log: nothing tells that this one was truncated
		cur != nil && (cur.id != p.id() || p.Marker.Length == 0) && now.id.born > cur.id.born && beginsLike(cur, fd, now.size) {
		closeFile(fd)
		return nil
	}
	if f != nil {
		closeFile(fd)
	} else {
		f = w.nameless(p.Path, fd, now.id)
		w.setLag(f, now.size)
		w.queue(f)
	}
	w.stats.renames.Add(1)
	w.readAfter(f, last)
	return f
}

// repeatsSaved reports whether the size bytes of an open file are what an earlier
// run has read under path, or the beginning of it. Where no more was read than a head
// that all of its generations may have, they are when the file that was read begins
// with all of them.
func (w *Watcher) repeatsSaved(path string, fd int, size int64) bool {
	for _, p := range w.saved.positions {
		if p.Path != path || p.Marker.Length == 0 {
			continue
		}
		known := p.file != nil && p.file.fd >= 0
		if known && (size < p.Offset || p.Offset <= headSize) && beginsLike(p.file, fd, size) ||
			(!known || p.Offset > headSize) && p.memory(0).proves(fd, size) > 0 {
			return true
		}
	}
	return false
}

// beginsLike reports whether the size bytes of the open file are those that f
// begins with.
func beginsLike(f *file, fd int, size int64) bool {
	st, err := statFile(f.fd)
	return err == nil && opened{fd, status{size: size}}.begins(opened{f.fd, st})
}

// generationOf reports whether path is what a rotation makes of base: a number
// or a date behind its name, or before its extension. It is stricter than what
// is asked of copies made while running: hours may lie between two runs, and
// app-error.log is no generation of app.log.
func generationOf(path, base string) bool {
	more, ok := strings.CutPrefix(path, base)
	if !ok {
		ext := filepath.Ext(base)
		if more, ok = strings.CutPrefix(path, strings.TrimSuffix(base, ext)); !ok {
			return false
		}
		if more, ok = strings.CutSuffix(more, ext); !ok {
			return false
		}
	}
	return len(more) > 1 && strings.ContainsRune(".-_~", rune(more[0])) &&
		strings.ContainsAny(more, "0123456789") && strings.Trim(more, "0123456789.-_~:TZ") == ""
}
