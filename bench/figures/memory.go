package main

import (
	"context"
	"os"
)

const (
	ringBytes = 64 << 20          // the daemon's default
	kept      = ringBytes * 5 / 4 // with the views' budget, a quarter of it
	fillBytes = 96 << 20          // of text: more than the ring holds
	// memoryLines are enough to fill the views' budget with events.
	memoryLines = "60000"
)

var memoryRow = row{
	name: "memory",
	figures: []figure{
		{what: "peak memory over ring and views, full ring, 1000 TCP clients flat out", bound: 60, unit: "MB"},
		{what: "the same with 1000 SSE clients", bound: 60, unit: "MB"},
	},
	once: func(ctx context.Context, t *tools, i int) ([]value, error) {
		values := make([]value, 2)
		err := inTurns(i, func() error {
			values[0].v, values[0].void = t.peakOver(ctx, "tcp")
			return ctx.Err()
		}, func() error {
			values[1].v, values[1].void = t.peakOver(ctx, "sse")
			return ctx.Err()
		})
		return values, err
	},
}

// peakOver returns the megabytes that the daemon needs at most, over what it
// is allowed to keep. The ring is filled first: the load alone would not. The
// load is short: 1000 clients take their time over every line of it.
func (t *tools) peakOver(ctx context.Context, proto string) (float64, error) {
	lines, err := t.haveLog("fill.log", fillBytes)
	if err != nil {
		return 0, err
	}
	d, err := t.startDaemon(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer d.close()
	from, to := t.dir+"/fill.log", d.log("fill.log")
	if err := os.Rename(from, to); err != nil {
		return 0, err
	}
	err = d.reaches(ctx, "the ring is full", func(s status) bool { return s.Totals.Entries >= lines })
	if back := os.Rename(to, from); back != nil {
		return 0, back
	}
	if err != nil {
		return 0, err
	}
	l, err := t.generate(ctx, nil, "-file", d.log("load.log"), "-tcp", d.tcp, "-http", d.http, "-pid", d.pid(),
		"-proto", proto, "-clients", "1000", "-rate", "0", "-lines", memoryLines)
	say("%s: peak %.1f MB", proto, l.Daemon.PeakRSS/1e6)
	return (l.Daemon.PeakRSS - kept) / 1e6, err
}
