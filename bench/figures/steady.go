package main

import (
	"context"
	"time"
)

const (
	steadyRate = 10_000 // lines/s
	steadyTime = 5 * time.Second
)

var steadyRow = row{
	name:    "steady",
	figures: []figure{{what: "p50 at 10,000 lines/s, 1 TCP client, against tail -F into nc", bound: 1}},
	once: func(ctx context.Context, t *tools, i int) ([]value, error) {
		var own, shell float64
		err := inTurns(i, func() error {
			late, err := t.daemonLateness(ctx, steadyRate, steadyTime)
			if err == nil {
				own = quantile(late, 0.5)
				say("LogWisp: p50 %.3f, p99 %.3f ms", own, quantile(late, 0.99))
			}
			return err
		}, func() error {
			late, err := t.pipeLateness(ctx, steadyRate, steadyTime)
			if err == nil {
				shell = quantile(late, 0.5)
				say("tail | nc: p50 %.3f, p99 %.3f ms", shell, quantile(late, 0.99))
			}
			return err
		})
		return []value{{v: own / shell}}, err
	},
}

// daemonLateness measures one TCP client of a daemon.
func (t *tools) daemonLateness(ctx context.Context, rate int, d time.Duration) ([]time.Duration, error) {
	daemon, err := t.startDaemon(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer daemon.close()
	s, err := newStamper(daemon.log("steady.log"))
	if err != nil {
		return nil, err
	}
	defer s.file.Close()
	conn, err := daemon.subscribe(ctx)
	if err != nil {
		return nil, err
	}
	l, err := listen(conn, stampMark)
	if err != nil {
		return nil, err
	}
	return lateness(ctx, s, l, rate, d)
}
