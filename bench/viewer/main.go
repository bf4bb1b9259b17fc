// Command viewer measures the viewer in a browser and prints one table. Use
// scripts/viewer, which builds what it needs.
//
// A real daemon follows a real file that grows at a fixed rate, and a real
// chromium shows it. The page is watched from outside, with nothing in it that
// users do not have: frames are those the browser asks the page for. Beside it
// stand, in the same run, an empty page, for what the machine leaves of 60
// frames a second, and the naive viewer, which makes one element an event, as
// most examples of Server-Sent Events do.
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

func main() {
	var b bench
	var repeat int
	flag.StringVar(&b.logwisp, "logwisp", "", "`PATH` of the daemon")
	flag.StringVar(&b.chromium, "chromium", "chromium", "`PATH` of the browser")
	flag.DurationVar(&b.duration, "duration", time.Minute, "`TIME` of each row that takes one; the promise is of a minute")
	flag.IntVar(&repeat, "repeat", 3, "runs, of which the table has the medians")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	runs := make([]figures, 0, repeat)
	for i := range max(repeat, 1) {
		f, err := b.run(ctx)
		if err != nil {
			fmt.Fprintf(os.Stderr, "viewer: run %d: %v\n", i+1, err)
			stop()
			os.Exit(1)
		}
		runs = append(runs, f)
	}
	fmt.Print(table(runs, b.duration))
}

// A row of the table: a bound, and where its figures are kept in a run.
type row struct {
	what, unit string
	bound      string
	key        string // figures are those of viewer, idle and naive with this key
}

var rows = []row{
	{"20,000 lines/s: frames a second, median", "fps", "≥ 50", "20k fps"},
	{"20,000 lines/s: frame, 95th percentile", "ms", "≤ 33", "20k p95"},
	{"50,000 lines/s: frames a second, median", "fps", "", "50k fps"},
	{"50,000 lines/s: how old the last line shown is", "ms", "< 1000", "50k lag"},
	{"JavaScript heap behind that, page and worker", "MB", "≤ 150", "heap"},
	{"100,000 rows held", "rows", "100,000", "rows"},
	{"a jump in them, to the next frame, 95th percentile", "ms", "", "jump"},
	{"they are narrowed, to the next frame", "ms", "≤ 100", "narrow"},
	{"processor of the browser when nothing comes", "%", "≤ 2", "idle"},
	{"first line on screen after navigation", "ms", "≤ 300", "first"},
}

// figures are those of one run, by viewer and key: "naive 20k fps".
type figures map[string]float64

// table renders the medians as Markdown.
func table(runs []figures, d time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d runs of %s\n\n| what | promise | LogWisp | empty page | one element an event |\n|---|---|---:|---:|---:|\n", len(runs), d)
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s |", r.what, strings.TrimSpace(r.bound+" "+r.unit))
		for _, of := range []string{"viewer ", "idle ", "naive "} {
			var all []float64
			for _, f := range runs {
				if v, ok := f[of+r.key]; ok {
					all = append(all, v)
				}
			}
			if len(all) == 0 {
				b.WriteString(" |")
				continue
			}
			slices.Sort(all)
			fmt.Fprintf(&b, " %s |", short(all[len(all)/2]))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func short(v float64) string {
	if v >= 100 || v == 0 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
