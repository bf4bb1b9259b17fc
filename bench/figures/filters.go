package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	filterRate    = 2000 // lines/s
	filterTime    = 6 * time.Second
	filters       = 10
	filterClients = 1000
)

var filtersRow = row{
	name: "filters",
	figures: []figure{
		{what: "CPU of 1000 TCP clients that share 10 filters, which let 1 % through in all, 2,000 lines/s, against unfiltered", bound: 1.0 / 3},
		{what: "the same, against 10 clients with those filters", bound: 1.2},
	},
	once: func(ctx context.Context, t *tools, i int) ([]value, error) {
		// The machine's speed changes from one to the next, so each comes twice, in
		// an order that is the same both ways.
		var many, few, all time.Duration
		add := func(sum *time.Duration, clients int, filtered bool) func() error {
			return func() error {
				cost, err := t.filterCost(ctx, clients, filtered)
				*sum += cost
				return err
			}
		}
		turns := []func() error{add(&many, filterClients, true), add(&few, filters, true), add(&all, filterClients, false)}
		if i%2 == 1 {
			slices.Reverse(turns)
		}
		var err error
		for _, turn := range append(turns, turns[2], turns[1], turns[0]) {
			if err == nil {
				err = turn()
			}
		}
		say("CPU of %v: 1000 filtered %v, 10 filtered %v, 1000 unfiltered %v", 2*filterTime, many, few, all)
		return []value{{v: many.Seconds() / all.Seconds()}, {v: many.Seconds() / few.Seconds()}}, err
	},
}

// filterCost returns the daemon's processor time for filterTime of lines.
func (t *tools) filterCost(ctx context.Context, clients int, filtered bool) (time.Duration, error) {
	d, err := t.startDaemon(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer d.close()
	for i := range clients {
		conn, err := net.Dial("tcp", d.tcp)
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		if filtered {
			if _, err := fmt.Fprintf(conn, `{"hello":1,"filter":{"q":"needle%d."}}`+"\n", i%filters); err != nil {
				return 0, err
			}
		}
		go drain(conn)
	}
	err = d.reaches(ctx, "all clients are subscribed", func(s status) bool { return s.Clients.TCP == clients })
	if err != nil {
		return 0, err
	}
	f, err := os.Create(d.log("filters.log"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	first, err := writeNeedles(ctx, f, time.Second) // the first of all is found, and every hello is answered
	if err != nil {
		return 0, err
	}
	had, err := d.comesToRest(ctx, first)
	if err != nil {
		return 0, err
	}
	before, err := d.processor()
	if err != nil {
		return 0, err
	}
	written, err := writeNeedles(ctx, f, filterTime)
	if err != nil {
		return 0, err
	}
	after, err := d.processor()
	if err != nil {
		return 0, err
	}
	have, err := d.allHave(ctx, clients, written, had)
	if want := found(clients, written, filtered); err == nil && have.Totals.Delivered-had.Totals.Delivered != want {
		err = fmt.Errorf("%d clients were sent %d lines, want %d", clients, have.Totals.Delivered-had.Totals.Delivered, want)
	}
	if enough := int(filterTime.Seconds() * filterRate * 0.95); err == nil && written < enough {
		err = fmt.Errorf("only %d lines were written, want %d", written, enough)
	}
	return after - before, err
}

// found returns how many of the lines written are for all of the clients.
func found(clients, written int, filtered bool) (n uint64) {
	for i := range clients {
		switch k := i % filters; {
		case !filtered:
			n += uint64(written)
		case written > k:
			n += uint64((written - k + 999) / 1000)
		}
	}
	return n
}

// comesToRest waits until as many lines were read and nothing more is sent. A hello may
// come behind the first lines, and its client goes on behind them then.
func (d *daemon) comesToRest(ctx context.Context, lines int) (have status, err error) {
	err = d.reaches(ctx, fmt.Sprintf("%d lines are sent", lines), func(s status) bool {
		same := s == have
		have = s
		return same && s.Totals.Entries == uint64(lines)
	})
	return have, err
}

// allHave waits until as many more lines were read than before, and each client was
// sent each of them or it was not for it. A client that lost one, or left, is an error.
func (d *daemon) allHave(ctx context.Context, clients, lines int, before status) (have status, err error) {
	err = d.reaches(ctx, fmt.Sprintf("all %d clients have got %d lines", clients, lines), func(s status) bool {
		have = s
		now, then := s.Totals, before.Totals
		return s.Clients.TCP == clients && now.Dropped == 0 && now.Entries == then.Entries+uint64(lines) &&
			now.Delivered+now.Filtered == then.Delivered+then.Filtered+uint64(clients)*uint64(lines)
	})
	return have, err
}

// writeNeedles appends filterRate lines a second for a while, each when it is
// due, and returns how many. One of a hundred holds the needle of one of the filters.
func writeNeedles(ctx context.Context, f *os.File, d time.Duration) (written int, err error) {
	begin := time.Now()
	var line []byte
	for time.Since(begin) < d {
		if ctx.Err() != nil {
			return written, ctx.Err()
		}
		for due := int(time.Since(begin).Seconds() * filterRate); written < due; written++ {
			line = fmt.Appendf(line[:0], "%09d request served by worker seven: GET /api/v1/items, then five thousand bytes within twelve milliseconds, needle%d. and nothing else of note\n", written, written%1000)
			if _, err := f.Write(line); err != nil {
				return written, err
			}
		}
		nap := unix.NsecToTimespec(int64(200 * time.Microsecond))
		_ = unix.Nanosleep(&nap, nil) // woken early: it looks again
	}
	return written, nil
}

// drain reads until the connection is closed.
func drain(conn net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}
