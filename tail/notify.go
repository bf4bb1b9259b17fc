package tail

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fsnotify/fsnotify"
)

// eventBuffer is how many events wait here. Beyond, they wait in the kernel,
// which merges repeated ones: a file written to without pause costs few.
const eventBuffer = 256

// notifier is the kernel's event queue. Events are hints that something is to
// be looked at, never news in themselves.
type notifier struct {
	fs     *fsnotify.Watcher
	events <-chan fsnotify.Event
	failed atomic.Bool   // events were lost: look at everything
	wake   chan struct{} // has one element after failed was set
	done   sync.WaitGroup
}

func newNotifier() (*notifier, error) {
	fs, err := fsnotify.NewBufferedWatcher(eventBuffer)
	if err != nil {
		return nil, err
	}
	n := &notifier{fs: fs, events: fs.Events, wake: make(chan struct{}, 1)}
	// The library reports some errors with its lock held, which Add needs: they
	// must be taken off its hands by another goroutine than the one that adds.
	n.done.Go(func() {
		for range fs.Errors {
			n.failed.Store(true)
			select {
			case n.wake <- struct{}{}:
			default:
			}
		}
	})
	return n, nil
}

func (n *notifier) close() error {
	err := n.fs.Close()
	n.done.Wait()
	return err
}

// directory is one watched directory, known by its path without links.
type directory struct {
	id     identity
	asSeen []string // the paths targets reach it by
	polled bool     // events do not come, or not all
	was    status   // at the last listing on the clock, and when that was
	listed int64
}

// want says that dir is to be watched, or the nearest directory above that
// exists.
func (w *Watcher) want(dir string) {
	for {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			if st, err := statPath(real); err == nil && st.dir {
				w.watch(real, dir, st.id)
				return
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return
		}
		dir = parent
	}
}

// watch makes sure that real is watched, and was not replaced by another
// directory of the same name since.
func (w *Watcher) watch(real, seen string, id identity) {
	if w.wanted != nil && !slices.Contains(w.wanted[real], seen) {
		w.wanted[real] = append(w.wanted[real], seen)
	}
	d := w.dirs[real]
	if d != nil && d.id == id {
		if !slices.Contains(d.asSeen, seen) {
			d.asSeen = append(d.asSeen, seen)
		}
		return
	}
	d = &directory{id: id, asSeen: []string{seen}}
	w.dirs[real] = d
	if w.notify == nil {
		d.polled = true
		return
	}
	w.unwatchMoved(real, id)
	if err := w.notify.fs.Add(real); err != nil {
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
			delete(w.dirs, real) // the next listing tries again
			return
		}
		d.polled = true
		w.fallBack(err.Error())
	}
	if w.options.Watch != "inotify" && remoteFS(real) {
		d.polled = true
		w.fallBack("network file system at " + real)
	}
}

// unwatchMoved ends the watch that a directory, now at real, has under a path it
// had before one above it was renamed: the kernel would give the same watch again,
// and it would end with the old path.
func (w *Watcher) unwatchMoved(real string, id identity) {
	if w.starting {
		return
	}
	for old, d := range w.dirs {
		if d.id != id || old == real {
			continue
		}
		if st, err := statPath(old); err == nil && st.id == id {
			continue // it is at both, mounted
		}
		delete(w.dirs, old)
		_ = w.notify.fs.Remove(old) // an error says that it was not watched
	}
}

// fallBack says once that files are looked at by the clock.
func (w *Watcher) fallBack(reason string) {
	if !w.stats.polling.Swap(true) {
		w.log.Warn("events do not serve everywhere, files there are looked at every check_interval_ms",
			"reason", reason, "check_interval_ms", w.options.CheckInterval)
	}
}

// unwatch ends the watches that the last listing had no use for, and takes
// over the paths by which it reached the others.
func (w *Watcher) unwatch() {
	for real, d := range w.dirs {
		seen, ok := w.wanted[real]
		if ok {
			d.asSeen = seen
			continue
		}
		delete(w.dirs, real)
		if w.notify != nil {
			// An error says that it was not watched: a directory that is gone.
			_ = w.notify.fs.Remove(real)
		}
	}
	w.wanted = nil
}

// polls reports whether files in dir are to be looked at by the clock.
func (w *Watcher) polls(dir string) bool {
	if w.notify == nil {
		return true
	}
	if d := w.dirs[dir]; d != nil {
		return d.polled
	}
	for _, d := range w.dirs {
		if d.polled && slices.Contains(d.asSeen, dir) {
			return true
		}
	}
	return false
}

// relink keeps track of where a symbolic link leads, and watches there: what
// is written to its target happens in another directory.
func (w *Watcher) relink(n *name) {
	real := linkTarget(n.path)
	if real == n.real {
		return
	}
	w.unlink(n)
	if n.real = real; real != "" {
		w.links[real] = append(w.links[real], n)
		w.want(filepath.Dir(real))
	}
}

// unlink forgets where a symbolic link leads.
func (w *Watcher) unlink(n *name) {
	if n.real == "" {
		return
	}
	rest := slices.DeleteFunc(w.links[n.real], func(o *name) bool { return o == n })
	if w.links[n.real] = rest; len(rest) == 0 {
		delete(w.links, n.real)
	}
	n.real = ""
}

// takeEvents handles the events that have come, without waiting.
func (w *Watcher) takeEvents() {
	if w.notify == nil {
		return
	}
	for range eventBuffer {
		select {
		case e := <-w.notify.events:
			w.event(e)
		default:
			return
		}
	}
}

// event turns one event into what is to be looked at.
func (w *Watcher) event(e fsnotify.Event) {
	changed := !e.Has(fsnotify.Create | fsnotify.Rename | fsnotify.Remove)
	if n := w.names[e.Name]; changed && n != nil && n.file != nil && !n.file.refused {
		w.queue(n.file)
		return
	}
	if d := w.dirs[e.Name]; d != nil {
		w.recheck = true
		if !changed {
			delete(w.dirs, e.Name) // the watch went with it
		}
	}
	for _, n := range slices.Clone(w.links[e.Name]) {
		w.touched(n.path, changed)
	}
	dir, base := filepath.Split(e.Name)
	d := w.dirs[filepath.Clean(dir)]
	if d == nil {
		return
	}
	for _, seen := range slices.Clone(d.asSeen) {
		w.touched(slashed(seen)+base, changed)
	}
}

// touched looks at a path that an event names.
func (w *Watcher) touched(path string, changed bool) {
	n := w.names[path]
	switch {
	case n != nil && n.file != nil && changed && n.file.refused:
		w.check(n)
	case n != nil && n.file != nil && changed:
		w.queue(n.file)
	case n != nil:
		w.reconcile(n)
	case w.concerned(path):
		st, err := statPath(path)
		switch {
		case err != nil: // gone again; a directory that was watched says so itself
		case st.dir:
			w.recheck = w.recheck || !changed
		case w.matched(path):
			w.reconcile(w.learn(path))
		}
	case w.matched(path):
		if exists(path) {
			w.reconcile(w.learn(path))
		}
	}
}
