package tail

import (
	"runtime"
	"time"
)

// schedule is when what is due without an event. All times are those of
// Watcher.now.
type schedule struct {
	interval time.Duration // files in polled directories, and their listing
	slow     time.Duration // everything else
	step     time.Duration // files that wait for time to pass

	nextPoll  time.Duration
	nextSlow  time.Duration // the next few files of the slow round
	nextTimed time.Duration
	nextScan  time.Duration // listing
	nextHeld  time.Duration // files that wait for readers
	soonest   time.Duration // listing on request, not before

	at int // how far the slow round has got in Watcher.order
}

// slowTicks is into how many parts the slow round is cut, so that ten thousand
// files are not looked at in one go.
const slowTicks = 10

func newSchedule(o Options, slow time.Duration) schedule {
	s := schedule{interval: milliseconds(o.CheckInterval), slow: slow}
	if s.slow == 0 {
		s.slow = max(s.interval, slowPeriod)
	}
	s.step = 250 * time.Millisecond
	for _, n := range []int{o.RotateWait, o.PartialFlush} {
		if n > 0 {
			s.step = min(s.step, max(milliseconds(n)/4, 10*time.Millisecond))
		}
	}
	s.nextPoll, s.nextSlow, s.nextScan = s.interval, s.slow/slowTicks, s.slow
	return s
}

// setPeriods takes the times that the options give.
func (w *Watcher) setPeriods() {
	next := newSchedule(w.options, w.slow)
	for _, r := range w.roots {
		if j := r.rules.joiner; j != nil {
			next.step = min(next.step, max(j.flush/4, 10*time.Millisecond))
		}
	}
	s, now := &w.schedule, w.now()
	s.interval, s.slow, s.step = next.interval, next.slow, next.step
	s.nextPoll = min(s.nextPoll, now+s.interval)
	s.nextSlow = min(s.nextSlow, now+s.slow/slowTicks)
	s.nextScan = min(s.nextScan, now+s.slow)
	s.nextTimed = min(s.nextTimed, now+s.step)
}

// scanned notes a listing at now that took so long. The next one on request
// leaves nine tenths of the time to reading.
func (s *schedule) scanned(now, took time.Duration) {
	s.nextScan = now + s.slow
	s.soonest = now + 9*took
}

// pause returns how long nothing is due.
func (w *Watcher) pause() time.Duration {
	s := &w.schedule
	next := s.nextScan
	if w.recheck {
		next = min(next, s.soonest)
	}
	if len(w.order) > 0 {
		next = min(next, s.nextSlow)
	}
	if w.stats.polling.Load() {
		next = min(next, s.nextPoll)
	}
	if len(w.timed) > 0 {
		next = min(next, s.nextTimed)
	}
	if len(w.held) > 0 {
		next = min(next, s.nextHeld)
	}
	if w.keep.to != nil && (w.keep.waiting != nil || w.keep.seen != w.progress()) {
		next = min(next, w.keep.next)
	}
	return max(0, next-w.now())
}

// keepSchedule does what is due.
func (w *Watcher) keepSchedule() {
	s := &w.schedule
	now := w.now()
	if w.notify != nil && w.notify.failed.Swap(false) {
		w.recheck = true
		if !w.overran {
			w.overran = true
			w.log.Warn("events were lost, everything is looked at whenever that happens: raise fs.inotify.max_queued_events")
		}
	}
	polling := w.stats.polling.Load() && now >= s.nextPoll
	if polling {
		w.checkAll(true)
		s.nextPoll = w.now() + s.interval
	}
	if now >= s.nextScan || polling && w.listPolled() || w.recheck && now >= s.soonest {
		begin, all := w.now(), w.recheck
		w.scan()
		if all {
			w.checkAll(false) // a directory that was replaced took its files along
		}
		s.scanned(w.now(), w.now()-begin)
	}
	if now >= s.nextSlow {
		began, part, rest := w.now(), s.slow/slowTicks, time.Duration(0)
		w.slowRound()
		if len(w.order) > slowShare*slowTicks {
			rest = slowRest * (w.now() - began)
		}
		s.nextSlow = now + min(max(part, rest), slowLongest*part)
	}
	if len(w.held) > 0 && now >= s.nextHeld {
		w.releaseHeld()
	}
	if len(w.timed) > 0 && now >= s.nextTimed {
		w.checkTimed()
		s.nextTimed = w.now() + s.step
	}
}

const (
	aroundPeriod = time.Millisecond
	aroundFiles  = 32
)

// lookAround queues those of the files last active that have grown. It serves
// while other files are read without a pause: then all processors may be busy,
// and an event waits ten milliseconds and more until somebody is free to hand
// it over.
func (w *Watcher) lookAround() {
	now := w.now()
	if now-w.around < aroundPeriod {
		return
	}
	w.around = now
	f := w.open.newest
	for n := 0; f != nil && n < aroundFiles; f, n = f.older, n+1 {
		if f.queued || !f.atEnd {
			continue
		}
		if st, err := statFile(f.fd); err == nil && st.size != f.pos {
			w.grew(f, st.size)
			w.queue(f)
		}
	}
	runtime.Gosched() // who hands over events may be ready to run
}

// checkAll looks at every name, or at those in polled directories.
func (w *Watcher) checkAll(polledOnly bool) {
	for i := len(w.order) - 1; i >= 0; i-- {
		if i < len(w.order) && (!polledOnly || w.order[i].polled) {
			w.check(w.order[i])
		}
	}
}

