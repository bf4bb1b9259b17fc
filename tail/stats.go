package tail

import (
	"sync/atomic"
	"time"

	"logwisp/ring"
	"logwisp/ring/entry"
)

// Stats is what a Watcher has done and what it has before it.
type Stats struct {
	Files       int    `json:"files"`        // followed now
	LagBytes    int64  `json:"lag_bytes"`    // in files but not read, as last seen
	Rotations   uint64 `json:"rotations"`    // files that lost their name
	Truncations uint64 `json:"truncations"`  // files whose content was replaced in place
	Errors      uint64 `json:"errors"`       // files that could not be opened or read, once per try
	ReadBytes   uint64 `json:"read_bytes"`   // taken from files
	LostBytes   uint64 `json:"lost_bytes"`   // known to have been written and not read
	Lines       uint64 `json:"lines"`        // sent as entries
	Truncated   uint64 `json:"truncated"`    // lines cut at the limit
	ParseErrors uint64 `json:"parse_errors"` // lines that begin like JSON and are not
	Filtered    uint64 `json:"filtered"`     // lines that [filter] kept out
	Sampled     uint64 `json:"sampled"`      // lines beyond max_lines_per_second
	Skipped     int    `json:"skipped"`      // names beyond max_files
	Open        int    `json:"open"`         // descriptors held
	Polling     bool   `json:"polling"`      // events do not serve everywhere

	Renames     uint64                      `json:"-"` // of Rotations, those whose file is there under another name
	Recreations uint64                      `json:"-"` // the others: the file was deleted
	Levels      [ring.LevelFatal + 1]uint64 `json:"-"` // of Lines, by ring.Level
	Failures    map[string]uint64           `json:"-"` // Errors by what failed: open, read, stat or checkpoint; all four are there
}

// counters are written by the watcher's goroutine and read by any.
type counters struct {
	files, skipped, open              atomic.Int64
	lag                               atomic.Int64
	renames, recreations, truncations atomic.Uint64
	read, lost                        atomic.Uint64
	became                            entry.Totals // of lines
	sampled                           atomic.Uint64
	polling                           atomic.Bool

	failedOpens, failedReads, failedStats atomic.Uint64

	due atomic.Int64 // when Run will be awake at the latest, in the time of now; 0 when it does not run
}

// Stalled returns for how long Run has not come round though it should have:
// more than some seconds mean that a file system does not answer, or that the
// machine is overloaded. Any goroutine may call it. It is 0 when Run does not
// run.
func (w *Watcher) Stalled() time.Duration {
	due := time.Duration(w.stats.due.Load())
	if due == 0 {
		return 0
	}
	return max(0, w.now()-due)
}

// rotations is all that Stats calls so.
func (c *counters) rotations() uint64 { return c.renames.Load() + c.recreations.Load() }

// Stats returns the counters. Any goroutine may call it.
func (w *Watcher) Stats() Stats {
	c := &w.stats
	became := c.became.Load()
	failures := map[string]uint64{"open": c.failedOpens.Load(), "read": c.failedReads.Load(), "stat": c.failedStats.Load(), "checkpoint": w.keep.to.failures()}
	s := Stats{
		Files:       int(c.files.Load()),
		LagBytes:    c.lag.Load(),
		Rotations:   c.rotations(),
		Truncations: c.truncations.Load(),
		Errors:      failures["open"] + failures["read"] + failures["stat"] + failures["checkpoint"],
		ReadBytes:   c.read.Load(),
		LostBytes:   c.lost.Load(),
		Lines:       became.Lines,
		Truncated:   became.Cut,
		ParseErrors: became.ParseErrors,
		Filtered:    became.Filtered,
		Sampled:     c.sampled.Load(),
		Skipped:     int(c.skipped.Load()),
		Open:        int(c.open.Load()),
		Polling:     c.polling.Load(),
		Renames:     c.renames.Load(),
		Recreations: c.recreations.Load(),
		Failures:    failures,
		Levels:      became.Levels,
	}
	return s
}

// countRotation counts that f has lost its name. A descriptor that was given up
// is open again unless the file is nowhere to be found.
func (w *Watcher) countRotation(f *file) {
	gone := !f.refused && len(f.names) == 0
	if f.fd >= 0 {
		gone = f.deleted()
	}
	if gone {
		w.stats.recreations.Add(1)
	} else {
		w.stats.renames.Add(1)
	}
}
