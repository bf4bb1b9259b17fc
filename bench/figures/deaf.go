package main

import "context"

var deafRow = row{
	name:    "deaf",
	figures: []figure{{what: "100 clients flat out with 20 more that never read, against without", bound: 0.97, least: true}},
	once: func(ctx context.Context, t *tools, i int) ([]value, error) {
		var with, without float64
		run := func(to *float64, never string) func() error {
			return func() error {
				l, err := t.generate(ctx, nil, "-bin", t.logwisp, "-clients", "100", "-rate", "0", "-duration", "3s", "-never", never)
				*to += l.PerSecond
				say("%s that never read: %.2f M lines/s", never, l.PerSecond/1e6)
				return err
			}
		}
		// The bound is near 1: twice, the second time in the other order, so that
		// a machine that slows down steadily slows both alike.
		for turn := range 2 {
			if err := inTurns(i+turn, run(&with, "20"), run(&without, "0")); err != nil {
				return nil, err
			}
		}
		return []value{{v: with / without}}, nil
	},
}
