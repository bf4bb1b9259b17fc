package netio

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/time/rate"
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

const (
	// warnBurst and warnEvery are how many warnings about single clients there are
	// at once, and how often one more.
	warnBurst = 20
	warnEvery = 6 * time.Second
)

// clientWarnings logs what concerns one client, which is named: somebody can make
// that happen as often as there are connections to be had. Counters have it all.
type clientWarnings struct {
	log    *slog.Logger
	may    *rate.Limiter
	unsaid atomic.Int64
}

func newClientWarnings(log *slog.Logger) *clientWarnings {
	return &clientWarnings{log: log, may: rate.NewLimiter(rate.Every(warnEvery), warnBurst)}
}

// Warn logs one, with how many have not been logged since the last, unless there
// are too many: then it is a message of level debug. Safe for concurrent use.
func (w *clientWarnings) Warn(message string, args ...any) {
	if !w.may.Allow() {
		w.unsaid.Add(1)
		w.log.Debug(message, args...)
		return
	}
	if n := w.unsaid.Swap(0); n > 0 {
		args = append(args, "others_not_logged", n)
	}
	w.log.Warn(message, args...)
}
