package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// options are what the command line says.
type options struct {
	bin       string // the daemon
	mode      string
	proto     string
	inside    bool // the pattern names rotated files too
	rate      int  // lines/s
	lineBytes int  // with the newline
	rotations int  // 0 = as many as fit in duration
	every     time.Duration
	duration  time.Duration // 0 = until rotations or kills are done
	kills     int
	uptime    time.Duration // between a restart and the next kill, at most
	downtime  time.Duration // between a kill and the restart, at most
	progress  time.Duration
	seed      uint64
	args      []string // for the daemon

	megabytes int // of noise

	only     []string      // of the troubles in mode overload; none: all
	caseTime time.Duration // of each
	repeat   int           // runs of each
	hostile  string        // this process is the hostile clients of a kind, of a daemon at tcp and http
	tcp, web string
}

var (
	modes    = []string{"rename", "mixed", "copytruncate", "kill", "guarantee"}
	allModes = append(slices.Clone(modes), overloadMode, noiseMode)
)

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintln(stderr, "usage: soak [FLAG ...] [-- DAEMON-ARGUMENT ...]")
		f.PrintDefaults()
	}
	f.StringVar(&o.bin, "bin", "", "the `daemon` to start")
	f.StringVar(&o.mode, "mode", "rename", strings.Join(allModes, ", "))
	f.StringVar(&o.proto, "proto", "tcp", "what the subscriber speaks: tcp or sse")
	f.BoolVar(&o.inside, "inside", false, "follow the pattern app.log*, which names rotated files too")
	f.IntVar(&o.rate, "rate", 50_000, "`lines` written a second")
	f.IntVar(&o.lineBytes, "line-bytes", 120, "length of a line in `bytes`, with its newline")
	f.IntVar(&o.rotations, "rotations", 0, "end after so many; 0 = at the end of -duration (1000 in mode rename and copytruncate without -duration)")
	f.DurationVar(&o.every, "every", 0, "`time` from one rotation to the next, on average (default 100ms; 200ms in mode mixed, 500ms in the modes that kill)")
	f.DurationVar(&o.duration, "duration", 0, "end after this `time` (30m in mode mixed without -rotations); in the modes that kill the limit of the run")
	f.IntVar(&o.kills, "kills", 200, "in modes kill and guarantee: how often the daemon is killed")
	f.DurationVar(&o.uptime, "uptime", 3*time.Second, "in mode kill: `time` from the first line after a restart to the next kill, at most")
	f.DurationVar(&o.downtime, "downtime", 0, "in mode kill: `time` from a kill to the restart, at most")
	f.DurationVar(&o.progress, "progress", 5*time.Second, "`time` between two lines of figures")
	f.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of what is random")
	only := f.String("only", "", "in mode overload: comma separated `names` of the troubles to make; empty = all but clock, which takes root and a machine of its own")
	f.DurationVar(&o.caseTime, "case", 3*time.Second, "in mode overload: how long each is measured")
	f.IntVar(&o.repeat, "repeat", 3, "in mode overload: `runs` of each, in turn")
	f.IntVar(&o.megabytes, "megabytes", 2048, "in mode noise: how many `MiB` of it")
	f.StringVar(&o.hostile, "hostile", "", "be the hostile clients of a `kind`, as mode overload has it, of the daemon at -tcp and -http")
	f.StringVar(&o.tcp, "tcp", "", "`address` of the daemon for -hostile")
	f.StringVar(&o.web, "http", "", "`address` of the daemon for -hostile")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	if o.hostile != "" {
		return o, nil
	}
	o.args = f.Args()
	o.complete()
	return o, o.check()
}

// complete fills in what depends on the mode.
func (o *options) complete() {
	if o.every == 0 {
		o.every = map[string]time.Duration{"mixed": 200 * time.Millisecond, "kill": 500 * time.Millisecond, "guarantee": 500 * time.Millisecond}[o.mode]
	}
	if o.every == 0 {
		o.every = 100 * time.Millisecond
	}
	if o.duration != 0 || o.rotations != 0 {
		return
	}
	switch o.mode {
	case "rename", "copytruncate":
		o.rotations = 1000
	case "mixed":
		o.duration = 30 * time.Minute
	}
}

// check reports the first option that is out of range.
func (o *options) check() error {
	switch {
	case o.bin == "":
		return fmt.Errorf("-bin is missing: name the daemon, or use scripts/soak, which builds it")
	case !slices.Contains(allModes, o.mode):
		return fmt.Errorf("-mode is %q: must be one of %s", o.mode, strings.Join(allModes, ", "))
	case o.megabytes < 1 || o.megabytes > 64<<10:
		return fmt.Errorf("-megabytes is %d: must be 1 to 65536", o.megabytes)
	case o.caseTime < 100*time.Millisecond || o.caseTime > 10*time.Minute:
		return fmt.Errorf("-case is %v: must be 100ms to 10m", o.caseTime)
	case o.repeat < 1:
		return fmt.Errorf("-repeat is %d: must be at least 1", o.repeat)
	case o.unknownTrouble() != "":
		return fmt.Errorf("-only is %q: there is no such trouble; there are %s", o.unknownTrouble(), troubleNames())
	case o.proto != "tcp" && o.proto != "sse":
		return fmt.Errorf("-proto is %q: must be tcp or sse", o.proto)
	case o.rate < 1 || o.rate > 1_000_000:
		return fmt.Errorf("-rate is %d: must be 1 to 1000000", o.rate)
	case o.lineBytes < shortest || o.lineBytes > 64<<10:
		return fmt.Errorf("-line-bytes is %d: must be %d to 65536", o.lineBytes, shortest)
	case o.rotations < 0:
		return fmt.Errorf("-rotations is %d: must not be negative", o.rotations)
	case o.every < time.Millisecond:
		return fmt.Errorf("-every is %v: must be at least 1ms", o.every)
	case o.duration < 0:
		return fmt.Errorf("-duration is %v: must not be negative", o.duration)
	case o.kills < 1:
		return fmt.Errorf("-kills is %d: must be at least 1", o.kills)
	case o.uptime < 100*time.Millisecond:
		return fmt.Errorf("-uptime is %v: must be at least 100ms", o.uptime)
	case o.downtime < 0 || o.downtime >= stall:
		return fmt.Errorf("-downtime is %v: must be less than %v", o.downtime, stall)
	case o.progress < time.Second:
		return fmt.Errorf("-progress is %v: must be at least 1s", o.progress)
	}
	return nil
}

// killing reports whether the daemon is killed.
func (o *options) killing() bool { return o.mode == "kill" || o.mode == "guarantee" }

// limit is how long the run may take whatever happens.
func (o *options) limit() time.Duration {
	expected := o.duration
	switch {
	case o.killing() && expected == 0:
		expected = time.Duration(o.kills) * (o.uptime + o.downtime + 5*time.Second)
	case expected == 0:
		expected = 2 * time.Duration(o.rotations) * o.every
	}
	return expected + 2*time.Minute
}

// unknownTrouble returns the first name of -only that is none.
func (o *options) unknownTrouble() string {
	for _, name := range o.only {
		if !slices.ContainsFunc(troubles, func(t trouble) bool { return t.name == name }) {
			return name
		}
	}
	return ""
}

func troubleNames() string {
	var names []string
	for _, t := range troubles {
		names = append(names, t.name)
	}
	return strings.Join(names, ", ")
}
