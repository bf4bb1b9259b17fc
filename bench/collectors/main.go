// Command collectors runs the real daemon against real collectors and checks
// that every line arrives with its time, source, level, message and fields. Use
// scripts/collectors, which builds and installs the collectors.
//
// The settings of the collectors are the recipes of README.md, word by word but
// for ports and paths.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	lineCount  = 5000
	arriveTime = 30 * time.Second // for all lines to arrive
	caseTime   = 90 * time.Second
)

// bench is what all cases share.
type bench struct {
	logwisp  string
	programs map[string]string // paths, by the name of the collector
	readme   string
	keep     bool
}

// outcome is what a case has shown.
type outcome struct {
	lines int
	note  string // empty: all is well
}

// scenario is one way between LogWisp and a collector.
type scenario struct {
	collector string // whose program it needs
	direction string
	what      string
	run       func(ctx context.Context, r *run) (outcome, error)
}

func main() {
	b := bench{programs: make(map[string]string)}
	var only string
	for _, name := range []string{"victoria-logs", "otelcol", "benthos", "rsyslog", "syslog-ng"} {
		flag.Func(name, "`PATH` of the program", func(path string) error {
			b.programs[name] = path
			return nil
		})
	}
	flag.StringVar(&b.logwisp, "logwisp", "", "`PATH` of the daemon")
	flag.StringVar(&b.readme, "readme", "README.md", "`FILE` with the recipes")
	flag.BoolVar(&b.keep, "keep", false, "keep the temporary directories")
	flag.StringVar(&only, "only", "", "comma separated `NAMES` of the collectors to run; empty = all that there are")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	for _, name := range strings.Split(only, ",") {
		if only != "" && !slices.ContainsFunc(scenarios, func(s scenario) bool { return s.collector == name }) {
			fmt.Fprintf(os.Stderr, "collectors: -only %q: there is no such collector\n", name)
			os.Exit(2)
		}
	}
	if !b.measure(ctx, only) {
		stop()
		os.Exit(1)
	}
}

// measure runs the scenarios and prints the table. It reports whether some ran,
// and all of these are well.
func (b *bench) measure(ctx context.Context, only string) bool {
	fmt.Println("| collector | version | direction | how | lines | result |")
	fmt.Println("|---|---|---|---|---|---|")
	well, ran := true, false
	versions := make(map[string]string)
	for _, s := range scenarios {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.collector) {
			continue
		}
		version, result, lines := "-", "", "-"
		if b.programs[s.collector] == "" {
			result = "not run: it is not here"
		} else {
			if _, known := versions[s.collector]; !known {
				versions[s.collector] = b.version(ctx, s.collector)
			}
			version, ran = versions[s.collector], true
			out, err := b.try(ctx, s)
			lines = fmt.Sprint(out.lines)
			switch {
			case err != nil:
				result, well = "FAILED: "+oneLine(err.Error()), false
			case out.note != "":
				result, well = "FAILED: "+oneLine(out.note), false
			default:
				result = "all arrived, all equal"
			}
		}
		fmt.Printf("| %s | %s | %s | %s | %s | %s |\n", s.collector, version, s.direction, s.what, lines, result)
	}
	return well && ran && ctx.Err() == nil
}

// try runs one scenario in a directory of its own.
func (b *bench) try(ctx context.Context, s scenario) (outcome, error) {
	dir, err := os.MkdirTemp("", "collectors")
	if err != nil {
		return outcome{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, caseTime)
	defer cancel()
	r := &run{bench: b, dir: dir}
	defer func() {
		r.stopAll()
		if b.keep {
			fmt.Fprintln(os.Stderr, s.collector, s.what, dir)
			return
		}
		_ = os.RemoveAll(dir)
	}()
	return s.run(ctx, r)
}

func oneLine(s string) string {
	s = strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", "/")
	return s[:min(len(s), 400)]
}
