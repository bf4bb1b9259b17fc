package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

const (
	overloadMode = "overload"
	// crowdSize is how many well-behaved clients there are, half of them of each
	// protocol.
	crowdSize = 20
	// warmUp is how long lines flow before anything counts, and again after the
	// trouble has begun, at most: no longer than what is measured.
	warmUp = time.Second
	// lateMost is how many times its undisturbed value the p99 may be.
	lateMost = 3.0
	// memoryMost is what the daemon may take: its ring of 64 MiB with a quarter
	// for views in other forms, and 60 MB. Trouble may cost 64 KiB a client more.
	memoryMost = 64<<20 + 16<<20 + 60e6
	// saidMost is how often one and the same problem may be logged in a run.
	saidMost = 3
)

// elsewhere is the trouble that is not the daemon's: what so many connections cost
// everybody on the machine, who shares its processors with those that open them.
const elsewhere = "elsewhere"

// trouble is what is done to the daemon beside its well-behaved clients.
type trouble struct {
	name    string
	clients int // whose memory is allowed
	stream  int // of these, how many are to be in when it is measured
	what    string
	// begin, in the soak's process, does it and returns what undoes it; nil: a
	// process of hostile clients does.
	begin func(o *overload) (end func() error, err error)
	// pauses says that lines are late for a reason: nothing tells of them, or the
	// daemon stands still.
	pauses bool
	args   []string // for the daemon
	asked  bool     // it is made only if it is named: others on the machine notice
	// Where something fails, counter is the series that counts it, name and one
	// label, and says what is in a warning.
	counter, says string
}

var troubles = []trouble{
	{name: "nothing", what: "undisturbed", begin: func(*overload) (func() error, error) { return func() error { return nil }, nil }},
	{name: "slowloris", clients: 400, what: "200 clients of each port send a byte every 100 ms"},
	{name: elsewhere, what: "connections to another program are opened and closed as fast as can be, up to 10,000 a second", pauses: true},
	{name: "churn", clients: 256, what: "the same to the daemon, half with a reset; beside the row above", counter: `client_disconnects_total reason="closed"`},
	{name: "never", clients: 200, stream: 200, what: "200 clients never read"},
	{name: "trickle", clients: 200, stream: 200, what: "200 clients read a byte a second"},
	{name: "garbage", clients: 20, what: "10 clients of each port send random bytes, 400 KB/s each, which is more than they may, and come back when thrown out", counter: `client_disconnects_total reason="flood"`},
	{name: "gigabyte", clients: 4, what: "4 clients send a line of 1 GB, short lines of 1 GB, a head and a body of 1 GB", counter: `client_disconnects_total reason="flood"`},
	{name: "halfclose", clients: 200, stream: 200, what: "200 clients whose filter lets nothing pass close their sending side"},
	{name: "regex", clients: 2, stream: 2, what: "2 clients have an RE2 that matches everything, .* and one of the costliest that is taken"},
	{name: "descriptors", clients: 256, what: "the daemon has 20 descriptors left, and 300 clients come", begin: shortOfDescriptors, counter: `client_rejections_total reason="error"`, says: "accept a connection"},
	{name: "diskfull", what: "the checkpoint's file system is full", begin: diskFull, args: []string{"--checkpoint", "disk/checkpoint.json"}, counter: `source_errors_total op="checkpoint"`, says: "checkpoint not written"},
	{name: "nologs", what: "the directory of the log is gone for a second, and looked at every 100 ms", begin: logsGone, pauses: true},
	{name: "stopped", what: "SIGSTOP, and SIGCONT a second later", begin: stopped, pauses: true},
	{name: "clock", asked: true, what: "the machine's clock is set an hour ahead, an hour back, and right again", begin: clockJumps},
	{name: "nothing again", what: "undisturbed", begin: func(*overload) (func() error, error) { return func() error { return nil }, nil }},
}

// overload is one run with one trouble.
type overload struct {
	o      options
	dir    string
	logs   string
	daemon *daemon
	crowd  *crowd
	writer *logger
	ledger *ledger
}

// outcome is what a run has found.
type outcome struct {
	trouble
	written  uint64
	missing  uint64 // for all clients
	p50, p99 time.Duration
	peak     uint64 // bytes
	said     map[string]int
	counted  float64 // by counter
	empty    bool    // nothing was written, or nothing came
	void     error   // why there are no figures
}

