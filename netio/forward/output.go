package forward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"sync/atomic"
	"time"

	"logwisp/netio"
	"logwisp/ring"
	"logwisp/ring/filter"
)

// Output pushes a ring's entries to one counterpart. Run's goroutine owns
// everything but the counters.
type Output struct {
	name    string
	options Options
	log     *slog.Logger
	collect collector
	waker   *ring.Waker
	woken   chan struct{}
	sender  sender
	wait    time.Duration // how long a batch that is not full waits

	start    uint64 // seq of the first entry that is offered
	draining chan struct{}
	drained  atomic.Bool // Drain was called
	stats    counters
	acked    atomic.Uint64 // seq up to which nothing has to be sent any more (F2)
	lagging  bool          // entries were lost since it had last caught up
	broken   bool          // of those with a guarantee: entries were overwritten, nothing is acknowledged any more
	failures int           // tries in a row
	hurried  bool          // a pause was cut short since it is drained
	problem  string        // of the last try, said once
}

// sender is the way to a counterpart. It is used by one goroutine.
type sender interface {
	// send delivers the entries of p in order. The error says why it did not
	// come to the end: a *refusal when sending what is left again is of no use.
	send(ctx context.Context, p part) (outcome, error)
	close()
}

// outcome is what has become of a part.
type outcome struct {
	done    int    // entries, from the first, that have not to be sent again
	refused int    // of those: the counterpart does not take them
	cause   string // why
}

// refusal is the answer of a counterpart that will not take what it was sent,
// whenever it is sent.
type refusal struct{ cause string }

func (r *refusal) Error() string { return r.cause }

// busy is the answer of a counterpart that wants to be left alone for a while.
type busy struct {
	cause string
	after time.Duration
}

func (b *busy) Error() string { return b.cause }

// New returns an Output that begins at the live end of r, or with oldest at the
// oldest entry held. The error is one of Options.Check, or that of a certificate
// store. The caller calls Run.
func New(o Options, r *ring.Ring, oldest bool, log *slog.Logger) (*Output, error) {
	return NewThrough(nil, o, r, oldest, log)
}

// NewThrough is New for a counterpart that c leads to, which is the Output's
// from here on. A nil c means one of this package.
func NewThrough(c netio.Carrier, o Options, r *ring.Ring, oldest bool, log *slog.Logger) (*Output, error) {
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("output %s: %w", o.Label(), err)
	}
	f, err := filter.Compile(filter.Spec(o.Filter), r.SourceName)
	if err != nil {
		return nil, fmt.Errorf("output %s: filter: %w", o.Label(), err)
	}
	out := &Output{
		name: o.Label(), options: o, log: log.With("output", o.Label()),
		woken: make(chan struct{}, 1), draining: make(chan struct{}),
	}
	out.collect = collector{ring: r, reader: r.NewReader(), cursor: r.Live(), limit: int(o.BatchBytes)}
	if oldest {
		out.collect.cursor, _ = r.Seek(r.Oldest())
	}
	if f.Key() != "" {
		out.collect.matcher = f.NewMatcher()
	}
	out.start = out.collect.cursor.Seq()
	out.stats.next = out.start
	out.passed(out.start)
	out.waker = r.NewWaker(out.wake)
	u, _ := o.parseURL() // checked
	if c != nil {
		out.sender, out.wait = &carried{c, r}, time.Duration(o.BatchWait)*time.Millisecond
	} else if u.Scheme == "http" || u.Scheme == "https" {
		out.sender, out.wait = newWebSender(&out.options, u), time.Duration(o.BatchWait)*time.Millisecond
	} else {
		out.sender = newStreamSender(&out.options, u, r.Epoch())
	}
	return out, nil
}

// wake is called by producers; it never waits.
func (o *Output) wake() {
	select {
	case o.woken <- struct{}{}:
	default:
	}
}

// Acked returns the seq of the newest entry such that neither it nor one before
// it has to be sent any more. Safe for concurrent use.
func (o *Output) Acked() uint64 { return o.acked.Load() }

// waitedFor is how long a counterpart may not be reached before it is no use to
// wait for it.
const waitedFor = 5 * time.Second

// Reached returns the seq up to which the counterpart has what there is, for those
// who would wait for that. It is the greatest number once tries have failed for
// more than waitedFor, and with a guarantee, which has a ring of its own. Safe for
// concurrent use.
func (o *Output) Reached() uint64 {
	if o.options.Guarantee || o.stats.failing(waitedFor) {
		return math.MaxUint64
	}
	return o.acked.Load()
}

// passed says that nothing before seq next has to be sent any more. The ring
// hears of it too: who reads files for this Output keeps near it.
func (o *Output) passed(next uint64) {
	if o.broken { // F2
		return
	}
	o.acked.Store(next - 1)
	o.collect.reader.Reach(next)
}

// Drain has Run return once everything that is in the ring by now is delivered.
// Nothing is published any more when it is called.
func (o *Output) Drain() {
	if o.drained.CompareAndSwap(false, true) {
		close(o.draining)
	}
}

// Run pushes entries until ctx ends, or after Drain until there are none. What is
// under way when ctx ends counts as not delivered.
func (o *Output) Run(ctx context.Context) {
	defer o.collect.reader.Close()
	defer o.sender.close()
	var b batch
	for ctx.Err() == nil {
		b.reset(o.collect.cursor.Seq())
		if !o.gather(ctx, &b) {
			break
		}
		o.tellLoss(&b)
		if _, places := o.sender.(*carried); places && o.broken {
			break // what it is told of files would be beyond what it has not
		}
		o.deliver(ctx, &b)
	}
	if lag := o.Stats().LagEntries; lag > 0 {
		o.log.Warn("output stops with entries that were not delivered", "entries", lag)
	}
}

