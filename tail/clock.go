package tail

import "time"

// clock turns times of the watcher, which only go forward, into the dates that
// files have, which are the system clock's. That one may be set while the daemon
// runs: what happened before has a date by what it showed then.
type clock struct {
	zero   int64         // what the system's clock shows less the watcher's time, nanoseconds since 1970
	before int64         // the same until it was set for the last time
	set    time.Duration // when that was noticed; 0: never
}

// setApart is by how much the clock must differ to count as set: one that is
// slowed or hurried to be right again does not.
const setApart = 500 * time.Millisecond

// tell takes what the system's clock shows at a time of the watcher. It returns
// by how much it was set since the last call, 0 if it was not.
func (c *clock) tell(at time.Duration, shows time.Time) time.Duration {
	zero := shows.UnixNano() - int64(at)
	by := time.Duration(zero - c.zero)
	if by.Abs() < setApart {
		by = 0
	} else {
		c.before, c.set = c.zero, at
	}
	c.zero = zero
	return by
}

// date returns the least date that a file may have which was made at a time of the
// watcher, in nanoseconds since 1970: if the clock was set since, by what it showed
// before or by what it shows now.
func (c *clock) date(at time.Duration) int64 {
	if at < c.set {
		return min(c.zero, c.before) + int64(at)
	}
	return c.zero + int64(at)
}

// tellTime looks whether the clock was set. Both times are of one reading: the
// process may be stopped between two.
func (w *Watcher) tellTime() {
	now := time.Now()
	if by := w.clock.tell(now.Sub(w.start), now); by != 0 {
		w.log.Info("the clock was set, or the machine slept: files are followed all the same", "by", by.Round(time.Millisecond))
	}
}

// date is what clock says after another look at the clock.
func (w *Watcher) date(at time.Duration) int64 {
	w.tellTime()
	return w.clock.date(at)
}
