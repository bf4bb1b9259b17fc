package tail

import "time"

// A backlog on disk is not thrown through the ring faster than anyone can read
// it: while much of a file is unread, no more of it is read than half a ring
// ahead of the furthest reader that makes progress. Slow readers hold nothing
// back, and with none at all it is read freely.
//
// What is left when files are read freely again, all of them together, must fit
// in the other half of the ring: short lines take several times their length
// there.
const (
	leadShare   = 0.5
	backlogPart = 8                    // of the ring: so much may be unread of files that are read freely
	holdTime    = 2 * time.Millisecond // in which a reader at 10 GB/s takes a third of the default ring
)

// heldBack reports whether f, or the file that is read before it, has to wait
// for readers.
func (w *Watcher) heldBack(f *file) bool {
	for f.after != nil && f.after.phase != closed && !f.after.atEnd {
		f = f.after
	}
	if w.keep.acked != nil {
		return w.farAhead()
	}
	if w.stats.lag.Load() <= w.backlog || f.lag <= w.backlog/int64(max(w.behind, 1)) {
		return false
	}
	return w.farAhead()
}

// farAhead reports whether readers have to come closer first.
func (w *Watcher) farAhead() bool {
	share, reading := w.ring.Lead()
	return reading && share > leadShare
}

// fullShare is how much of the ring the entries may take that are not
// acknowledged yet.
const fullShare = 0.75

// makeRoom waits, before a page is published, until the one reader has
// acknowledged enough: one read of short lines with long tags may be more than
// the ring holds. Others are not waited for, and nobody at the end: what is
// overwritten then is not acknowledged, and read again.
func (w *Watcher) makeRoom() {
	if w.keep.acked == nil {
		return
	}
	for {
		share, _ := w.ring.Lead()
		if share <= fullShare {
			return
		}
		w.out.Wake()
		select {
		case <-w.ending:
			return
		case <-time.After(holdTime):
		}
	}
}

// hold puts f aside until holdTime has passed.
func (w *Watcher) hold(f *file) {
	if !f.held {
		f.held = true
		if len(w.held) == 0 {
			w.schedule.nextHeld = w.now() + holdTime
		}
		w.held = append(w.held, f)
	}
}

// releaseHeld has the files put aside looked at again, if readers have come
// closer: with ten thousand files, asking for each would take all the time.
func (w *Watcher) releaseHeld() {
	if w.farAhead() {
		w.schedule.nextHeld = w.now() + holdTime
		return
	}
	list := w.held
	w.held = nil
	for _, f := range list {
		f.held = false
		w.queue(f)
	}
}
