package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	probeEvery    = 20 * time.Millisecond
	watchEvery    = 5 * time.Millisecond   // between looks at the board
	trailing      = 200 * time.Millisecond // reading on after the last line: what comes then came twice
	statusTimeout = 3 * time.Second
	sampledRate   = 250_000 // latencies recorded per second, about
	flatEvery     = 61      // flat out: a prime, no multiple of an append's lines
)

// process is what a run has started and must stop.
type process interface {
	alive() error // why it is not
	stop() error
}

// bench is one run in progress.
type bench struct {
	o       options
	started process // the daemon or the forwarder that was started, nil when none was
	pid     int
	http    bool // /status can be asked
	board   board
	session session
	clients []*client // those that read
	deaf    []int     // sockets of those that never do
	turns   *turns    // nil: none were complete
	readers []*reader
	threads sync.WaitGroup
	out     *appender

	before      status
	own         float64 // CPU s of this process when the lines began
	usage       [2]procUsage
	first, last time.Time // appending began, ended
}

// run carries out the run o describes. The error says why there is no report;
// broken invariants are in the report.
func run(ctx context.Context, o options, stderr io.Writer) (*report, error) {
	// The readers and the appender block in system calls of their own. With a
	// processor for each of them and some to spare, nothing waits until the
	// runtime notices that and hands theirs on.
	if n := o.threads + 4; runtime.GOMAXPROCS(0) < n {
		runtime.GOMAXPROCS(n)
	}
	b := &bench{o: o, pid: o.pid}
	if o.bin != "" {
		d, err := startDaemon(o.bin, o.args)
		if err != nil {
			return nil, err
		}
		b.started, b.pid = d, d.cmd.Process.Pid
		b.o.tcp, b.o.http, b.o.file = d.tcp, d.http, d.file
	}
	b.http = b.o.http.IsValid() && !b.o.raw
	rep, err := b.measure(ctx, stderr)
	var dead error
	if b.started != nil {
		dead = b.started.alive() // before the clients go: a forwarder ends with them
	}
	b.close()
	if b.started == nil {
		return rep, err
	}
	if err != nil && dead != nil {
		err = fmt.Errorf("%w; %w", err, dead)
	}
	if stopped := b.started.stop(); stopped != nil && err == nil {
		rep.breaks("%v", stopped)
	}
	return rep, err
}

func (b *bench) measure(ctx context.Context, stderr io.Writer) (*report, error) {
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	for _, r := range b.readers {
		b.threads.Go(r.run)
	}
	if b.o.raw {
		return b.measureRaw(ctx)
	}
	if err := b.synchronise(ctx); err != nil {
		return nil, err
	}
	if err := b.load(ctx, stderr); err != nil {
		return nil, err
	}
	return b.conclude()
}

// prepare opens the file and connects everybody.
func (b *bench) prepare(ctx context.Context) error {
	o := &b.o
	b.session = session{
		form: newLineForm(o.lineBytes), full: o.full, sse: o.sse, notices: o.notices,
		raw: o.raw, nats: o.nats.IsValid(), nchan: o.nchan.IsValid(), bare: o.listen.IsValid(), others: o.others,
		source: o.source(), started: time.Now().UnixNano(),
		every: 1, stallFor: o.stallFor,
	}
	if o.rate == 0 {
		b.session.every = flatEvery
	} else if all := o.rate * o.clients; all > sampledRate {
		b.session.every = uint64(all/sampledRate) | 1
	}
	var err error
	if b.http {
		if b.before, err = fetchStatus(o.http); err != nil {
			return err
		}
	}
	b.board.accounted = make([]atomic.Uint64, o.clients)
	if b.out, err = openOutput(o, b.session.form, &b.board); err != nil {
		return err
	}
	for range min(o.threads, o.clients) {
		r, err := newReader(&b.board)
		if err != nil {
			return err
		}
		b.readers = append(b.readers, r)
	}
	if o.listen.IsValid() {
		return b.accept(ctx)
	}
	return b.connect()
}

