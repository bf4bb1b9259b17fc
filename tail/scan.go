package tail

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// scan lists every target, watches the directories it meets, and reconciles
// the paths that were not known. A directory is watched before it is listed: a
// file that appears in between is seen twice, not never.
func (w *Watcher) scan() {
	if w.scans++; w.recheck || w.scans%thoroughEvery == 0 {
		for i := range w.roots {
			clear(w.roots[i].still)
		}
	}
	w.recheck = false
	w.wanted = make(map[string][]string)
	var found []string
	for i := range w.roots {
		found = w.list(&w.roots[i], found)
	}
	w.follow(found)
	for real := range w.links {
		w.want(filepath.Dir(real))
	}
	w.unwatch()
	if !w.starting {
		w.blind = slices.DeleteFunc(w.blind, func(dir string) bool { return w.missing[dir] == "" })
	}
}

// list appends the paths of one target that exist and are not known.
func (w *Watcher) list(r *root, found []string) []string {
	parent := filepath.Dir(r.path)
	st, err := statPath(r.path)
	if r.isFile || err != nil || !st.dir {
		w.want(parent)
		st, err = statPath(r.path) // again: it may have come before the watch
	}
	switch {
	case err == nil && st.dir && !r.isFile:
		if linkTarget(r.path) != "" {
			w.want(parent) // the link may be pointed elsewhere
		}
		return w.walk(r, r.path, "", found)
	case err == nil && st.dir:
		w.complain(r.path, "target is a directory, not a file: leave out isfile or name a file in it")
		return found
	case err == nil:
		delete(w.missing, r.path)
		return w.unknown(r.path, found)
	case !errors.Is(err, fs.ErrNotExist):
		w.blindTo(r.path)
		w.complain(r.path, "target cannot be looked at, will be tried again: "+err.Error())
		return found
	}
	if w.starting {
		w.complain(r.path, "target does not exist, waiting for it")
	}
	return found
}

// walk lists one directory, at most r.depth levels below the target's.
func (w *Watcher) walk(r *root, dir, below string, found []string) []string {
	w.want(dir)
	st, err := statPath(dir)
	if err == nil && r.still[dir].holds(st) {
		return found
	}
	now := time.Now().UnixNano()
	entries, err := os.ReadDir(dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			w.blindTo(dir)
			w.complain(dir, "directory cannot be listed, will be tried again: "+err.Error())
		}
		return found
	}
	delete(w.missing, dir)
	levels, plain := strings.Count(below, "/"), true
	for _, e := range entries {
		plain = plain && e.Type().IsRegular()
		path := slashed(dir) + e.Name()
		if e.IsDir() {
			if r.depth < 0 || levels < r.depth {
				found = w.walk(r, path, below+e.Name()+"/", found)
			}
			continue
		}
		if r.matches(path) {
			found = w.unknown(path, found)
		}
	}
	delete(r.still, dir)
	if plain {
		if r.still == nil {
			r.still = make(map[string]listing)
		}
		r.still[dir] = listing{of: st, at: now}
	}
	return found
}

// thoroughEvery is which of the scans lists every directory, however still.
const thoroughEvery = 12

// listing is what a directory was that held nothing but plain files when it
// was listed. While it is the same, it holds the same names.
type listing struct {
	of status
	at int64 // when it was listed, nanoseconds since 1970
}

// holds reports whether st says that nothing has changed since.
func (l listing) holds(st status) bool {
	return l.at != 0 && st.sameAs(l.of) && l.of.tellsAfter(l.at)
}

func (w *Watcher) unknown(path string, found []string) []string {
	if w.names[path] == nil {
		found = append(found, path)
	}
	return found
}

// follow reconciles new paths. While running, the oldest content comes first,
// so that generations of one log that appear together are read in order; at
// the start the targets' order decides which name a file is read under.
func (w *Watcher) follow(found []string) {
	if !w.starting && len(found) > 1 {
		times := make(map[string]int64, len(found))
		for _, path := range found {
			if st, err := statPath(path); err == nil {
				times[path] = st.mtime
			}
		}
		slices.SortStableFunc(found, func(a, b string) int { return cmp.Compare(times[a], times[b]) })
	}
	for _, path := range found {
		if w.names[path] == nil { // named by two targets
			n := w.learn(path)
			w.presume(n)
			w.reconcile(n)
		}
	}
}

// blindTo notes that it cannot be known what is in dir at the start.
func (w *Watcher) blindTo(dir string) {
	if w.starting {
		w.blind = append(w.blind, dir)
	}
}

// presume counts a file as present at the start when it is older than that and
// was out of sight only because its directory was.
func (w *Watcher) presume(n *name) {
	for _, dir := range w.blind {
		if n.path != dir && !strings.HasPrefix(n.path, slashed(dir)) {
			continue
		}
		st, err := statPath(n.path)
		if err == nil && st.id.born != 0 && st.id.born < w.date(0) {
			n.present = &st
		}
	}
}

// learn makes path known.
func (w *Watcher) learn(path string) *name {
	n := &name{path: path, index: len(w.order)}
	n.polled = w.polls(filepath.Dir(path))
	w.names[path] = n
	w.order = append(w.order, n)
	return n
}

// forget is the opposite of learn; n leads to no file. Its directory is listed
// again: it may come back with the file and be what it was.
func (w *Watcher) forget(n *name) {
	if w.names[n.path] != n {
		return
	}
	delete(w.names, n.path)
	for i := range w.roots {
		delete(w.roots[i].still, filepath.Dir(n.path))
	}
	w.skip(n, false)
	last := w.order[len(w.order)-1]
	w.order[n.index], last.index = last, n.index
	w.order = w.order[:len(w.order)-1]
}

// matched reports whether a target names path.
func (w *Watcher) matched(path string) bool {
	for i := range w.roots {
		if w.roots[i].matches(path) {
			return true
		}
	}
	return false
}

// concerned reports whether a target's reach changes with the directory path.
func (w *Watcher) concerned(path string) bool {
	for i := range w.roots {
		if w.roots[i].concerns(path) {
			return true
		}
	}
	return false
}

// complain says something about a path once, until it is well again.
func (w *Watcher) complain(path, message string) {
	if w.missing[path] != message {
		w.missing[path] = message
		w.log.Warn("target not followed", "path", path, "problem", message)
	}
}

func readNames(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}
