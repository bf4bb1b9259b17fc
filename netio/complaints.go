package netio

import (
	"errors"
	"log/slog"
	"sync"
	"syscall"
	"time"
)

// complaintEvery is how often one and the same problem is logged.
const complaintEvery = time.Minute

// Complaints logs what may go wrong thousands of times a second: each problem at
// once when it is new, then once a minute with how often it came since. Its
// methods may be called from any goroutine.
type Complaints struct {
	log *slog.Logger
	now func() time.Time

	mu sync.Mutex
	by map[complaint]*said
}

// complaint is a problem: there are as many as messages and error numbers.
type complaint struct {
	message string
	errno   syscall.Errno // 0 for an error without
}

// said says when a problem was logged, and how often it came since.
type said struct {
	at    time.Time
	since int
}

// NewComplaints returns one that logs to log.
func NewComplaints(log *slog.Logger) *Complaints {
	return &Complaints{log: log, now: time.Now, by: make(map[complaint]*said)}
}

// Warn logs a problem, unless it was logged within the last minute.
func (c *Complaints) Warn(message string, err error, args ...any) {
	errno, _ := errors.AsType[syscall.Errno](err)
	c.mu.Lock()
	defer c.mu.Unlock()
	t, now := c.by[complaint{message, errno}], c.now()
	switch {
	case t == nil:
		t = &said{}
		c.by[complaint{message, errno}] = t
	case now.Sub(t.at) < complaintEvery:
		t.since++
		return
	}
	args = append(args, "error", err)
	if t.since > 0 {
		args = append(args, "times_since_last_logged", t.since+1)
	}
	t.at, t.since = now, 0
	c.log.Warn(message, args...)
}
