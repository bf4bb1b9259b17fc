package main

import (
	"slices"
	"sync"
	"time"
)

// ledger holds what the subscriber has got against what was written. Its
// methods may be called from any goroutine.
type ledger struct {
	mu          sync.Mutex
	generations []*account // by generation
	counts      counts

	kills   int             // sessions that were ended by a kill
	begun   time.Time       // when the first line of this session came; zero: none yet
	flowed  time.Duration   // how long lines flowed in the sessions before
	repeats uint64          // in this session
	oldest  time.Duration   // when the oldest of these had come before, as lines flowed
	atKill  time.Duration   // when the session before was ended
	worths  []time.Duration // of each kill
}

// account is what has come of one generation.
type account struct {
	next    uint64 // all before it has come, but for missing
	at      uint64 // next in this session
	session int
	missing []span
	written uint64
	marks   []mark // when its lines came
}

// span is numbers from first to before end that were skipped in a session.
type span struct {
	first, end uint64
	session    int
}

// counts are the figures of a run so far.
type counts struct {
	lines      uint64 // that came for the first time
	missing    uint64 // skipped and not come since
	disordered uint64 // came after a later one of their generation
	repeated   uint64 // came again for no reason
	again      uint64 // came again after a kill
	mostAgain  uint64 // after one kill
	// How long before the kill what came again was sent first: at most, and in the
	// median of the kills.
	worth, usual time.Duration
}

// mark says when lines from a number on came, how long lines had flowed by then.
type mark struct {
	number  uint64
	session int
	at      time.Duration
}

// A mark is made every markStep, and as many are kept of a generation as a minute
// has: what comes again from before that counts as sent at the beginning.
const (
	markStep  = 5 * time.Millisecond
	marksKept = int(time.Minute / markStep)
)

func (l *ledger) account(generation uint64) *account {
	for uint64(len(l.generations)) <= generation {
		l.generations = append(l.generations, &account{})
	}
	return l.generations[generation]
}

// wrote notes that n more lines of a generation were written.
func (l *ledger) wrote(generation, n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.account(generation).written += n
}

// take books a line that has come. It reports whether it is the first time.
func (l *ledger) take(in line, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.flow(now)
	a := l.account(in.generation)
	back := a.session != l.kills // going back is allowed once, behind a kill
	follows := in.number == a.at
	a.session, a.at = l.kills, in.number+1
	defer a.note(in.number, l.kills, at, follows && !back)
	switch {
	case in.number == a.next:
		a.next++
	case in.number > a.next:
		l.counts.missing += in.number - a.next
		a.missing = append(a.missing, span{a.next, in.number, l.kills})
		a.next = in.number + 1
	case a.missed(in.number):
		l.counts.missing--
		if a.fill(in.number) == l.kills {
			l.counts.disordered++ // else it is read again behind a kill, and comes after all
		}
	case l.kills > 0 && (back || follows):
		if before := a.sent(in.number, l.kills); l.repeats == 0 || before < l.oldest {
			l.oldest = before
		}
		l.repeats++
		l.counts.again++
		return false
	default:
		l.counts.repeated++
		return false
	}
	l.counts.lines++
	return true
}

// flow returns how long lines have flowed when one comes.
func (l *ledger) flow(now time.Time) time.Duration {
	if l.begun.IsZero() {
		l.begun = now
	}
	return l.flowed + now.Sub(l.begun)
}

// forget gives up the marks of generations that nothing has come of for a while.
func (l *ledger) forget() {
	for _, a := range l.generations {
		if n := len(a.marks); n > 0 && l.flowed-a.marks[n-1].at > time.Minute {
			a.marks = nil
		}
	}
}

// killed ends a session: the stream of a daemon that was killed has been read
// to its end.
func (l *ledger) killed(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle()
	l.kills++
	if !l.begun.IsZero() {
		l.flowed += max(0, at.Sub(l.begun))
	}
	l.begun, l.repeats, l.atKill = time.Time{}, 0, l.flowed
	l.forget()
}

// settle says how long before the last kill the lines were sent that came again
// in this session, 0 if none did.
func (l *ledger) settle() {
	if l.kills == 0 {
		return
	}
	l.counts.mostAgain = max(l.counts.mostAgain, l.repeats)
	worth := time.Duration(0)
	if l.repeats > 0 {
		worth = max(0, l.atKill-l.oldest)
	}
	l.counts.worth = max(l.counts.worth, worth)
	l.worths = append(l.worths, worth)
}

// note notes that a line comes; follows says that it is the next of the session.
func (a *account) note(number uint64, session int, at time.Duration, follows bool) {
	n := len(a.marks)
	if n > 0 && follows && a.marks[n-1].session == session && at-a.marks[n-1].at < markStep {
		return
	}
	if n == marksKept {
		a.marks = append(a.marks[:0], a.marks[n/2:]...)
	}
	a.marks = append(a.marks, mark{number, session, at})
}

// sent returns when a line came last in the sessions before the one given.
func (a *account) sent(number uint64, session int) time.Duration {
	for _, m := range slices.Backward(a.marks) {
		if m.session < session && m.number <= number {
			return m.at
		}
	}
	return 0
}

// flowing reports whether a line has come since the last of so many kills.
func (l *ledger) flowing(kills int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kills == kills && !l.begun.IsZero()
}

// has reports whether everything written of a generation has come.
func (l *ledger) has(generation uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.account(generation)
	return a.next == a.written && len(a.missing) == 0
}

// whole reports whether everything written has come.
func (l *ledger) whole() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.generations {
		if a.next != a.written || len(a.missing) > 0 {
			return false
		}
	}
	return true
}

// came reports whether a line has come.
func (l *ledger) came(in line) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.account(in.generation)
	return in.number < a.next && !a.missed(in.number)
}

// now returns the figures so far.
func (l *ledger) now() counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}

// close returns the final figures: what was written and has not come is
// missing.
func (l *ledger) close() (c counts, written uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle()
	c = l.counts
	if slices.Sort(l.worths); len(l.worths) > 0 {
		c.usual = l.worths[len(l.worths)/2]
	}
	for _, a := range l.generations {
		written += a.written
		if a.written > a.next {
			c.missing += a.written - a.next
		}
	}
	return c, written
}

// missed reports whether a number was skipped and has not come.
func (a *account) missed(number uint64) bool {
	return slices.ContainsFunc(a.missing, func(s span) bool { return s.has(number) })
}

// fill takes a number out of those that are missing, of which it is one. It
// returns the session in which it was skipped.
func (a *account) fill(number uint64) (session int) {
	i := slices.IndexFunc(a.missing, func(s span) bool { return s.has(number) })
	s := a.missing[i]
	var rest []span
	if s.first < number {
		rest = append(rest, span{s.first, number, s.session})
	}
	if number+1 < s.end {
		rest = append(rest, span{number + 1, s.end, s.session})
	}
	a.missing = slices.Replace(a.missing, i, i+1, rest...)
	return s.session
}

func (s span) has(number uint64) bool { return s.first <= number && number < s.end }
