package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

const (
	floodRate  = 64 << 20 // bytes/s
	floodBatch = 64 << 10
	// neighbourSlack is what a neighbour may cost beyond twice the latency.
	neighbourSlack = 5 // ms
)

var neighbourRow = row{
	name: "neighbour",
	figures: []figure{
		{what: "p50 of a quiet file's lines beside a file that grows by 64 MiB/s, of twice that alone and 5 ms", bound: 1},
		{what: "p99 of the same", bound: 1},
	},
	once: func(ctx context.Context, t *tools, i int) ([]value, error) {
		return besideAndAlone(ctx, i, t.neighbourLateness, func(a, b float64) float64 { return a / (2*b + neighbourSlack) })
	},
}

// neighbourLateness measures the lines of a quiet file with one TCP client that
// asks for nothing else, with or without a file beside it that is written to
// without pause.
func (t *tools) neighbourLateness(ctx context.Context, flooded bool) ([]time.Duration, error) {
	d, err := t.startDaemon(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer d.close()
	s, err := newStamper(d.log("quiet.log"))
	if err != nil {
		return nil, err
	}
	defer s.file.Close()
	conn, err := d.subscribe(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintln(conn, `{"hello":1,"filter":{"source":"quiet.log"}}`); err != nil {
		conn.Close()
		return nil, err
	}
	l, err := listen(conn, quietMark)
	if err != nil {
		return nil, err
	}
	load, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	var flooding atomic.Int64 // lines written
	if !flooded {
		ended <- nil
	} else {
		go func() { ended <- flood(load, d.log("flood.log"), &flooding) }()
		err = d.reaches(ctx, "the flood is read", func(s status) bool { return s.Totals.Entries > 100_000 })
	}
	var late []time.Duration
	if err == nil {
		late, err = lateness(ctx, s, l, quietRate, quietTime)
	} else {
		l.end()
	}
	if err == nil && flooded {
		lines := flooding.Load()
		if s, failed := d.status(); failed != nil || float64(s.Totals.Entries) < 0.95*float64(lines) {
			err = errors.Join(failed, fmt.Errorf("of %d lines of the flood only %d were read", lines, s.Totals.Entries))
		}
	}
	stop()
	return late, errors.Join(err, <-ended)
}

// flood appends lines to a file at floodRate until ctx ends, and counts them. It is
// an error if that was too much for the writer.
func flood(ctx context.Context, path string, count *atomic.Int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bytes.Repeat(append(bytes.Repeat([]byte("x "), stampBytes/2), '\n'), floodBatch/stampBytes)
	begin, written := time.Now(), 0.0
	for ctx.Err() == nil {
		if written > time.Since(begin).Seconds()*floodRate {
			_ = pause(ctx, time.Millisecond) // its end is seen above
			continue
		}
		n, err := f.Write(lines)
		if err != nil {
			return err
		}
		written += float64(n)
		count.Add(int64(n / len(lines) * (floodBatch / stampBytes)))
	}
	if rate := written / time.Since(begin).Seconds(); rate < 0.95*floodRate {
		return fmt.Errorf("the flood had only %.1f MiB/s", rate/(1<<20))
	}
	return nil
}
