package netio

import (
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"syscall"
)

// Why subscribers leave, for the log. What is not here is the text of an error
// of their socket.
const (
	leftByItself = "closed by peer"
	leftAtStop   = "server stopped"
	leftAtEnd    = "end of what was asked for"
	leftKicked   = "kicked"
	leftSlow     = "slow"
	leftSilent   = "said no hello"
	leftRefused  = "hello refused"
	leftTooLong  = "sent a line that is too long"
	leftFlooding = "sent more than 256 KiB in a second"
)

// reasonError is what is counted where no other reason is known.
const reasonError = "error"

// disconnectReasons are what the reasons to leave are counted as, reasonError
// for all that are not here.
var disconnectReasons = map[string]string{
	leftByItself: "closed", syscall.EPIPE.Error(): "closed", syscall.ECONNRESET.Error(): "closed",
	leftAtStop: "server_shutdown", leftAtEnd: "limit", leftKicked: "kicked", leftSlow: "slow",
	leftSilent: "hello", leftRefused: "hello", leftTooLong: "hello",
	leftFlooding: "flood",
}

// tally counts by reason. The set of reasons is fixed when it is made, so
// counting takes no lock and all of them can be shown from the start.
type tally map[string]*atomic.Uint64

func newTally(reasons ...string) tally {
	t := make(tally)
	for _, r := range reasons {
		t[r] = new(atomic.Uint64)
	}
	return t
}

func newDisconnects() tally {
	return newTally(append(slices.Collect(maps.Values(disconnectReasons)), reasonError)...)
}

func newRejections() tally {
	return newTally("acl", "full", "rate", "stopping", "tls", "token", reasonError)
}

func (t tally) counts() map[string]uint64 {
	counts := make(map[string]uint64, len(t))
	for reason, n := range t {
		counts[reason] = n.Load()
	}
	return counts
}

// countDisconnect counts one that leaves for a reason.
func (t *Transport) countDisconnect(why string) {
	reason, known := disconnectReasons[why]
	if !known {
		reason = reasonError
	}
	t.disconnects[reason].Add(1)
}

// Rejected counts a client that was not taken because of err, which Enroll
// returns too: then it is counted already.
func (t *Transport) Rejected(err error) {
	reason := reasonError
	switch {
	case errors.Is(err, ErrFull), errors.Is(err, ErrCrowd):
		reason = "full"
	case errors.Is(err, ErrTooOften):
		reason = "rate"
	case errors.Is(err, ErrDenied):
		reason = "acl"
	case errors.Is(err, ErrHandshake):
		reason = "tls"
	case errors.Is(err, ErrToken):
		reason = "token"
	case errors.Is(err, ErrStopping):
		reason = "stopping"
	}
	t.rejections[reason].Add(1)
}

// Losses are dropped entries by the reason that a notice gives for them.
type Losses struct {
	Lagged  uint64 // overwritten before the subscriber had read so far
	Sampled uint64 // beyond its max_rate
	Missed  uint64 // no longer held when it resumed: a gap
}

func (l *Losses) add(o Losses) {
	l.Lagged += o.Lagged
	l.Sampled += o.Sampled
	l.Missed += o.Missed
}

// losses returns the subscriber's, whose sum is Totals.Dropped between two
// passes.
func (s *Subscriber) losses() Losses {
	return Losses{Lagged: s.overrun.Load(), Sampled: s.thinned.Load(), Missed: s.missed.Load()}
}
