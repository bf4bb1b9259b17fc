// Command logwisp follows log files and streams their lines to whoever
// connects: raw JSON lines over TCP, Server-Sent Events over HTTP.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	_ "logwisp/cmd/logwisp/mdwe" // ends the program with one line where sonic would panic
)

// The exit codes, after sysexits(3) where it has one.
const (
	exitOK          = 0
	exitFailure     = 1   // something broke while running
	exitUsage       = 2   // bad command line
	exitUnavailable = 69  // cannot bind, cannot reach
	exitLoss        = 75  // tail --fail-on-drop saw a loss
	exitRefused     = 77  // the server does not let this client in
	exitConfig      = 78  // bad configuration
	exitInterrupted = 130 // a client, by SIGINT
	exitTerminated  = 143 // a client, by SIGTERM
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the whole program; it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	return report(parse(args, &stdio{out: stdout, err: stderr}), stderr)
}

// report says why the program ends and returns its exit code.
func report(err error, stderr io.Writer) int {
	var r *refusal
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &r):
		for _, text := range r.lines {
			fmt.Fprintln(stderr, "logwisp: "+text)
		}
		return r.code
	default:
		fmt.Fprintln(stderr, "logwisp: "+err.Error())
		return exitFailure
	}
}

// serve runs the daemon until it is asked to stop. The first SIGINT or SIGTERM
// stops it in good order, a second one at once.
// SIGHUP has the configuration read again, by read. The signals may have come
// before.
func serve(s *settings, read func() (*settings, []problem, error), signals chan os.Signal, started func(), log *slog.Logger) error {
	if err := takeSockets(s); err != nil {
		return err
	}
	d, err := newDaemon(s, log)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	started()
	defer signal.Stop(signals)
	go func() {
		stopping := false
		for sig := range signals {
			switch {
			case sig == syscall.SIGHUP:
				d.reload(read)
			case stopping:
				os.Exit(exitFailure)
			default:
				stopping = true
				log.Info("stopping", "signal", sig.String())
				stop()
			}
		}
	}()
	return d.run(ctx)
}
