package main

import (
	"context"
	"errors"
)

var deafRow = row{
	name:    "deaf",
	figures: []figure{{what: "100 clients flat out with 20 more that never read, against without", bound: 0.97, least: true}},
	once: func(ctx context.Context, t *tools, _ int) ([]value, error) {
		// The bound is near 1, and one run may be half as fast again as another: the
		// 20 come and go in one.
		l, err := t.generate(ctx, nil, "-bin", t.logwisp, "-clients", "100", "-rate", "0", "-duration", "60s", "-never", "20", "-never-turns", "500ms")
		if err != nil {
			return nil, err
		}
		if l.Turns.Count == 0 {
			return nil, errors.New("no turn was complete")
		}
		say("%.2f M lines/s with 20 that never read, %.2f without, %d turns", l.Turns.With/1e6, l.Turns.Without/1e6, l.Turns.Count)
		return []value{{v: l.Turns.With / l.Turns.Without}}, nil
	},
}