// synchronise returns when every client is known to be subscribed.
func (b *bench) synchronise(ctx context.Context) error {
	deadline := time.Now().Add(b.o.settle)
	wait := func(what string, n func() int64, each func() error) error {
		for n() < int64(b.o.clients) {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("interrupted while clients connect: %w", err)
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("only %d of %d clients %s within %v%s", n(), b.o.clients, what, b.o.settle, b.firstFault())
			}
			if err := each(); err != nil {
				return err
			}
			nap(watchEvery)
		}
		return nil
	}
	if b.o.announced() {
		err := wait("were greeted", b.board.greeted.Load, func() error { return nil })
		if err != nil {
			return err
		}
	}
	var last time.Time
	return wait("received a probe line", b.board.synced.Load, func() error {
		if time.Since(last) < probeEvery {
			return nil
		}
		last = time.Now()
		return b.out.probe()
	})
}

// load appends the lines and waits until they have arrived.
func (b *bench) load(ctx context.Context, stderr io.Writer) error {
	b.own = ownCPU()
	if err := b.meter(0); err != nil {
		return err
	}
	done := make(chan struct{})
	var shown sync.WaitGroup
	if b.o.progress {
		shown.Go(func() { showProgress(stderr, &b.board, b.o.lineBytes, done) })
	}
	var inTurns error
	appended := make(chan struct{}) // turns end with it: what arrives behind it is not flat out
	if b.o.turn > 0 {
		shown.Go(func() { inTurns = b.takeTurns(appended) })
	}
	b.first = time.Now()
	err := b.out.run(ctx)
	b.last = time.Now()
	close(appended)
	if err == nil {
		b.drain(ctx)
		err = b.meter(1)
	}
	close(done)
	shown.Wait()
	b.own = ownCPU() - b.own
	return errors.Join(err, inTurns)
}

// drain waits until all lines are accounted for, or nothing has come for
// -settle, or the run is interrupted, and a little longer.
func (b *bench) drain(ctx context.Context) {
	quiet := b.o.settle
	if b.o.stall > 0 {
		quiet += b.o.stallFor // nothing may come until the stalled go on
	}
	seen, since := b.board.bytes.Load(), time.Now()
	for !b.board.finished(b.out.written) && ctx.Err() == nil && time.Since(since) < quiet {
		nap(watchEvery)
		if n := b.board.bytes.Load(); n != seen {
			seen, since = n, time.Now()
		}
	}
	for end := time.Now().Add(trailing); time.Now().Before(end); {
		nap(longestNap)
	}
}

func (b *bench) meter(i int) (err error) {
	if b.pid != 0 {
		b.usage[i], err = usageOf(b.pid)
	}
	return err
}

// conclude asks for the status while the clients are still there, ends the
// readers and makes the report.
func (b *bench) conclude() (*report, error) {
	// A client that never reads is never idle, so the daemon's sums need not
	// add up while it is there.
	b.closeDeaf()
	var after status
	if b.http {
		var err error
		after, err = finalStatus(b.o.http, func(s status) bool {
			t := s.Totals.minus(b.before.Totals)
			return s.Totals.balanced() && t.Delivered >= b.board.entries.Load()
		}, statusTimeout)
		if err != nil {
			return nil, err
		}
	}
	b.stopReaders()
	for _, r := range b.readers {
		if r.err != nil {
			return nil, r.err
		}
	}
	return newReport(b, after), nil
}

func (b *bench) stopReaders() {
	b.board.stop.Store(true)
	b.threads.Wait()
}

// firstFault ends the readers and returns what went wrong first, if anything.
func (b *bench) firstFault() string {
	b.stopReaders()
	for _, c := range b.clients {
		if c.firstFault != "" {
			return fmt.Sprintf(": client %d: %s", c.index, c.firstFault)
		}
		if c.closed {
			return fmt.Sprintf(": client %d: %s", c.index, c.reason)
		}
	}
	return ""
}

func (b *bench) closeDeaf() {
	for _, fd := range b.deaf {
		unix.Close(fd)
	}
	b.deaf = nil
}

// close gives everything back; the daemon is stopped by its owner.
func (b *bench) close() {
	b.stopReaders()
	b.closeDeaf()
	for _, c := range b.clients {
		unix.Close(c.fd)
	}
	for _, r := range b.readers {
		unix.Close(r.epoll)
	}
	if b.out != nil {
		b.out.close()
	}
}
