package main

import (
	"context"
	"errors"
	"time"
)

const (
	quietRate = 10 // lines/s
	quietTime = 12 * time.Second
	// quietMark tells the quiet file's entries from the others.
	quietMark = `"source":"quiet.log"`
)

var quietRow = row{
	name: "quiet",
	figures: []figure{
		{what: "p50 of a quiet file's lines beside 100 TCP clients flat out, against alone", bound: 5},
		// A thread that is woken while a client of the load runs may wait for the
		// kernel's next tick, 4 ms at 250 Hz: this is of the machine more than of us.
		{what: "p99 of the same", told: true},
	},
	once: func(ctx context.Context, t *tools, i int) ([]value, error) {
		return besideAndAlone(ctx, i, t.quietLateness, func(a, b float64) float64 { return a / b })
	},
}

// besideAndAlone measures the lines of a quiet file in both ways and compares
// p50 and p99.
func besideAndAlone(ctx context.Context, i int, measure func(ctx context.Context, busy bool) ([]time.Duration, error),
	compare func(beside, alone float64) float64,
) ([]value, error) {
	var beside, alone []time.Duration
	err := inTurns(i, func() (err error) {
		beside, err = measure(ctx, true)
		return err
	}, func() (err error) {
		alone, err = measure(ctx, false)
		return err
	})
	if err != nil {
		return nil, err
	}
	values := make([]value, 2)
	for k, q := range []float64{0.5, 0.99} {
		a, b := quantile(beside, q), quantile(alone, q)
		say("quantile %.2f: %.3f ms beside the load, %.3f ms alone", q, a, b)
		values[k].v = compare(a, b)
	}
	return values, nil
}

// quietLateness measures the lines of a quiet file with one TCP client, which
// gets all the daemon sends, with or without 100 clients and a file that grows
// as fast as they read.
func (t *tools) quietLateness(ctx context.Context, busy bool) ([]time.Duration, error) {
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
	load, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	defer func() {
		stop()
		<-ended
	}()
	failed := error(nil)
	if !busy {
		close(ended)
	} else {
		go func() {
			defer close(ended)
			var l loaded
			l, failed = t.generate(load, nil, "-file", d.log("load.log"), "-tcp", d.tcp, "-others",
				"-clients", "100", "-rate", "0", "-duration", (quietTime + 3*time.Second).String())
			say("the load: %.2f M lines/s delivered", l.PerSecond/1e6)
		}()
		err := d.reaches(ctx, "the load runs", func(s status) bool { return s.Clients.TCP == 100 && s.Totals.Entries > 100_000 })
		if err != nil {
			return nil, err
		}
	}
	conn, err := d.subscribe(ctx)
	if err != nil {
		return nil, err
	}
	l, err := listen(conn, quietMark)
	if err != nil {
		return nil, err
	}
	late, err := lateness(ctx, s, l, quietRate, quietTime)
	if err != nil {
		return nil, err
	}
	select {
	case <-ended:
		if busy && failed == nil {
			failed = errors.New("the load ended before the quiet lines")
		}
	default:
		<-ended
	}
	return late, failed
}
