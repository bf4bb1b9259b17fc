// Command load is the load generator: it appends lines to a log file at a set
// rate, reads them back through a running daemon with many TCP or SSE clients,
// and says what arrived, how late, and what it cost the daemon.
//
// It knows the daemon only by its wire contract and runs as a process of its
// own, so that nothing it measures shares a heap or a scheduler with it.
//
// # A run
//
//  1. The clients connect. Probe lines (sequence 0) are appended until every
//     client has received one: from then on each is known to be subscribed.
//  2. Numbered lines 1..n are appended, paced (-rate) or flat out.
//  3. The readers go on until every client has accounted for line n, or
//     nothing has moved for -settle.
//  4. /status is read and compared with what the clients saw.
//
// # A line
//
//	lw <seq:12 digits> <write time:20 digits, ns> <checksum:16 hex> <padding>.
//
// The padding is a function of the checksum, and the checksum of sequence and
// time, so a received line is checked byte for byte without remembering it.
//
// # What a client must see
//
// Sequences come one by one. A jump is right only if drop or gap notices
// announced exactly that many lines (SSE, or TCP with -notices); on a plain TCP
// stream, which carries no notices, a jump counts as dropped and the sum must
// be what /status says. Everything else, a repeated line, a line out of place,
// a changed byte, breaks an invariant.
//
// Exit status: 0 all invariants held, 1 one was broken, 2 the command line was
// bad or the run could not be carried out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := mainCode(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// mainCode runs the command with args and returns its exit status.
func mainCode(ctx context.Context, args []string, stdout, stderr *os.File) int {
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "load: %v\n", err)
		return 2
	}
	if o.emit != "" {
		if err := emitSample(&o); err != nil {
			fmt.Fprintf(stderr, "load: %v\n", err)
			return 2
		}
		return 0
	}
	if err := raiseFileLimit(o.clients + o.never + 64); err != nil {
		fmt.Fprintf(stderr, "load: %v\n", err)
		return 2
	}
	rep, err := run(ctx, o, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "load: %v\n", err)
		return 2
	}
	if o.json {
		err = rep.writeJSON(stdout)
	} else {
		err = rep.writeText(stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "load: write report: %v\n", err)
		return 2
	}
	if len(rep.Broken) > 0 {
		return 1
	}
	return 0
}

// raiseFileLimit lifts the soft limit of open files to the hard one, for this
// process and for the daemon it starts, and checks that need descriptors fit.
func raiseFileLimit(need int) error {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	l.Cur = l.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("raise the limit of open files to %d: %w", l.Max, err)
	}
	if l.Max < uint64(need) {
		return fmt.Errorf("%d open files needed, the hard limit is %d: use fewer clients or raise it (ulimit -Hn)", need, l.Max)
	}
	return nil
}
