// Command figures measures what the project promises of its speed and size, as
// far as the comparison in bench/compare does not, and prints one table. Use
// scripts/figures, which builds what it needs.
//
// A row is a ratio of two things that are run side by side on loopback, one
// right after the other and in turns the other way round, or a bound in a unit.
// Daemon and load are processes of their own. A run that cannot be compared,
// because lines were dropped or a program is missing, says so in the table.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	runTime = 2 * time.Minute  // for one run of a row
	allTime = 25 * time.Minute // for everything
)

func main() {
	t := tools{logs: make(map[string]uint64)}
	var only string
	var list bool
	var repeat int
	flag.StringVar(&t.root, "root", ".", "`DIRECTORY` of the module, for its Go benchmarks")
	flag.StringVar(&t.logwisp, "logwisp", "", "`PATH` of the daemon")
	flag.StringVar(&t.profiled, "profiled", "", "`PATH` of the daemon built with -tags profile")
	flag.StringVar(&t.load, "load", "", "`PATH` of bench/load")
	flag.StringVar(&t.nats, "nats-server", "", "`PATH` of a NATS server")
	flag.IntVar(&repeat, "repeat", 3, "runs of each row, at least 1")
	flag.StringVar(&only, "only", "", "comma separated `NAMES` of the rows to run; empty = all")
	flag.BoolVar(&list, "list", false, "print the rows and end")
	flag.Parse()
	if list {
		for _, r := range rows() {
			for _, f := range r.figures {
				fmt.Printf("%-8s %s, %s\n", r.name, f.what, f.limit())
			}
		}
		return
	}
	chosen, err := choose(only)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		err = measure(ctx, &t, chosen, max(repeat, 1))
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

// rows lists what is measured, in the order of the table.
func rows() []row {
	return []row{
		publishRow, steadyRow, ingestRow, idleRow, watchRow,
		deafRow, filtersRow, quietRow, neighbourRow, garbageRow, memoryRow, secureRow, natsRow,
	}
}

func choose(only string) ([]row, error) {
	all := rows()
	if only == "" {
		return all, nil
	}
	var chosen []row
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(r row) bool { return r.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("-only %s: no such row: -list prints them", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// measure runs the rows and prints the table, of what there is when ctx ends.
func measure(ctx context.Context, t *tools, chosen []row, repeat int) error {
	// Readers and writers block in system calls of their own: with a processor
	// for each nothing waits until the runtime notices.
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), 6))
	if err := raiseFileLimit(); err != nil {
		return err
	}
	var err error
	if t.dir, err = os.MkdirTemp("", "figures"); err != nil {
		return err
	}
	defer os.RemoveAll(t.dir)
	ctx, cancel := context.WithTimeout(ctx, allTime)
	defer cancel()
	var measured []result
	for _, r := range chosen {
		measured = append(measured, r.repeat(ctx, t, repeat))
		if ctx.Err() != nil {
			break
		}
	}
	fmt.Print(table(measured, repeat))
	return ctx.Err()
}
