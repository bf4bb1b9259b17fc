package main

import "fmt"

// ledger accounts for the sequences one client receives. The zero value with
// next = 1 expects line 1.
//
// INVARIANT: next+pending is the first line that is neither received, nor
// announced as dropped, nor already booked as lost.
type ledger struct {
	next    uint64 // the line expected when nothing was announced as dropped
	pending uint64 // lines announced as dropped, their jump not seen yet

	received   uint64 // numbered entries, repeated ones too
	dropped    uint64 // lines announced as dropped
	lost       uint64 // lines jumped over without any notice
	duplicates uint64
	disorder   uint64 // lines that came after a later one
	mismatches uint64 // jumps that differ from what was announced

	// The latest jump without notice: a line from it that comes after all is
	// out of order, not repeated.
	holeLow, holeEnd uint64
}

// announce books n lines as dropped before the next entry.
func (l *ledger) announce(n uint64) {
	l.pending += n
	l.dropped += n
}

// accept books line seq and reports whether it was the right one.
func (l *ledger) accept(seq uint64) bool {
	l.received++
	if seq != l.next+l.pending {
		return false
	}
	l.next = seq + 1
	l.pending = 0
	return true
}

// irregular books line seq, which accept has just refused, and says what is
// wrong with it. It resynchronises, so that one fault is counted once.
func (l *ledger) irregular(seq uint64) string {
	switch {
	case seq >= l.holeLow && seq < l.holeEnd:
		l.disorder++
		if seq == l.holeLow {
			l.holeLow++
		}
		if l.lost > 0 {
			l.lost--
		}
		return fmt.Sprintf("line %d came after line %d", seq, l.next-1)
	case seq < l.next:
		l.duplicates++
		return fmt.Sprintf("line %d came again (line %d was next)", seq, l.next)
	case l.pending > 0:
		jump, announced := seq-l.next, l.pending
		if jump > announced {
			l.lost += jump - announced
		}
		l.mismatches++
		l.next, l.pending = seq+1, 0
		return fmt.Sprintf("%d lines announced as dropped, %d missing before line %d", announced, jump, seq)
	default:
		jump := seq - l.next
		l.lost += jump
		l.holeLow, l.holeEnd = l.next, seq
		l.next = seq + 1
		return fmt.Sprintf("%d lines missing before line %d without a notice", jump, seq)
	}
}

// blind books an entry whose sequence cannot be read in the place of the
// expected line, so that its damage is not counted as a loss too.
func (l *ledger) blind() {
	l.received++
	l.next += l.pending + 1
	l.pending = 0
}

// accounted is the number of lines received, dropped or lost: all up to it.
func (l *ledger) accounted() uint64 { return l.next + l.pending - 1 }
