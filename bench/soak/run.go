package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

const (
	// stall is how long nothing may come while lines are written.
	stall = 30 * time.Second
	// settle is how long nothing may come behind the last line before what is
	// missing counts as lost: longer than an output rests after failures.
	settle = 60 * time.Second
	// trailing is how long nothing may come behind the last line before it counts as
	// the last: what is read twice comes later.
	trailing = 2 * time.Second
	// step is how often the run is looked at.
	step = 10 * time.Millisecond
)

// soak is one run.
type soak struct {
	o      options
	stderr io.Writer
	random *rand.Rand

	daemon     *daemon
	logger     *logger
	ledger     *ledger
	subscriber *subscriber
	receiver   *receiver // in mode guarantee: takes the subscriber's place

	begin time.Time
	first footprint // when the ring is likely to be full
	most  footprint // of those seen

	kills   int
	dropped uint64 // entries, as counted by the daemons before they were killed
	killed  chan time.Time
	killAt  time.Time // zero: no line has come since the last kill

	wrote, read chan error // how the writer and the subscriber ended

	lastGot   uint64
	lastMoved time.Time
}

// run carries out a run in a temporary directory, which it removes.
func run(ctx context.Context, o options, stderr io.Writer) (rep *report, err error) {
	dir, err := os.MkdirTemp("", "logwisp-soak-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := prepare(o, dir, stderr)
	if err != nil {
		return nil, err
	}
	// The subscriber goes on when the writer is told to end.
	reading, stopReading := context.WithCancel(context.Background())
	defer stopReading()
	if err = s.daemon.start(); err == nil {
		go func() { s.read <- s.readAll(reading) }()
		err = s.ready(ctx)
	}
	if err == nil {
		rep, err = s.measure(ctx)
	}
	stopReading()
	if err = errors.Join(err, s.daemon.stop()); err != nil {
		return nil, err
	}
	return rep, nil
}

func prepare(o options, dir string, stderr io.Writer) (*soak, error) {
	s := &soak{
		o: o, stderr: stderr, random: rand.New(rand.NewPCG(o.seed, 2)), ledger: &ledger{},
		killed: make(chan time.Time, 1), wrote: make(chan error, 1), read: make(chan error, 1),
	}
	logs := filepath.Join(dir, "logs")
	if err := os.Mkdir(logs, 0o755); err != nil {
		return nil, fmt.Errorf("make the directory of the log: %w", err)
	}
	var err error
	if s.logger, err = newLogger(&s.o, logs, s.ledger); err != nil {
		return nil, err
	}
	if s.daemon, err = newDaemon(&s.o, dir, logs); err != nil {
		return nil, err
	}
	at := s.daemon.tcp
	if o.proto == "sse" {
		at = s.daemon.http
	}
	if o.mode == "guarantee" {
		at = s.daemon.collector
	}
	s.subscriber = newSubscriber(&s.o, at, s.ledger, s.killed)
	if o.mode == "guarantee" {
		s.receiver = &receiver{subscriber: s.subscriber, random: rand.New(rand.NewPCG(o.seed, 3))}
	}
	return s, nil
}

// readAll takes what the daemon sends until ctx is done.
func (s *soak) readAll(ctx context.Context) error {
	if s.receiver != nil {
		return s.receiver.receive(ctx)
	}
	return s.subscriber.run(ctx)
}

// ready returns when the subscriber has been let in. A receiver listens itself:
// there it is whoever knocks at the daemon's port, which opens once the log is
// followed. What is written and rotated away before is nobody's.
func (s *soak) ready(ctx context.Context) error {
	if s.receiver != nil {
		c, err := s.daemon.await(ctx, s.daemon.http, "", time.Now().Add(startTimeout))
		if err == nil {
			c.Close()
		}
		return err
	}
	select {
	case <-s.subscriber.connected:
		return nil
	case <-s.daemon.exited:
		return s.daemon.alive()
	case <-ctx.Done():
		return errors.New("interrupted before the daemon was up")
	case <-time.After(startTimeout):
		return fmt.Errorf("the daemon has let nobody in for %v%s", startTimeout, s.daemon.ownLog())
	}
}

// measure has the log written and rotated, and the daemon killed if it is to
// be, until the run is over and everything has come.
func (s *soak) measure(ctx context.Context) (*report, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.o.limit(), errors.New("it took too long"))
	defer cancel()
	writing, stopWriting := context.WithCancel(ctx)
	defer stopWriting()
	s.begin = time.Now()
	s.lastMoved = s.begin
	go func() {
		s.wrote <- s.logger.run(writing)
		close(s.wrote) // who waits for the end after a failure has it, too
	}()
	err := s.watch(writing, stopWriting)
	if err != nil {
		stopWriting()
		<-s.wrote
		return nil, err
	}
	took := time.Since(s.begin)
	if err := s.drain(ctx); err != nil {
		return nil, err
	}
	rep, err := s.conclude(took)
	if err == nil && ctx.Err() != nil {
		rep.breaks("the run was cut short: %v", context.Cause(ctx))
	}
	return rep, err
}

