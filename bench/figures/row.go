package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// row measures one or several figures at once.
type row struct {
	name    string // for -only
	figures []figure
	// once measures every figure one time. i is the number of the run: odd ones
	// run what is compared in the other order.
	once func(ctx context.Context, t *tools, i int) ([]value, error)
}

// figure is one line of the table.
type figure struct {
	what  string
	bound float64
	least bool   // the bound is the least that is promised, else the most
	told  bool   // nothing is promised
	unit  string // of an absolute figure; empty for a ratio
}

// value is one figure of one run.
type value struct {
	v    float64
	note string // what the figure holds for, when not as wanted
	void error  // why there is no figure; it may be errMissing
}

// errMissing is in the error of a row that cannot run on this machine.
var errMissing = errors.New("not installed")

// result is what the runs of a row have given: values[run][figure].
type result struct {
	row    row
	values [][]value
}

// repeat measures a row n times.
func (r row) repeat(ctx context.Context, t *tools, n int) result {
	res := result{row: r}
	for i := range n {
		begin := time.Now()
		got, err := r.within(ctx, t, i)
		for k, f := range r.figures {
			fmt.Fprintf(os.Stderr, "%s, run %d, %.0f s: %s: %s\n", r.name, i+1, time.Since(begin).Seconds(), f.what, got[k].text())
		}
		res.values = append(res.values, got)
		if errors.Is(err, errMissing) || ctx.Err() != nil {
			break
		}
	}
	return res
}

// within measures a row once, within runTime. Without figures every value is void.
func (r row) within(ctx context.Context, t *tools, i int) ([]value, error) {
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	got, err := r.once(ctx, t, i)
	if err == nil && len(got) == len(r.figures) {
		return got, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = fmt.Errorf("out of time or interrupted: %w", cause)
	}
	got = make([]value, len(r.figures))
	for k := range got {
		got[k] = value{void: err}
	}
	return got, err
}

func (f figure) limit() string {
	if f.told {
		return "told"
	}
	sign := "≤"
	if f.least {
		sign = "≥"
	}
	return strings.TrimSpace(sign + " " + short(f.bound) + " " + f.unit)
}

func (f figure) met(v value) bool {
	return v.void == nil && (f.told || f.least && v.v >= f.bound || !f.least && v.v <= f.bound)
}

func (v value) text() string {
	switch {
	case errors.Is(v.void, errMissing):
		return "not run: " + v.void.Error()
	case v.void != nil:
		return "void: " + v.void.Error()
	case v.note != "":
		return short(v.v) + " (" + v.note + ")"
	}
	return short(v.v)
}

// short writes a number with three digits that count.
func short(v float64) string {
	switch {
	case v == 0 || v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

const cellWidth = 90 // letters of an explanation in the table

// cell writes text into a table.
func cell(text string) string {
	text = strings.NewReplacer("|", "/", "\n", " ").Replace(text)
	if r := []rune(text); len(r) > cellWidth {
		text = string(r[:cellWidth]) + "…"
	}
	return text
}

// table renders the results as Markdown.
func table(results []result, repeat int) string {
	var b strings.Builder
	b.WriteString("| what |")
	for i := range repeat {
		fmt.Fprintf(&b, " run %d |", i+1)
	}
	b.WriteString(" at least | met |\n|---|" + strings.Repeat("---|", repeat) + "---|---|\n")
	for _, r := range results {
		for k, f := range r.row.figures {
			fmt.Fprintf(&b, "| %s |", f.what)
			met, missing := 0, false
			for i := range repeat {
				text := ""
				if i < len(r.values) {
					v := r.values[i][k]
					text = cell(v.text())
					missing = missing || errors.Is(v.void, errMissing)
					if f.met(v) {
						met++
					}
				}
				fmt.Fprintf(&b, " %s |", text)
			}
			verdict := "no"
			switch {
			case missing:
				verdict = "not run"
			case f.told:
				verdict = ""
			case met == repeat:
				verdict = "yes"
			case met > 0:
				verdict = fmt.Sprintf("%d of %d", met, repeat)
			}
			fmt.Fprintf(&b, " %s | %s |\n", f.limit(), verdict)
		}
	}
	return b.String()
}

// inTurns runs first and second, in run i of a row the other way round when i
// is odd: what the machine does meanwhile, or remembers, falls on both.
func inTurns(i int, first, second func() error) error {
	if i%2 == 1 {
		first, second = second, first
	}
	if err := first(); err != nil {
		return err
	}
	return second()
}

// say reports a detail of a run.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "  "+format+"\n", args...) }
