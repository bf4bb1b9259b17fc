// Command soak has a daemon follow a log that is rotated again and again, for
// minutes or hours, and checks that a subscriber gets every line exactly once.
//
// It knows the daemon only by its command line and its wire contract.
//
// # A line
//
//	soak <generation:8> <number:12> <write time:20, ns> <padding>.
//
// A generation is one file, or one that was put in its place; its lines are
// numbered from 0. Within a generation lines must come one by one, whatever
// the other generations do meanwhile: a rotated file may still be written to
// when the new one has begun.
//
// # Modes
//
//	rename        the log is renamed and created
//	mixed         that, or the writer goes on with the renamed file for a while,
//	              or the log is deleted and created, or replaced by another that
//	              has lines already, or is missing for a while
//	copytruncate  the log is copied and truncated while it is written to; what
//	              falls between the two is lost to everybody, and counted
//	kill          renamed and created, and the daemon, which keeps a checkpoint,
//	              is killed at random moments and started again
//
//	guarantee     as kill, and what counts is what a collector has to which the
//	              daemon pushes with guarantee = true, and which crashes too;
//	              lines may come again, and out of order then
//
//	overload      the log only grows; twenty clients read it while one trouble after
//	              the other is made: hostile clients, and faults. Each is a daemon of
//	              its own; a table says what it cost the twenty
//
//	noise         the log is random bytes; every line of it has to become an entry
//	              that is JSON
//
// In the other modes a repetition is allowed behind a kill only, and no more than was sent in the
// last second before it.
//
// Exit status: 0 every line came exactly once, 1 something was lost, repeated,
// out of order or damaged, 2 the command line was bad or the run could not be
// carried out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := mainCode(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// mainCode runs the command with args and returns its exit status.
func mainCode(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "soak: %v\n", err)
		return 2
	}
	if o.hostile != "" || o.mode == overloadMode {
		good := true
		if o.hostile != "" {
			err = beHostile(ctx, o.hostile, o.tcp, o.web, stderr)
		} else {
			good, err = runOverload(ctx, o, stdout, stderr)
		}
		return exitCode(good, err, stderr)
	}
	if o.mode == noiseMode {
		good, err := runNoise(ctx, o, stdout)
		return exitCode(good, err, stderr)
	}
	rep, err := run(ctx, o, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "soak: %v\n", err)
		return 2
	}
	if err := rep.write(stdout); err != nil {
		fmt.Fprintf(stderr, "soak: write report: %v\n", err)
		return 2
	}
	if len(rep.broken) > 0 {
		return 1
	}
	return 0
}

// exitCode says how a mode with a report of its own has ended.
func exitCode(good bool, err error, stderr io.Writer) int {
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "soak: %v\n", err)
		return 2
	case !good:
		return 1
	}
	return 0
}
