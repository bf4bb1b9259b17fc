package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// What may come again after a kill is what was sent in the last second, in the last
// seven where the subscriber was behind, and what it takes to write a checkpoint.
// The subscriber here keeps up but for moments: in half of the kills it has only
// the second.
const (
	worthMost  = 7500 * time.Millisecond
	worthUsual = 1500 * time.Millisecond
)

// report is what a run has found.
type report struct {
	mode, proto string
	seed        uint64
	took        time.Duration
	written     uint64
	counts      counts
	left        uint64 // of those lost, lines that stand in the log or a copy beside it
	strange     uint64
	example     string
	announced   uint64
	rotations   uint64
	kills       int
	toKill      int    // that were asked for
	crashes     uint64 // of the receiver
	p50, p99    time.Duration
	longest     time.Duration
	first, last footprint
	most        footprint
	status      status // of the last daemon

	broken []string
}

func (r *report) breaks(format string, args ...any) {
	r.broken = append(r.broken, fmt.Sprintf(format, args...))
}

// conclude compares what came with what was written.
func (s *soak) conclude(took time.Duration) (*report, error) {
	r := &report{
		mode: s.o.mode, proto: s.o.proto, seed: s.o.seed, took: took,
		rotations: s.logger.rotations.Load(), kills: s.kills,
		p50: s.subscriber.quantile(50), p99: s.subscriber.quantile(99), longest: s.subscriber.quantile(100),
	}
	r.last = s.seeFootprint()
	r.first, r.most = s.first, s.most
	r.counts, r.written = s.ledger.close()
	s.subscriber.mu.Lock()
	r.strange, r.example, r.announced = s.subscriber.strange, s.subscriber.example, s.subscriber.announce
	s.subscriber.mu.Unlock()
	var err error
	if r.status, err = s.daemon.status(); err != nil {
		return nil, err
	}
	if r.left, err = s.logger.left(); err != nil {
		return nil, err
	}
	r.status.Totals.Dropped += s.dropped
	if s.receiver != nil {
		r.crashes = s.receiver.crashes.Load()
	}
	if s.o.killing() {
		r.toKill = s.o.kills
	}
	r.judge()
	return r, nil
}

// judge lists what should not have happened.
func (r *report) judge() {
	if r.written == 0 || r.counts.lines == 0 {
		r.breaks("%d lines were written and %d came: nothing was tested", r.written, r.counts.lines)
	}
	if r.kills < r.toKill {
		r.breaks("only %d of %d kills were done: give it more -duration, or fewer -kills", r.kills, r.toKill)
	}
	copying, again := r.mode == "copytruncate", r.mode == "guarantee" // at least once, and in any order
	if n := r.counts.missing; n > 0 && !copying {
		r.breaks("%d lines were lost", n)
	}
	if r.left > 0 {
		r.breaks("%d lines that stand in the log, or in a copy beside it, have not come", r.left)
	}
	if n := r.counts.repeated; n > 0 && !again {
		r.breaks("%d lines came twice", n)
	}
	if n := r.counts.disordered; n > 0 && !again {
		r.breaks("%d lines came out of order", n)
	}
	if r.strange > 0 && !copying {
		r.breaks("%d entries are not as written, the first is %s", r.strange, r.example)
	}
	if r.announced > 0 || r.status.Totals.Dropped > 0 {
		r.breaks("/status counts %d entries dropped for the subscriber, which was told %d times: it was too slow", r.status.Totals.Dropped, r.announced)
	}
	if n := r.status.Sources.LostBytes; n > 0 && !copying && r.mode != "kill" && !again {
		r.breaks("/status counts %d bytes as lost", n)
	}
	if r.counts.worth > worthMost && !again {
		r.breaks("what came again after a kill was sent up to %v before it, want at most %v", r.counts.worth.Round(time.Millisecond), worthMost)
	}
	if r.counts.usual > worthUsual && !again {
		r.breaks("what came again after a kill was sent up to %v before it in half of the kills, want at most %v", r.counts.usual.Round(time.Millisecond), worthUsual)
	}
}

// write prints the figures.
func (r *report) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, name+"\t"+format+"\n", args...) }
	row("mode", "%s over %s, seed %d", r.mode, r.proto, r.seed)
	row("time", "%v", r.took.Round(time.Millisecond))
	row("lines written", "%d, %.0f a second", r.written, float64(r.written)/r.took.Seconds())
	row("rotations", "%d; the daemon has seen %d, and %d truncations", r.rotations, r.status.Sources.Rotations, r.status.Sources.Truncations)
	row("came once", "%d", r.counts.lines)
	row("lost", "%d", r.counts.missing)
	row("repeated", "%d", r.counts.repeated)
	row("out of order", "%d", r.counts.disordered)
	if r.mode == "copytruncate" {
		row("torn", "%d", r.strange)
	}
	if r.mode != "rename" && r.mode != "mixed" {
		row("lost bytes", "%d known to the daemon", r.status.Sources.LostBytes)
	}
	if r.mode == "guarantee" {
		row("kills", "%d; the receiver has crashed %d times", r.kills, r.crashes)
	}
	if r.mode == "kill" {
		row("kills", "%d; the daemon's own figures are those since the last", r.kills)
		row("came again", "%d, at most %d after one kill, sent at most %v before it, in the median %v",
			r.counts.again, r.counts.mostAgain, r.counts.worth.Round(time.Millisecond), r.counts.usual.Round(time.Millisecond))
	}
	row("latency", "p50 %v, p99 %v, longest %v", r.p50, r.p99, r.longest)
	row("resident", "%s at first, %s at the end, %s at most", mebibytes(r.first.resident), mebibytes(r.last.resident), mebibytes(r.most.peak))
	row("descriptors", "%d at first, %d at the end, %d at most", r.first.descriptors, r.last.descriptors, r.most.descriptors)
	if len(r.broken) == 0 {
		row("verdict", "as promised")
	}
	for _, b := range r.broken {
		row("BROKEN", "%s", b)
	}
	return t.Flush()
}

func mebibytes(n uint64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }

// showProgress prints the figures so far in one line.
func (s *soak) showProgress() {
	c, f := s.ledger.now(), s.seeFootprint()
	fmt.Fprintf(s.stderr, "%6.0f s  %d written  %d came  %d rotations  %d kills  %d missing  %d repeated  %d again  p99 %v  %s  %d descriptors\n",
		time.Since(s.begin).Seconds(), s.logger.written.Load(), c.lines, s.logger.rotations.Load(), s.kills,
		c.missing, c.repeated, c.again, s.subscriber.quantile(99), mebibytes(f.resident), f.descriptors)
}