// slowShare is how many names a tick of the slow round looks at where there are
// many: a look costs four to twelve microseconds, which is up to two percent of a
// processor for ten thousand files in the time of one round. Up to slowStretch
// rounds' time is taken then, and behind each tick slowRest times what it took, but
// no more than slowLongest ticks' time: a fifth of a percent, and a minute for all.
const (
	slowShare   = 300
	slowStretch = 3
	slowRest    = 500
	slowLongest = 4
)

// slowRound looks at the next part of the names.
func (w *Watcher) slowRound() {
	s := &w.schedule
	w.tellTime()
	within := func(rounds int) int { return (len(w.order) + rounds*slowTicks - 1) / (rounds * slowTicks) }
	for range max(min(within(1), slowShare), within(slowStretch)) {
		if len(w.order) == 0 {
			return
		}
		s.at %= len(w.order)
		w.check(w.order[s.at])
		s.at++
	}
}

// check compares a name with what it leads to, and queues the file if it may
// have changed. The time of change is no more than a hint.
func (w *Watcher) check(n *name) {
	at := w.now() // before the look, see reconcile
	st, err := statPath(n.path)
	f := n.file
	if err != nil || f == nil || f.id != st.id {
		w.reconcile(n)
		return
	}
	f.seen = at
	w.reconsiderIfShorter(f, n.path, st.size)
	if st.size != f.pos || st.mtime != f.mtime {
		f.mtime = st.mtime
		w.grew(f, st.size)
		w.queue(f)
	}
}

// listPolled reports whether a polled directory may have changed since it was
// last listed. A change soon after one before the listing may not show, so a
// directory is listed again until it has been still for a while.
func (w *Watcher) listPolled() bool {
	changed := false
	for real, d := range w.dirs {
		if !d.polled {
			continue
		}
		st, err := statPath(real)
		switch {
		case err != nil || st.id != d.id:
			changed = true
		case !st.sameAs(d.was) || !st.tellsAfter(d.listed):
			d.was, d.listed = st, time.Now().UnixNano()
			changed = true
		}
	}
	return changed
}

// watchClock has f looked at when time passes, if it needs that.
func (w *Watcher) watchClock(f *file) {
	if f.timed || !f.needsClock() {
		return
	}
	f.timed = true
	if len(w.timed) == 0 {
		w.schedule.nextTimed = w.now() + w.schedule.step
	}
	w.timed = append(w.timed, f)
}

// checkTimed looks at the files that wait for time to pass. Looking may add
// others.
func (w *Watcher) checkTimed() {
	now := w.now()
	list := w.timed
	w.timed = nil
	for _, f := range list {
		w.passTime(f, now)
		f.timed = false
		w.watchClock(f)
	}
}

// deletedWait is how long what is written to a deleted file is taken. What is
// there by then is read, which may take longer; only then its disk space is
// free.
const deletedWait = 15 * time.Second

// passTime does what the clock asks for in one file.
func (w *Watcher) passTime(f *file, now time.Duration) {
	if f.copied != nil && f.copied.size > 0 || f.shrunk {
		w.queue(f)
	}
	if f.phase == following {
		if !f.queued && f.atEnd {
			w.endIdle(f, now)
		}
		return
	}
	if f.phase != rotated {
		return
	}
	if f.dismissed {
		w.endDismissed(f)
		return
	}
	if f.group.lines > 0 && !f.split.Pending() && now-f.grown >= f.rules.joiner.flush && !w.heldBack(f) {
		if pos := f.pos; w.look(f) && f.atEnd && f.pos == pos && f.phase == rotated {
			w.endHeld(f)
		}
	}
	wait := milliseconds(w.options.RotateWait)
	undecided := f.copied != nil && f.fd >= 0 // nothing of it may have been read
	if f.fd < 0 || !undecided && now-max(f.left, f.grown) >= wait && !w.heldBack(f) && w.look(f) && f.atEnd && now-f.grown >= wait {
		w.finish(f)
		return
	}
	if !undecided && now-f.left >= deletedWait && f.deleted() {
		if f.until == 0 {
			st, _ := statFile(f.fd)
			f.until = max(st.size, 1)
		}
		if f.pos >= f.until || f.atEnd {
			w.drain(f)
			w.finish(f)
			return
		}
	}
	if !f.queued {
		w.queue(f)
	}
}

// endIdle sends what waits for more in a file that has not grown for long
// enough. It is looked at first: it may have grown and nobody told.
func (w *Watcher) endIdle(f *file, now time.Duration) {
	idle := milliseconds(w.options.PartialFlush)
	waits := f.group.lines > 0 && !f.split.Pending() && now-f.grown >= f.rules.joiner.flush
	flushes := idle > 0 && now-f.grown >= idle
	if pos := f.pos; (waits || flushes) && (!w.look(f) || f.pos != pos || f.phase != following) {
		w.queue(f)
		return
	}
	if waits {
		w.endHeld(f)
	}
	if flushes {
		w.flush(f)
	}
	if idle > 0 && f.piecesHeld() { // of one stream, while the other goes on
		w.begin(f)
		w.span.end = f.ended
		w.endPieces(f, now-idle)
		f.settle(nil)
		w.told()
	}
}

// remote reports whether the sizes told for f may be out of date.
func (w *Watcher) remote(f *file) bool {
	return len(f.names) > 0 && f.names[0].polled && w.notify != nil && remoteFS(f.path)
}
