// Command cluster has LogWisp meet on a cluster of NATS JetStream and kills a
// part of each kind while lines flow. It counts what a client gets that goes on
// at another hub.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	bin, server string
	mode        string
	servers     int
	rounds      int
	rate        int
	duration    time.Duration
	lines       int
	clients     int
	maxBytes    int64
	hubArgs     []string
}

func main() {
	o := &options{}
	flag.StringVar(&o.bin, "bin", "logwisp", "`PATH` of the daemon")
	flag.StringVar(&o.server, "nats-server", "nats-server", "`PATH` of a NATS server")
	flag.StringVar(&o.mode, "mode", "kill", "kill: parts are killed while lines flow; rate: lines/s through a stream, beside one machine's")
	flag.IntVar(&o.servers, "servers", 3, "servers of the cluster of mode kill")
	flag.IntVar(&o.rounds, "rounds", 1, "rounds, each with a cluster of its own")
	flag.IntVar(&o.rate, "rate", 10_000, "lines per second, of both edges together")
	flag.DurationVar(&o.duration, "duration", 30*time.Second, "of a round of mode kill")
	flag.IntVar(&o.lines, "lines", 1_000_000, "lines of a round of mode rate")
	flag.IntVar(&o.clients, "clients", 100, "clients of mode rate")
	flag.Int64Var(&o.maxBytes, "max-bytes", 1<<30, "of the stream")
	flag.Parse()
	o.hubArgs = flag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	run := runKill
	switch o.mode {
	case "kill":
	case "rate":
		run = runRate
	default:
		fmt.Fprintf(os.Stderr, "-mode %s: want kill or rate\n", o.mode)
		os.Exit(2)
	}
	for round := range o.rounds {
		if err := inDirectory(ctx, o, round+1, run); err != nil {
			fmt.Fprintln(os.Stderr, err)
			if _, failed := errors.AsType[*verdict](err); failed {
				os.Exit(1)
			}
			os.Exit(2)
		}
	}
}

// verdict is an error that says that lines were lost or came twice.
type verdict struct{ text string }

func (v *verdict) Error() string { return v.text }

func inDirectory(ctx context.Context, o *options, round int, run func(context.Context, *options, int, string) error) error {
	dir, err := os.MkdirTemp("", "cluster")
	if err != nil {
		return err
	}
	err = run(ctx, o, round, dir)
	if err == nil || ctx.Err() != nil {
		_ = os.RemoveAll(dir)
		return ctx.Err()
	}
	return fmt.Errorf("%w\nlogs are in %s", err, dir)
}
