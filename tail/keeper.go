package tail

import "time"

// keepEvery is how often positions are written while files grow: so much is
// read again after a crash.
const keepEvery = time.Second

// keepAckedEvery is the same where they have to be acknowledged: all of that is
// sent again, to somebody who pays for it.
const keepAckedEvery = keepEvery / 4

const (
	// keepWait is how long positions wait for readers that have not come so far
	// yet: twice as much more may be read again after a crash.
	keepWait = 3 * time.Second
	// keepLook is how often it is looked whether they have.
	keepLook = 100 * time.Millisecond
)

func (k *keeper) every() time.Duration {
	if k.acked != nil {
		return keepAckedEvery
	}
	return keepEvery
}

// keeper hands the watcher's positions to the checkpoint. Taking them is all
// that the watcher's goroutine does; encoding and writing are done by another,
// and while that is at work none are taken.
type keeper struct {
	to   *Checkpoint // nil: positions are not kept
	next time.Duration
	seen progress // what was there when they were last taken

	acked   func() uint64 // Options.Acked
	reached func() uint64 // Options.Reached
	waiting *snapshot     // taken, and kept once it is acknowledged, or was waited for (T9)

	looked int64 // when all names were looked at for the last time, nanoseconds since 1970
}

// snapshot is all positions at one moment.
type snapshot struct {
	positions []position
	at        int64
	head      uint64 // entries up to it were read by then
	taken     time.Duration
}

// progress changes with everything that a checkpoint holds.
type progress struct {
	files                              int64
	read, lines, rotations, truncation uint64
}

func (w *Watcher) progress() progress {
	c := &w.stats
	return progress{c.files.Load(), c.read.Load(), c.became.Lines(), c.rotations(), c.truncations.Load()}
}

// keepPositions has the positions written if they changed and it is time.
func (w *Watcher) keepPositions() {
	k := &w.keep
	early := w.now() < k.next
	if k.to == nil || early && (k.waiting == nil || k.acked == nil) || k.waiting == nil && k.seen == w.progress() {
		return
	}
	if k.waiting != nil {
		if k.to.idle() {
			w.keepArrived(k.to.save)
		}
		if k.waiting != nil {
			k.next = max(k.next, w.now()+k.look())
			return
		}
	}
	switch {
	case w.now() < k.next:
	case !k.to.idle():
		k.next = w.now() + k.look()
	default:
		k.next = w.now() + k.every()
		w.takePositions(w.keepTo(k.to.save), nowNanos())
		if k.acked == nil && k.waiting != nil {
			k.next = w.now() + k.look()
			w.keepArrived(k.to.save)
		}
	}
}

// look is how often it is looked whether positions that wait may be kept.
func (k *keeper) look() time.Duration {
	if k.acked != nil {
		return keepAckedEvery
	}
	return keepLook
}

// keepTo returns where positions go that are taken now: to the checkpoint, or,
// where somebody has to have what was read first, aside.
func (w *Watcher) keepTo(to func(positions []position, at int64)) func(positions []position, at int64) {
	if w.keep.acked == nil && w.keep.reached == nil {
		return to
	}
	return func(positions []position, at int64) {
		w.keep.waiting = &snapshot{positions, at, w.ring.Head(), w.now()}
	}
}

// keepArrived passes on the positions set aside once all that was read by then is
// acknowledged, or has been given to those who make progress, or was waited for
// long enough (T9).
func (w *Watcher) keepArrived(to func(positions []position, at int64)) {
	k := &w.keep
	s := k.waiting
	switch {
	case s == nil || k.acked != nil && k.acked() < s.head:
		return
	case k.acked == nil && w.now()-s.taken < keepWait && k.reached() < s.head:
		return
	case k.acked == nil:
		k.next = w.now() + k.every()
	}
	k.waiting = nil
	to(s.positions, s.at)
}

// Settle has the checkpoint keep what was acknowledged since Run ended.
func (w *Watcher) Settle() {
	if c := w.keep.to; c != nil && w.keep.acked != nil {
		c.writes.Wait()
		w.keepArrived(c.set)
	}
}

// keepFirst writes where files begin, before anything is read: a run that
// ends at once has followed them nevertheless.
func (w *Watcher) keepFirst() {
	if c := w.keep.to; c != nil {
		c.writes.Wait()
		w.takePositions(c.save, w.start.UnixNano())
		c.writes.Wait()
		w.keep.next = w.now() + w.keep.every()
	}
}

// keepLast leaves the positions to Checkpoint.Close. Readers that do not
// acknowledge get what there is before the end: nobody has to be waited for.
func (w *Watcher) keepLast() {
	c := w.keep.to
	if c == nil {
		return
	}
	c.writes.Wait()
	if w.keep.acked == nil {
		w.keep.waiting, w.keep.reached = nil, nil
	}
	w.keepArrived(c.set)
	w.takePositions(w.keepTo(c.set), w.keep.looked)
}

// takePositions passes on the positions of all files, which hold for the names
// as they were at the time given. What they say was read is in the ring by then.
func (w *Watcher) takePositions(to func(positions []position, at int64), at int64) {
	w.out.Publish()
	w.keep.seen = w.progress()
	all := w.keep.to.spare[:0]
	for _, f := range w.files {
		// What may be a copy counts as new until that is decided.
		if !f.refused && f.copied == nil {
			all = append(all, f.position())
		}
	}
	to(w.saved.appendMissing(all, at), at)
}
