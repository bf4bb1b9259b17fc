// Command compare runs LogWisp, its peers and the limit of the machine through
// the same load generator, one after the other, and writes one table and one
// plot. Use scripts/compare, which builds what it needs.
//
// Every figure is the median of -repeat runs, with the smallest and the largest
// beside it. Flat out is a closed loop: the generator appends only while the
// slowest client is less than 16 MiB behind, and a run in which anything was
// lost is void. The limit sends one immutable buffer round and round; the
// better of one and two threads counts, and ratios are to writes of 64 KiB.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tools are the programs a comparison drives.
type tools struct {
	load, logwisp, limit string
	// Peers; what is empty is left out. nchan is the module that nginx loads.
	nats, nginx, nchan, rsyslogd, nc string

	dir      string // for samples, configurations and logs
	duration time.Duration
	repeat   int
}

func main() {
	var t tools
	var clients, rates, out string
	flag.StringVar(&t.load, "load", "", "`PATH` of bench/load")
	flag.StringVar(&t.logwisp, "logwisp", "", "`PATH` of the daemon")
	flag.StringVar(&t.limit, "limit", "", "`PATH` of bench/limit")
	flag.StringVar(&t.nats, "nats-server", "", "`PATH` of a NATS server; empty leaves it out")
	flag.StringVar(&t.nginx, "nginx", "", "`PATH` of nginx; empty leaves it out")
	flag.StringVar(&t.nchan, "nchan-module", "", "`PATH` of the nchan module for it; empty leaves it out")
	flag.StringVar(&t.rsyslogd, "rsyslogd", "", "`PATH` of rsyslogd; empty leaves it out")
	flag.StringVar(&t.nc, "nc", "", "`PATH` of netcat, for tail -F | nc; empty leaves that out")
	flag.DurationVar(&t.duration, "duration", 4*time.Second, "of one run")
	flag.IntVar(&t.repeat, "repeat", 3, "runs a figure is the median of")
	flag.StringVar(&clients, "clients", "1,10,100,1000", "numbers of clients")
	flag.StringVar(&rates, "rates", "0,1000,10000,100000", "lines per second, 0 = flat out")
	flag.StringVar(&out, "out", "compare", "`PREFIX` of the .md and .svg written")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := compare(ctx, &t, numbers(clients), numbers(rates), out); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// numbers reads a comma separated list; what is no number is left out.
func numbers(list string) (ns []int) {
	for text := range strings.SplitSeq(list, ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
			ns = append(ns, n)
		}
	}
	return ns
}

// maxDeliveries is what a set rate may ask for over all clients: beyond it a
// machine with two cores only shows how it is overloaded.
const maxDeliveries = 1_500_000

// admits reports whether the system is measured with so many clients at rate.
func (s *system) admits(clients, rate int) bool {
	return rate*clients <= maxDeliveries && (s.most == 0 || clients <= s.most)
}

func compare(ctx context.Context, t *tools, clients, rates []int, out string) error {
	dir, err := os.MkdirTemp("", "compare")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	t.dir = dir
	for _, proto := range []string{"tcp", "sse"} {
		if err := t.sample(ctx, proto); err != nil {
			return err
		}
	}
	var rows []row
	for _, rate := range rates {
		for _, c := range clients {
			cell, err := t.cell(ctx, c, rate)
			if err != nil {
				return err
			}
			rows = append(rows, cell...)
		}
	}
	if err := os.WriteFile(out+".md", []byte(table(rows)), 0o644); err != nil {
		return err
	}
	return os.WriteFile(out+".svg", []byte(plot(rows)), 0o644)
}

// cell runs all systems in turn, as many rounds as are asked for.
func (t *tools) cell(ctx context.Context, clients, rate int) ([]row, error) {
	var systems []system
	var rows []row
	for _, s := range t.systems(rate) {
		if s.admits(clients, rate) {
			systems = append(systems, s)
			rows = append(rows, row{system: s.name, proto: s.proto, clients: clients, rate: rate})
		}
	}
	for round := range t.repeat {
		for i := range systems {
			got, err := systems[i].run(ctx, clients, rate)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			rows[i].add(round, got, err)
		}
	}
	for i := range rows {
		fmt.Fprintln(os.Stderr, rows[i].text())
	}
	return rows, nil
}

// sample makes the bytes that the limit sends.
func (t *tools) sample(ctx context.Context, proto string) error {
	_, err := t.command(ctx, t.load, "-emit", t.samplePath(proto), "-proto", proto)
	return err
}

func (t *tools) samplePath(proto string) string { return filepath.Join(t.dir, "sample."+proto) }