// watch returns when the writer has ended, which it calls for itself when all
// kills are done.
func (s *soak) watch(writing context.Context, stopWriting func()) error {
	look := time.NewTicker(step)
	defer look.Stop()
	progress := time.NewTicker(s.o.progress)
	defer progress.Stop()
	for {
		select {
		case err := <-s.wrote:
			return err
		case err := <-s.read:
			return errors.Join(err, s.daemon.alive())
		case <-progress.C:
			s.showProgress()
		case now := <-look.C:
			if err := s.daemon.alive(); err != nil {
				return err
			}
			if !s.moves(now, stall) {
				return fmt.Errorf("nothing has come for %v%s", stall, s.daemon.ownLog())
			}
			if s.o.killing() {
				done, err := s.killWhenDue(writing, now)
				if err != nil {
					return err
				}
				if done {
					stopWriting()
				}
			}
		}
	}
}

// moves reports whether lines have come within patience.
func (s *soak) moves(now time.Time, patience time.Duration) bool {
	if got := s.subscriber.got.Load(); got != s.lastGot {
		s.lastGot, s.lastMoved = got, now
	}
	return now.Sub(s.lastMoved) < patience
}

// killWhenDue kills the daemon and starts it again at a random moment after
// lines have come. It reports whether that has been done as often as asked.
func (s *soak) killWhenDue(writing context.Context, now time.Time) (done bool, err error) {
	switch {
	case !s.ledger.flowing(s.kills):
		return false, nil
	case s.kills == s.o.kills:
		return true, nil
	case s.killAt.IsZero():
		s.killAt = now.Add(time.Duration(s.random.Int64N(int64(s.o.uptime))))
		return false, nil
	case now.Before(s.killAt):
		return false, nil
	}
	time.Sleep(time.Duration(s.random.Int64N(int64(step)))) // not only at ticks
	s.seeFootprint()
	if st, err := s.daemon.status(); err == nil { // a busy one may not answer in time
		s.dropped += st.Totals.Dropped
	}
	s.killed <- time.Now()
	s.daemon.kill()
	s.kills++
	s.killAt = time.Time{}
	if s.o.downtime > 0 {
		select {
		case <-writing.Done():
		case <-time.After(time.Duration(s.random.Int64N(int64(s.o.downtime)))):
		}
	}
	return false, s.daemon.start()
}

// drain waits until everything written has come and nothing more does, or nothing
// comes any more.
func (s *soak) drain(ctx context.Context) error {
	s.lastMoved = time.Now()
	for ctx.Err() == nil && s.moves(time.Now(), settle) {
		select {
		case err := <-s.read:
			return errors.Join(err, s.daemon.alive())
		case <-time.After(step):
		}
		if s.ledger.whole() && !s.moves(time.Now(), trailing) {
			return nil
		}
	}
	return nil
}

// seeFootprint notes what the process holds, if it is more than before.
func (s *soak) seeFootprint() footprint {
	f := s.daemon.footprint()
	if s.first.resident == 0 || time.Since(s.begin) < 3*s.o.progress+time.Second {
		s.first = f
	}
	s.most.peak = max(s.most.peak, f.peak)
	s.most.descriptors = max(s.most.descriptors, f.descriptors)
	return f
}