// runOverload runs the troubles one after the other and prints their table.
func runOverload(ctx context.Context, o options, stdout, stderr io.Writer) (good bool, err error) {
	var all [][]outcome
	for _, t := range troubles {
		if len(o.only) == 0 && !t.asked || slices.Contains(o.only, t.name) || strings.HasPrefix(t.name, "nothing") {
			all = append(all, []outcome{{trouble: t}})
		}
	}
	for range o.repeat { // in turn: what the machine does meanwhile falls on all
		for i, runs := range all {
			t := runs[0].trouble
			fmt.Fprintf(stderr, "%s: %s\n", t.name, t.what)
			out, err := troubled(ctx, o, t)
			if err != nil {
				return false, fmt.Errorf("%s: %w", t.name, err)
			}
			fmt.Fprintf(stderr, "  %d lines, p50 %v, p99 %v, %s, log %v %v\n", out.written, out.p50, out.p99, mebibytes(out.peak), out.said, out.void)
			all[i] = append(all[i], out)
		}
	}
	var medians []outcome
	for _, runs := range all {
		medians = append(medians, summary(runs[1:]))
	}
	return writeOutcomes(stdout, medians)
}

// summary is the run whose p99 is the median, with the worst of all else.
func summary(runs []outcome) outcome {
	slices.SortFunc(runs, func(a, b outcome) int { return cmp.Compare(a.p99, b.p99) })
	median := runs[(len(runs)-1)/2]
	said := map[string]int{}
	median.written, median.missing = 0, 0
	median.counted = math.MaxFloat64
	for _, run := range runs {
		median.written += run.written
		median.missing += run.missing
		median.peak = max(median.peak, run.peak)
		median.empty = median.empty || run.empty
		median.counted = min(median.counted, run.counted)
		for message, n := range run.said {
			said[message] = max(said[message], n)
		}
	}
	median.said = said
	return median
}

// errCannot is in the error of a trouble that cannot be made on this machine.
var errCannot = errors.New("not possible here")

// troubled carries out one run in a temporary directory, which it removes.
func troubled(ctx context.Context, o options, t trouble) (out outcome, err error) {
	out.trouble = t
	ctx, cancel := context.WithTimeoutCause(ctx, o.caseTime+time.Minute, errors.New("it took too long"))
	defer cancel()
	dir, err := os.MkdirTemp("", "logwisp-soak-")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	w := &overload{o: o, dir: dir, logs: filepath.Join(dir, "logs"), ledger: &ledger{}}
	w.o.args = append(slices.Clone(o.args), t.args...)
	w.o.duration, w.o.rotations, w.o.every = time.Hour, 0, time.Hour // it is told when to end
	if err := errors.Join(os.Mkdir(w.logs, 0o755), os.Mkdir(dir+"/disk", 0o755)); err != nil {
		return out, err
	}
	if w.writer, err = newLogger(&w.o, w.logs, w.ledger); err != nil {
		return out, err
	}
	if w.daemon, err = newDaemon(&w.o, dir, w.logs); err != nil {
		return out, err
	}
	if err := w.daemon.start(); err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, w.daemon.stop()) }()
	w.crowd, err = gather(ctx, w.daemon, o.lineBytes)
	if err != nil {
		return out, err
	}
	defer w.crowd.close()
	err = w.measure(ctx, &out)
	if errors.Is(err, errCannot) {
		out.void, err = err, nil
	}
	return out, err
}

// measure has lines written, the trouble made, and the clients looked at.
func (w *overload) measure(ctx context.Context, out *outcome) (err error) {
	writing, stopWriting := context.WithCancel(ctx)
	defer stopWriting()
	wrote := make(chan error, 1)
	go func() { wrote <- w.writer.run(writing) }()
	err = wait(ctx, min(warmUp, w.o.caseTime))
	if err == nil {
		err = w.disturb(ctx, out)
	}
	stopWriting()
	if err = errors.Join(err, <-wrote); err != nil {
		return err
	}
	out.written = w.writer.written.Load()
	out.missing = w.crowd.await(ctx, out.written)
	out.p50, out.p99 = w.crowd.quantile(50), w.crowd.quantile(99)
	out.empty = out.written == 0 || out.p99 == 0
	out.peak = w.daemon.footprint().peak
	if out.said, err = w.daemon.complaints(); err != nil {
		return err
	}
	return w.daemon.alive()
}

// disturb makes the trouble and ends it.
func (w *overload) disturb(ctx context.Context, out *outcome) error {
	begin := out.begin
	if begin == nil {
		begin = func(w *overload) (func() error, error) { return hostileProcess(w.daemon, out.name) }
	}
	before, err := w.daemon.counter(out.counter)
	if err != nil {
		return err
	}
	end, err := begin(w)
	if err != nil {
		return err
	}
	err = errors.Join(wait(ctx, min(warmUp, w.o.caseTime)), w.awaitStreams(ctx, out.stream))
	w.crowd.measure(true)
	err = errors.Join(err, wait(ctx, w.o.caseTime), w.daemon.alive())
	w.crowd.measure(false)
	err = errors.Join(err, w.awaitCount(ctx, out, before), end())
	if out.counter != "" && out.counted == 0 { // perhaps it could not be asked
		now, failed := w.daemon.counter(out.counter)
		out.counted, err = now-before, errors.Join(err, failed)
	}
	return err
}

