package forward

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
)

// The pauses between tries: doubled each time, and moved by up to a half either
// way, so that many daemons do not come back at the same moment.
const (
	shortestPause = 100 * time.Millisecond
	longestPause  = 30 * time.Second
	longestAsked  = time.Hour // that a counterpart may ask for
)

// backoff returns the pause after so many failures in a row.
func backoff(failures int) time.Duration {
	d := longestPause
	if failures < 10 {
		d = min(d, shortestPause<<(failures-1))
	}
	return d/2 + rand.N(d)
}

// Stats is what an Output did so far. The four counts add up as they do for a
// client: delivered + filtered + dropped = offered.
type Stats struct {
	Name      string `json:"name"`
	URL       string `json:"url"`     // without secrets
	Circuit   string `json:"circuit"` // closed: at work; open: waits after a failure; half_open: tries again
	Guarantee bool   `json:"guarantee"`

	Offered   uint64 `json:"offered"`
	Delivered uint64 `json:"delivered"`
	Filtered  uint64 `json:"filtered"`
	Dropped   uint64 `json:"dropped"`
	Refused   uint64 `json:"refused"` // of those dropped

	SentEntries uint64 `json:"sent_entries"` // delivered by this run, those under way included
	SentBytes   uint64 `json:"sent_bytes"`   // of their entries, before they are encoded
	Retries     uint64 `json:"retries"`
	LagEntries  uint64 `json:"lag_entries"`
	LastError   string `json:"last_error,omitempty"`
	LastErrorAt string `json:"last_error_at,omitempty"`
}

// counters are the parts of Stats that change, under one lock (F1).
type counters struct {
	mu       sync.Mutex
	next     uint64 // entries before it are accounted for
	s        Stats
	failedAt time.Time

	failedFirst time.Time // since it was well
	open        bool
	half        bool
}

// place returns the seq of the first entry that is not accounted for.
func (c *counters) place() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}

// settle accounts for a batch that is done with.
func (c *counters) settle(b *batch, delivered, refused int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.Offered += b.next - c.next
	c.next = b.next
	c.s.Delivered += uint64(delivered)
	c.s.Filtered += b.filtered
	c.s.Dropped += b.lost + uint64(refused)
	c.s.Refused += uint64(refused)
}

// sent counts entries that the counterpart has.
func (c *counters) sent(bytes, entries int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.SentBytes += uint64(bytes)
	c.s.SentEntries += uint64(entries)
}

func (c *counters) trying(again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.half = again
	if again {
		c.s.Retries++
	}
}

// Waiting says in Stats why an Output has nothing to send yet, nil when that is over.
// Safe for concurrent use.
func (o *Output) Waiting(why error) {
	if why == nil {
		o.stats.well()
		return
	}
	o.stats.failed(why)
}

func (c *counters) well() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open, c.half = false, false
}

// failing reports whether nothing has arrived for longer than d.
func (c *counters) failing(d time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open && time.Since(c.failedFirst) > d
}

func (c *counters) failed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open {
		c.failedFirst = time.Now()
	}
	c.open, c.half = true, false
	c.s.LastError, c.failedAt = err.Error(), time.Now()
}

// Stats returns what the Output did so far. Safe for concurrent use.
func (o *Output) Stats() Stats {
	head := o.collect.ring.Head()
	c := &o.stats
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.s
	s.Name, s.Guarantee = o.name, o.options.Guarantee
	if u, err := o.options.parseURL(); err == nil {
		u.RawQuery, u.User = "", nil
		s.URL = u.String()
	}
	s.Circuit = "closed"
	switch {
	case c.half:
		s.Circuit = "half_open"
	case c.open:
		s.Circuit = "open"
	}
	if head >= c.next {
		s.LagEntries = head + 1 - c.next
	}
	if !c.failedAt.IsZero() {
		s.LastErrorAt = c.failedAt.UTC().Format(time.RFC3339)
	}
	return s
}

// idOf returns the id of entry seq.
func (o *Output) idOf(seq uint64) string {
	return strconv.FormatUint(o.collect.ring.Epoch(), 10) + "-" + strconv.FormatUint(seq, 10)
}
