package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"
)

// The waits before a new connection: each twice as long as the one before.
const (
	firstWait   = 100 * time.Millisecond
	longestWait = 10 * time.Second
)

// follower prints the entries of a stream, and follows it across connections:
// what has been printed is not asked for again.
type follower struct {
	*tailCommand
	server *address
	out    *screen
	format formatter
	inline bool // notices stand between the entries, not on standard error
	paint  palette
	wait   func(ctx context.Context, d time.Duration)

	lastID    []byte // of the last entry that was printed or reported lost
	printed   uint64
	connected bool // a connection has been greeted, ever
	discard   bool // this one has not, and what it sends is not ours
	ended     bool // the server has sent all there will be
}

// errDone says that all that was asked for is printed, or that nobody reads it.
var errDone = errors.New("done")

// run follows until there is nothing to follow, or ctx ends, whose cause it
// returns then.
func (f *follower) run(ctx context.Context) error {
	wait := firstWait
	for told := false; ; {
		before, since := f.printed, time.Now()
		wasConnected := f.connected
		err := f.connection(ctx, &told)
		var final *refusal
		var later *busy
		switch {
		case errors.Is(err, errDone), errors.Is(context.Cause(ctx), errDone):
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &final):
			return final
		case !f.connected && errors.As(err, &later):
			return &refusal{code: exitUnavailable, lines: []string{err.Error()}}
		case !f.connected, !f.Follow: // there is nothing to wait for, so it is not waited for
			return f.server.unreachable(reason(err))
		}
		if f.printed > before || wasConnected != f.connected || time.Since(since) > longestWait {
			wait = firstWait
		}
		if !told {
			told = true
			f.out.notice(fmt.Sprintf("%s: %v; connecting again", f.server, reason(err)))
		}
		f.wait(ctx, pause(wait, err))
		wait = min(2*wait, longestWait)
	}
}

// pause is how long to wait: half to all of the given time, so that clients
// that lost a server do not come back all at once; what the server says is the
// least.
func pause(wait time.Duration, err error) time.Duration {
	least := wait / 2
	var b *busy
	if errors.As(err, &b) && b.after > 0 {
		least = b.after
	}
	return least + rand.N(least+1)
}

// reason is why a stream has ended, in words.
func reason(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the server has closed the connection")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errors.New("no answer to the hello line: handshakes may be off there, or it is no LogWisp server")
	}
	return err
}

// sleep waits, but no longer than ctx.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// connection follows one connection to its end, of which its error is the
// reason. told is reset, and said so, when a lost connection is replaced.
func (f *follower) connection(ctx context.Context, told *bool) error {
	s, err := f.open(ctx, string(f.lastID))
	if err != nil {
		return err
	}
	defer s.close()
	f.discard, f.ended = s.discard, false
	greet := func() {
		s.greeted()
		f.connected = true
		if *told {
			*told = false
			f.out.notice(f.server.String() + ": connected again")
		}
	}
	lines := &lineReader{from: s}
	for {
		block, err := lines.block()
		if err == nil {
			err = f.take(block, greet)
		}
		if flushed := f.out.flush(); flushed != nil {
			return flushed
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && !f.Follow && f.connected:
			return errDone
		case errors.Is(err, os.ErrDeadlineExceeded) && !f.connected:
			return reason(err)
		default:
			return err
		}
	}
}

// controlPrefix begins every control line and no entry.
const controlPrefix = `{"type":`

// take prints the lines of a block, which ends with a newline.
func (f *follower) take(block []byte, greet func()) error {
	for len(block) > 0 {
		line, rest := cutLine(block)
		block = rest
		if len(line) >= len(controlPrefix) && string(line[:len(controlPrefix)]) == controlPrefix {
			if err := f.control(line, greet); err != nil {
				return err
			}
			continue
		}
		if f.discard || len(line) == 0 {
			continue
		}
		id, entry := cutID(line)
		f.out.text = f.format.entry(f.out.text, entry, id != nil)
		f.printed++
		f.out.entries = f.printed
		if id != nil {
			f.lastID = append(f.lastID[:0], id...)
		}
		if f.printed == f.Limit {
			return errDone
		}
	}
	return nil
}
