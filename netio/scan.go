package netio

import "time"

const (
	// maxScan is about how many bytes a pass looks at for filters, and as many
	// for those that are set aside; see filter.Matcher.Work (N7).
	maxScan = 128 << 10
	// maxScanTime is about how long it does that, for each of the two: a byte may
	// cost a nanosecond or, if an RE2 looks at it, a hundred.
	maxScanTime = maxPass / 2
	// clockEvery is after how many bytes the clock is looked at.
	clockEvery = 4 << 10
	// longestByte is what one takes at most.
	longestByte = 160 * time.Nanosecond
	// slowEntry is how long a slow filter takes for an entry. It gets one part in
	// slowParts of a loop's time: the rest, and with few processors the programs
	// that share them, is not to wait for what cannot keep up anyway (N12).
	slowEntry = 20 * time.Microsecond
	slowParts = 4
)

// scan is what may be spent on looking at entries for filters, and what has been.
type scan struct {
	most  int           // bytes
	slow  time.Duration // an entry whose filter is slow takes as long
	done  int
	until time.Time

	entries int  // that were looked at
	timed   int  // done when the clock was last looked at
	late    bool // it was past until
}

// begin has all of it be spent anew, until a time.
func (s *scan) begin(until time.Time) {
	s.done, s.timed, s.entries = 0, 0, 0
	s.extend(until)
}

// extend has the rest be spent until another time.
func (s *scan) extend(until time.Time) { s.until, s.late = until, false }

// spend takes note of an entry that was looked at for n bytes.
func (s *scan) spend(n int) {
	s.entries++
	if s.done += n; s.done-s.timed >= clockEvery {
		s.timed = s.done
		s.late = s.late || time.Now().After(s.until)
	}
}

// part reports whether one n-th has been spent, or the time.
func (s *scan) part(n int) bool { return s.late || s.done >= s.most/n }

// over reports whether no more is to be looked at.
func (s *scan) over() bool { return s.late || s.done >= s.most }

// judge takes note of what was looked at for a group since a time, before which
// the scan was as given. When it is slow, all that are rest (N12).
func (l *loop) judge(g *group, before *scan, began time.Time) {
	entries := l.scan.entries - before.entries
	if entries == 0 {
		return
	}
	spent := min(time.Since(began), time.Duration(l.scan.done-before.done)*longestByte) // it may have lost the processor
	if g.slow = l.scan.over() && spent >= time.Duration(entries)*l.scan.slow; g.slow {
		l.rest = time.Now().Add((slowParts - 1) * spent)
	}
}

// rests reports whether a group is to wait, in which case the loop is woken when
// that is over.
func (l *loop) rests(g *group) bool {
	if !g.slow || !l.now.Before(l.rest) {
		return false
	}
	l.wakeAt(l.rest)
	return true
}
