package tail

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"logwisp/ring/filter"
)

// change is new settings on their way to Run's goroutine.
type change struct {
	options Options
	roots   []root
	intake  *filter.Intake
	done    chan struct{} // closed when they are in effect
}

// Reload checks o and returns what puts it into effect; nothing has changed
// before that is called, once, and nothing can fail then. Any goroutine may call
// both. It returns when Run has taken the change, or after two seconds: then it
// is taken as soon as the file systems answer.
//
// Files that are named as before go on where they are. Those that no target
// names any more are read to the end that they have now, and are let go at the
// beginning of the line under way; if a target names one again, it goes on
// there. Files that a new target finds begin as those of a start do: at their
// end or beginning, as ReadFrom has it, and with a checkpoint at their position
// or their beginning. Checkpoint, ReadFrom, Watch, Acked and Reached stay as they
// are.
func (w *Watcher) Reload(o Options) (apply func(), err error) {
	c, err := prepare(o)
	if err != nil {
		return nil, err
	}
	return func() { w.hand(c) }, nil
}

// prepare does all of a change that can fail.
func prepare(o Options) (*change, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("monitor: %w", err)
	}
	all, err := roots(o.Targets)
	if err != nil {
		return nil, fmt.Errorf("monitor: %w", err)
	}
	intake, err := o.Filter.Intake()
	if err != nil {
		return nil, err
	}
	return &change{options: o, roots: all, intake: intake, done: make(chan struct{})}, nil
}

// hand gives Run's goroutine a change, in place of one that it has not taken.
func (w *Watcher) hand(c *change) {
	timeout := time.NewTimer(answerTime)
	defer timeout.Stop()
	for handed := false; !handed; {
		select {
		case w.changes <- c:
			handed = true
		case <-w.changes:
		case <-w.asks.over:
			return
		}
	}
	select {
	case <-c.done:
	case <-w.asks.over:
	case <-timeout.C:
		w.log.Warn("the files have not been looked at for a while: their new settings hold once they are")
	}
}

// takeChange takes a change if there is one.
func (w *Watcher) takeChange() {
	select {
	case c := <-w.changes:
		w.take(c)
	default:
	}
}

// take puts a change into effect. What was written before it to a file that is
// let go is read first, under the old settings.
func (w *Watcher) take(c *change) {
	defer close(c.done)
	begin := w.now()
	w.checkAll(false) // what was rotated and nobody has told yet
	w.before, w.changing = w.roots, true
	w.roots = c.roots
	w.goOnWith(w.before)
	for _, n := range slices.Clone(w.order) {
		if w.names[n.path] == n && !w.matched(n.path) {
			w.letGo(n)
		}
	}
	old := w.options
	w.options = c.options
	w.options.Checkpoint, w.options.ReadFrom, w.options.Watch = old.Checkpoint, old.ReadFrom, old.Watch
	w.options.Acked, w.options.Reached, w.options.Origins = old.Acked, old.Reached, old.Origins
	w.out.SetFilter(c.intake)
	for _, f := range w.files {
		if f.phase != closed && w.matched(f.path) {
			w.rename(f, f.path)
		}
	}
	w.setPeriods()
	w.recheck = true // what was listed before is nothing to go by
	w.scan()
	w.before, w.changing = nil, false
	w.schedule.scanned(w.now(), w.now()-begin)
	w.keep.seen = progress{files: -1} // have the positions written in any case
}

// goOnWith has the targets whose entries are made as before go on with the
// rules that there are, and what these know: how many lines a second there were.
func (w *Watcher) goOnWith(before []root) {
	taken := make([]bool, len(before))
	adopt := func(alike func(old, next Target) bool) {
		for i := range w.roots {
			next := &w.roots[i]
			for j := range before {
				if old := &before[j]; !taken[j] && !next.adopted && alike(old.target, next.target) {
					next.rules, next.adopted, taken[j] = old.rules, true, true
				}
			}
		}
	}
	adopt(func(old, next Target) bool { return reflect.DeepEqual(old, next) })
	adopt(makesAlike)
	for _, old := range before {
		if !slices.ContainsFunc(w.roots, func(r root) bool { return r.path == old.path }) {
			delete(w.missing, old.path) // is said again, should it be named again
		}
	}
	if len(before) > 0 {
		w.lapsed = before
	}
}

// makesAlike reports whether two targets make the same entries of a line. Which
// files they name does not count.
func makesAlike(a, b Target) bool {
	for _, t := range []*Target{&a, &b} {
		t.Pattern, t.IsFile, t.Exclude = "", false, nil
	}
	return reflect.DeepEqual(a, b)
}

// asked reports whether path is named since the change that is being taken.
func (w *Watcher) asked(path string) bool {
	return w.changing && !slices.ContainsFunc(w.before, func(r root) bool { return r.matches(path) })
}

// letGo takes leave of a name that no target names any more. If it was the last
// of its file, that is read to where it ends now.
func (w *Watcher) letGo(n *name) {
	f := n.file
	for range 4 { // reading may find another file in its place
		if f == nil || f.refused || f.phase != following || f.names[0] != n || !f.split.Pending() && !w.mayHaveMore(f) {
			break
		}
		f.atEnd = w.drain(f) && f.copied == nil
		if n.file == f {
			break
		}
		f = n.file
	}
	if w.names[n.path] != n {
		return // it was found to lead nowhere
	}
	w.unlink(n)
	n.file = nil
	w.forget(n)
	if f == nil {
		return
	}
	first := f.names[0] == n
	f.names = slices.DeleteFunc(f.names, func(o *name) bool { return o == n })
	switch {
	case len(f.names) > 0 && first:
		w.rename(f, f.names[0].path)
	case len(f.names) == 0:
		w.dismiss(f)
	}
}

// dismiss ends a file that has lost its last name to a change, once what it
// holds now is read.
func (w *Watcher) dismiss(f *file) {
	f.phase, f.dismissed = rotated, true
	f.left = w.now()
	w.stats.files.Add(-1)
	f.until = f.pos + f.lag
	if f.fd >= 0 {
		if st, err := statFile(f.fd); err == nil {
			f.until = st.size
		}
	}
	w.endDismissed(f)
}

// endDismissed lets go of a dismissed file that is read as far as it is to be.
func (w *Watcher) endDismissed(f *file) {
	if f.fd < 0 || f.refused || f.pos >= f.until || f.copied == nil && f.atEnd {
		w.finish(f)
		return
	}
	w.queue(f)
	w.watchClock(f)
}

// leaveLine sends the whole lines that are held, and goes back to the beginning
// of the line under way: it goes on, and whoever reads the file next has it all.
func (w *Watcher) leaveLine(f *file) {
	w.endHeld(f)
	if f.split.Pending() {
		f.place(f.ended)
	}
}
