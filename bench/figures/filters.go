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
	filterTurn    = time.Second
	filterTurns   = 12 // of each daemon
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
		// The machine's speed changes within seconds, so the three run beside one another
		// and get lines in turn, in an order that is the same both ways.
		sides := []*filterSide{{clients: filterClients, filtered: true}, {clients: filters, filtered: true}, {clients: filterClients}}
		for _, s := range sides {
			defer s.close()
			if err := s.begin(ctx, t); err != nil {
				return nil, err
			}
		}
		for turn := range filterTurns {
			order := slices.Clone(sides)
			if (turn+i)%2 == 1 {
				slices.Reverse(order)
			}
			for _, s := range order {
				if err := s.turn(ctx); err != nil {
					return nil, err
				}
			}
		}
		many, few, all := sides[0].cost, sides[1].cost, sides[2].cost
		say("CPU of %v: 1000 filtered %v, 10 filtered %v, 1000 unfiltered %v", filterTurns*filterTurn, many, few, all)
		return []value{{v: many.Seconds() / all.Seconds()}, {v: many.Seconds() / few.Seconds()}}, nil
	},
}

// filterSide is a daemon with its clients, and what its turns have cost.
type filterSide struct {
	clients  int
	filtered bool
	*daemon
	conns []net.Conn
	file  *os.File
	had   status // after the turn before
	cost  time.Duration
}

// begin starts the daemon, connects its clients and writes the first lines: the
// first of all is found, and every hello is answered.
func (s *filterSide) begin(ctx context.Context, t *tools) (err error) {
	if s.daemon, err = t.startDaemon(ctx, nil); err != nil {
		return err
	}
	for i := range s.clients {
		conn, err := net.Dial("tcp", s.tcp)
		if err != nil {
			return err
		}
		s.conns = append(s.conns, conn)
		if s.filtered {
			if _, err := fmt.Fprintf(conn, `{"hello":1,"filter":{"q":"needle%d."}}`+"\n", i%filters); err != nil {
				return err
			}
		}
		go drain(conn)
	}
	if err := s.reaches(ctx, "all clients are subscribed", func(have status) bool { return have.Clients.TCP == s.clients }); err != nil {
		return err
	}
	if s.file, err = os.Create(s.log("filters.log")); err != nil {
		return err
	}
	first, err := writeNeedles(ctx, s.file, time.Second)
	if err != nil {
		return err
	}
	s.had, err = s.comesToRest(ctx, first)
	return err
}

// turn adds the daemon's processor time for filterTurn of lines.
func (s *filterSide) turn(ctx context.Context) error {
	before, err := s.processor()
	if err != nil {
		return err
	}
	written, err := writeNeedles(ctx, s.file, filterTurn)
	if err != nil {
		return err
	}
	after, err := s.processor()
	if err != nil {
		return err
	}
	s.cost += after - before
	had := s.had
	if s.had, err = s.allHave(ctx, s.clients, written, had); err != nil {
		return err
	}
	if sent, want := s.had.Totals.Delivered-had.Totals.Delivered, found(s.clients, written, s.filtered); sent != want {
		return fmt.Errorf("%d clients were sent %d lines, want %d", s.clients, sent, want)
	}
	if enough := int(filterTurn.Seconds() * filterRate * 0.95); written < enough {
		return fmt.Errorf("only %d lines were written, want %d", written, enough)
	}
	return nil
}

func (s *filterSide) close() {
	for _, conn := range s.conns {
		conn.Close()
	}
	if s.file != nil {
		s.file.Close()
	}
	if s.daemon != nil {
		s.daemon.close()
	}
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
