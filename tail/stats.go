package tail

import "sync/atomic"

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
}

// counters are written by the watcher's goroutine and read by any.
type counters struct {
	files, skipped, open    atomic.Int64
	lag                     atomic.Int64
	rotations, truncations  atomic.Uint64
	errors, read, lost      atomic.Uint64
	lines, cut, parseErrors atomic.Uint64
	filtered, sampled       atomic.Uint64
	polling                 atomic.Bool
}

// Stats returns the counters. Any goroutine may call it.
func (w *Watcher) Stats() Stats {
	c := &w.stats
	return Stats{
		Files:       int(c.files.Load()),
		LagBytes:    c.lag.Load(),
		Rotations:   c.rotations.Load(),
		Truncations: c.truncations.Load(),
		Errors:      c.errors.Load(),
		ReadBytes:   c.read.Load(),
		LostBytes:   c.lost.Load(),
		Lines:       c.lines.Load(),
		Truncated:   c.cut.Load(),
		ParseErrors: c.parseErrors.Load(),
		Filtered:    c.filtered.Load(),
		Sampled:     c.sampled.Load(),
		Skipped:     int(c.skipped.Load()),
		Open:        int(c.open.Load()),
		Polling:     c.polling.Load(),
	}
}