// gather fills b: until it is full, or its oldest entry has waited long enough.
// It returns false when there is nothing to send any more.
func (o *Output) gather(ctx context.Context, b *batch) bool {
	for !o.collect.fill(b) {
		left := o.wait
		if b.len() > 0 {
			if age := time.Since(time.Unix(0, b.stamp)); age >= 0 {
				left -= age
			} else {
				left = 0 // the clock was set back
			}
		}
		if o.drained.Load() {
			return o.collect.fill(b) || b.next > o.stats.place()
		}
		if b.len() > 0 && left <= 0 {
			return true
		}
		if b.len() == 0 && b.next > o.stats.place() {
			o.tellLoss(b)
			o.stats.settle(b, 0, 0)
			o.passed(b.next)
			o.caughtUp()
			b.reset(b.next)
		}
		if !o.sleep(ctx, b, left) {
			return false
		}
	}
	return true
}

// sleep waits for entries, and not longer than left when there are some.
func (o *Output) sleep(ctx context.Context, b *batch, left time.Duration) bool {
	if !o.waker.Park(b.next - 1) {
		return true
	}
	var enough <-chan time.Time
	if b.len() > 0 {
		enough = time.After(left)
	}
	select {
	case <-ctx.Done():
		return false
	case <-o.draining:
	case <-o.woken:
	case <-enough:
	}
	return true
}

// deliver sends b until all of it is delivered or refused, or ctx ends.
func (o *Output) deliver(ctx context.Context, b *batch) {
	refused, next := o.deliverPart(ctx, b.all())
	if next < b.len() { // ctx has ended; what is done with does not come again after the next start
		o.passed(b.seqs[next])
		return
	}
	o.stats.settle(b, b.len()-refused, refused)
	o.passed(b.next)
	if o.collect.cursor.Behind() == 0 {
		o.caughtUp()
	}
}

// deliverPart sends p until nothing of it is left, and returns how many entries
// the counterpart has refused. next is the first that is not done with: p.last,
// unless ctx has ended before.
//
// What is refused as a whole is sent in halves, and an entry that is refused
// alone is dropped.
func (o *Output) deliverPart(ctx context.Context, p part) (refused, next int) {
	for p.len() > 0 {
		out, err := o.attempt(ctx, p)
		p.first += out.done
		refused += out.refused
		if r, ok := errors.AsType[*refusal](err); ok {
			if p.len() == 1 {
				o.log.Error("the counterpart refuses an entry, it is dropped", "id", o.idOf(p.seqs[p.first]), "bytes", len(p.bytes()), "error", r)
				return refused + 1, p.last
			}
			half := part{p.batch, p.first, p.first + p.len()/2}
			n, next := o.deliverPart(ctx, half)
			if refused += n; next < half.last {
				return refused, next
			}
			p.first = half.last
			continue
		}
		if err != nil && !o.pause(ctx, err) {
			return refused, p.first
		}
	}
	return refused, p.last
}

// attempt is one try to send p.
func (o *Output) attempt(ctx context.Context, p part) (outcome, error) {
	o.stats.trying(o.failures > 0)
	out, err := o.sender.send(ctx, p)
	o.stats.sent(p.end(p.first+out.done-1)-p.end(p.first-1), out.done-out.refused)
	if out.refused > 0 {
		o.log.Error("the counterpart refuses entries, they are dropped", "entries", out.refused, "error", out.cause)
	}
	if _, refused := errors.AsType[*refusal](err); err == nil || refused {
		if o.failures > 0 {
			o.log.Info("output is well again", "tries", o.failures)
		}
		o.failures, o.problem = 0, ""
		o.stats.well()
	}
	return out, err
}

// pause waits after a failed try, longer each time, and reports whether to try
// again.
func (o *Output) pause(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	o.failures++
	wait := backoff(o.failures)
	if b, ok := errors.AsType[*busy](err); ok && b.after > 0 {
		wait = min(b.after, longestAsked)
	}
	o.stats.failed(err)
	if !o.options.Guarantee && o.stats.failing(waitedFor) {
		o.collect.reader.Reach(0) // files are not held back for it any more, see passed
	}
	if problem := problemOf(err); o.problem != problem {
		o.problem = problem
		o.log.Warn("output fails and will be tried again, until then nothing is delivered", "error", err)
	}
	draining := o.draining
	if o.hurried {
		draining = nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-draining: // there is little time left: one more try
		o.hurried = true
	case <-time.After(wait):
	}
	return true
}

// problemOf returns what stays the same of an error when it comes again: a connection
// has another port each time.
func problemOf(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Op + " " + op.Err.Error()
	}
	return err.Error()
}

// tellLoss says once, until the Output has caught up, that entries were
// overwritten before they could be read.
func (o *Output) tellLoss(b *batch) {
	if b.lost > 0 && o.options.Guarantee && !o.broken {
		o.broken = true
		o.log.Error("entries were overwritten before they were sent: they are sent after the next start", "lost", b.lost)
		return
	}
	if b.lost > 0 && !o.lagging {
		o.lagging = true
		o.log.Warn("output lags: entries are dropped for it until it has caught up", "lost", b.lost)
	}
}

func (o *Output) caughtUp() { o.lagging = false }
