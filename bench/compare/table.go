package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
)

// row is one system at one number of clients and one rate.
type row struct {
	system, proto string
	clients, rate int
	runs          map[int]*result // by round; those that are not void
	void          []string
}

func (r *row) add(round int, got result, err error) {
	if err != nil {
		r.void = append(r.void, err.Error())
		return
	}
	if r.runs == nil {
		r.runs = make(map[int]*result)
	}
	r.runs[round] = &got
}

// spread returns the median, the smallest and the largest of a figure.
func (r *row) spread(figure func(*result) float64) (median, low, high float64) {
	var all []float64
	for _, got := range r.runs {
		all = append(all, figure(got))
	}
	return spreadOf(all)
}

func spreadOf(all []float64) (median, low, high float64) {
	if len(all) == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2, all[0], all[len(all)-1]
}

func perSecond(r *result) float64 { return r.PerSecond }
func p50(r *result) float64       { return r.Latency.P50 }
func p99(r *result) float64       { return r.Latency.P99 }
func cpu(r *result) float64       { return r.Daemon.CPUPerM }
func peak(r *result) float64      { return r.Daemon.PeakRSS / (1 << 20) }

func (r *row) text() string {
	rate, low, high := r.spread(perSecond)
	m50, _, _ := r.spread(p50)
	m99, _, _ := r.spread(p99)
	line := fmt.Sprintf("%-32s %s  C=%-5d rate=%-6d %8.3f M/s (%.3f-%.3f)  p50 %.2f p99 %.2f ms",
		r.system, r.proto, r.clients, r.rate, rate/1e6, low/1e6, high/1e6, m50, m99)
	if len(r.void) > 0 {
		line += fmt.Sprintf("  VOID %d: %s", len(r.void), r.void[0])
	}
	return line
}

// ratio returns the median of r's quotients to another system in the same cell,
// round by round, NaN when there are none: a round's runs follow each other, while
// the speed of a machine may change by half from one round to the next.
func (r *row) ratio(rows []row, system, proto string, figure func(*result) float64) float64 {
	for i := range rows {
		o := &rows[i]
		if o.system != system || o.proto != proto || o.clients != r.clients || o.rate != r.rate {
			continue
		}
		var quotients []float64
		for round, theirs := range o.runs {
			if mine := r.runs[round]; mine != nil {
				quotients = append(quotients, figure(mine)/figure(theirs))
			}
		}
		median, _, _ := spreadOf(quotients)
		return median
	}
	return math.NaN()
}

func number(v float64, digits int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return fmt.Sprintf("%.*f", digits, v)
}

// table renders the rows as Markdown.
func table(rows []row) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d CPUs, %s, %s. Medians, smallest and largest in brackets; ratios round by round.\n\n", runtime.NumCPU(), cpuModel(), runtime.Version())
	b.WriteString("| lines/s | clients | system | delivered M lines/s | of the limit | × nats-server | p50 ms | p99 ms | CPU s per M delivered | peak MiB | void runs |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|\n")
	for i := range rows {
		r := &rows[i]
		rate := "flat out"
		if r.rate > 0 {
			rate = fmt.Sprint(r.rate)
		}
		m, low, high := r.spread(perSecond)
		c50, _, _ := r.spread(p50)
		c99, _, _ := r.spread(p99)
		used, _, _ := r.spread(cpu)
		top, _, _ := r.spread(peak)
		delivered := number(m/1e6, 3)
		if delivered != "" {
			delivered += fmt.Sprintf(" (%s–%s)", number(low/1e6, 3), number(high/1e6, 3))
		}
		latency50, latency99 := number(c50, 2), number(c99, 2)
		if r.rate == 0 { // flat out it is the length of the queue that shows
			latency50, latency99 = "", ""
		}
		void := ""
		if len(r.void) > 0 {
			void = fmt.Sprintf("%d: %s", len(r.void), cell(r.void[0]))
		}
		fmt.Fprintf(&b, "| %s | %d | %s, %s | %s | %s | %s | %s | %s | %s | %s | %s |\n",
			rate, r.clients, cell(r.system), r.proto, delivered,
			number(r.ratio(rows, "limit, 64 KiB writes", r.proto, perSecond), 2),
			number(r.ratio(rows, "nats-server", "tcp", perSecond), 1),
			latency50, latency99, number(used, 3), number(top, 0), void)
	}
	return b.String()
}

// cell makes text fit a cell of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", `\|`), "\n", " ")
}

func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown CPU"
	}
	for line := range strings.SplitSeq(string(info), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown CPU"
}