// awaitStreams waits until so many clients more than the crowd are in: trouble that
// nobody makes costs nothing.
func (w *overload) awaitStreams(ctx context.Context, more int) error {
	for limit := time.Now().Add(countTime); more > 0; {
		n, err := w.daemon.clients()
		if err == nil && n >= crowdSize+more {
			break
		}
		if time.Now().After(limit) {
			return fmt.Errorf("%d clients are in, want %d and %d more: %w", n, crowdSize, more, err)
		}
		if err := wait(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// countTime is how long a failure may take to be counted: a checkpoint is due
// once a second.
const countTime = 10 * time.Second

// awaitCount waits until what fails has been counted, or has had the time to be.
func (w *overload) awaitCount(ctx context.Context, out *outcome, before float64) error {
	for limit := time.Now().Add(countTime); out.counter != "" && out.counted == 0 && time.Now().Before(limit); {
		if now, err := w.daemon.counter(out.counter); err == nil { // it may be short of what an answer takes
			out.counted = now - before
		}
		if err := wait(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// writeOutcomes prints the table and reports whether all is as promised.
func writeOutcomes(to io.Writer, all []outcome) (good bool, err error) {
	var base time.Duration
	n := 0
	for _, out := range all {
		if strings.HasPrefix(out.name, "nothing") && out.void == nil {
			base, n = base+out.p99, n+1
		}
	}
	base /= time.Duration(max(n, 1))
	besides := base
	for _, out := range all {
		if out.name == elsewhere {
			besides = max(base, out.p99)
		}
	}
	t := tabwriter.NewWriter(to, 0, 0, 1, ' ', 0)
	fmt.Fprintln(t, "| beside 20 clients that read \t| lines \t| dropped for the 20 \t| p50 \t| p99 \t| of the undisturbed \t| peak memory \t| bound \t| warnings \t| as promised \t|")
	fmt.Fprintln(t, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	good = true
	for _, out := range all {
		if out.void != nil {
			fmt.Fprintf(t, "| %s \t| \t| \t| \t| \t| \t| \t| \t| \t| %v \t|\n", out.what, out.void)
			continue
		}
		beside := base
		if out.name == "churn" {
			beside = besides
		}
		wrong := out.wrong(beside)
		good = good && len(wrong) == 0
		verdict := "yes"
		if len(wrong) > 0 {
			verdict = "no: " + strings.Join(wrong, ", ")
		}
		ratio := fmt.Sprintf("%.2f", out.p99.Seconds()/beside.Seconds())
		if out.pauses {
			ratio = "-"
		}
		fmt.Fprintf(t, "| %s \t| %d \t| %d \t| %.2f ms \t| %.1f ms \t| %s \t| %s \t| %s \t| %s \t| %s \t|\n", out.what, out.written, out.missing,
			1e3*out.p50.Seconds(), 1e3*out.p99.Seconds(), ratio, mebibytes(out.peak), mebibytes(out.memoryBound()), saidTimes(out.said), verdict)
	}
	return good, t.Flush()
}

func (out *outcome) memoryBound() uint64 { return memoryMost + uint64(out.clients)*(64<<10) }

// wrong lists what is not as promised.
func (out *outcome) wrong(base time.Duration) (wrong []string) {
	if out.missing > 0 {
		wrong = append(wrong, "lines were dropped")
	}
	if out.empty {
		wrong = append(wrong, "nothing was measured")
	}
	if !out.pauses && out.p99.Seconds() > lateMost*base.Seconds() {
		wrong = append(wrong, "late")
	}
	if out.peak > out.memoryBound() {
		wrong = append(wrong, "memory")
	}
	if out.counter != "" && out.counted == 0 {
		wrong = append(wrong, "not counted in "+out.counter)
	}
	if !out.warned() {
		wrong = append(wrong, fmt.Sprintf("no warning says %q", out.says))
	}
	for message, n := range out.said {
		if n > saidMost && !of1Client(message) {
			wrong = append(wrong, fmt.Sprintf("%q was logged %d times", message, n))
		}
	}
	return wrong
}

// warned reports whether there was the warning that must be.
func (out *outcome) warned() bool {
	for message := range out.said {
		if strings.Contains(message, out.says) {
			return true
		}
	}
	return out.says == ""
}

// of1Client reports whether a warning is about one client, which is named in it:
// it comes once for each.
func of1Client(message string) bool { return strings.HasPrefix(message, "client ") }

func saidTimes(said map[string]int) string {
	var parts []string
	for message, n := range said {
		parts = append(parts, fmt.Sprintf("%d × %s", n, message[:min(len(message), 40)]))
	}
	slices.Sort(parts)
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, "; ")
}
