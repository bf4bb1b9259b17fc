package main

import (
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxDuration   = 10 * time.Minute
	flatWindow    = 16 << 20 // bytes the slowest client may be behind, flat out
	flatBatch     = 64 << 10 // bytes per append, flat out
	maxAppend     = 4 << 20  // bytes per append, paced
	maxLineBytes  = 64 << 10
	minLineBytes  = fixedBytes + 10
	maxSubscribed = 50_000
)

// options is the parsed and checked command line.
type options struct {
	bin       string   // daemon to start; empty: use tcp, http, file
	args      []string // after "--": of the daemon, or with listen the command that forwards
	tcp, http netip.AddrPort
	file      string
	pid       int            // daemon to measure when bin is empty; 0 = none
	nats      netip.AddrPort // publish to and subscribe at this NATS server
	nchan     netip.AddrPort // the same with an nginx that has nchan
	listen    netip.AddrPort // forwarders connect here and send the bare lines of file
	raw       bool           // tcp or http sends lines without end: only count them
	others    bool           // the daemon follows other files too
	emit      string         // write a sample of the stream to this file and end

	sse     bool // protocol: SSE, else TCP
	notices bool // TCP: say hello and ask for notices

	clients   int
	rate      int // lines/s, 0 = flat out
	lines     uint64
	duration  time.Duration
	lineBytes int // with the newline
	batch     int // lines per append, 0 = what is due
	stall     int
	stallFor  time.Duration
	never     int
	turn      time.Duration // those come and go, 0 = they are there all the time
	slowStart bool

	full     bool // check every byte
	threads  int
	settle   time.Duration
	json     bool
	progress bool
}

// announced reports whether the chosen stream tells its clients about losses.
func (o *options) announced() bool { return o.sse || o.notices }

const usage = `usage: load -bin PATH [flags] [-- DAEMON-ARGUMENT ...]
       load -file PATH (-tcp HOST:PORT | -proto sse) [-http HOST:PORT] [flags]
       load -file PATH -listen HOST:PORT [flags] [-- COMMAND [ARGUMENT ...]]
       load -nats HOST:PORT | -nchan HOST:PORT [flags]
       load -raw (-tcp HOST:PORT | -proto sse -http HOST:PORT) [flags]
       load -emit PATH [-proto sse] [flags]

Appends numbered lines to a log file, reads them back through a LogWisp daemon
with many clients and reports what arrived. Loopback addresses only. A daemon
that is already running must follow nothing but FILE, or see -others. For
comparison it does the same with a NATS server (one message a line, or -batch lines a message) and with
an nginx that has the nchan module (publisher at /pub, subscriber at /sub), takes
the bare lines that forwarders of the file, COMMAND or what else connects, send to
-listen, and counts what a server sends that repeats a sample of the stream for
ever.

`

// rawOptions holds the flags whose values need more than the flag package.
type rawOptions struct{ proto, check, tcp, http, nats, nchan, listen string }

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	var raw rawOptions
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprint(stderr, usage)
		fs.PrintDefaults()
	}
	fs.StringVar(&o.bin, "bin", "", "`PATH` of the daemon to start on free loopback ports, in a temporary directory")
	fs.StringVar(&raw.tcp, "tcp", "", "`HOST:PORT` of a running daemon's TCP server")
	fs.StringVar(&raw.http, "http", "", "`HOST:PORT` of a running daemon's HTTP server (/stream, /status)")
	fs.StringVar(&o.file, "file", "", "`PATH` of the file a running daemon follows; lines are appended to it")
	fs.StringVar(&raw.listen, "listen", "", "`HOST:PORT` where forwarders of -file connect, one for every client")
	fs.IntVar(&o.pid, "pid", 0, "process id of what is running, to measure its CPU and memory, those of its children included")
	fs.BoolVar(&o.others, "others", false, "leave entries alone that are not of -file: the running daemon follows other files too")
	fs.StringVar(&raw.nats, "nats", "", "`HOST:PORT` of a NATS server to publish to and to subscribe at")
	fs.StringVar(&raw.nchan, "nchan", "", "`HOST:PORT` of an nginx with nchan to publish to (/pub) and to subscribe at (/sub)")
	fs.BoolVar(&o.raw, "raw", false, "only count what -tcp or -http sends for -duration")
	fs.StringVar(&o.emit, "emit", "", "write 64 MiB of the stream to `PATH`, what precedes it to PATH.head, and end")
	fs.StringVar(&raw.proto, "proto", "tcp", "`tcp or sse`")
	fs.BoolVar(&o.notices, "notices", false, "tcp: say hello and ask for drop notices, of a daemon that understands it")
	fs.IntVar(&o.clients, "clients", 1, "clients that read")
	fs.IntVar(&o.rate, "rate", 1000, "lines per second; 0 = flat out, held to 16 MiB ahead of the slowest client")
	fs.Uint64Var(&o.lines, "lines", 0, "stop after so many lines; 0 = by -duration")
	fs.DurationVar(&o.duration, "duration", 10*time.Second, "stop appending after this long, at most 10m (with -lines: 10m)")
	fs.IntVar(&o.lineBytes, "line-bytes", 200, "bytes per line with its newline")
	fs.IntVar(&o.batch, "batch", 0, "lines per append; 0 = as they fall due (flat out: 64 KiB)")
	fs.IntVar(&o.stall, "stall", 0, "how many of the clients stop reading after their first line")
	fs.DurationVar(&o.stallFor, "stall-for", 5*time.Second, "how long they stop")
	fs.IntVar(&o.never, "never", 0, "additional clients that never read")
	fs.DurationVar(&o.turn, "never-turns", 0, "those are there and away in turns of `D`, and what the others receive is told of both; 0 = there all the time")
	fs.BoolVar(&o.slowStart, "slow-start", false, "grow the rate (flat out: the window) from nothing over the first quarter of the run, at most 5s")
	fs.StringVar(&raw.check, "check", "full", "`full or seq`: every byte of a line, or its sequence only")
	fs.IntVar(&o.threads, "threads", 1, "reading threads, 1 or 2")
	fs.DurationVar(&o.settle, "settle", 10*time.Second, "give up when nothing has arrived for this long")
	fs.BoolVar(&o.json, "json", false, "report as JSON")
	fs.BoolVar(&o.progress, "progress", isTerminal(os.Stderr), "a line a second on standard error")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	o.args = fs.Args()
	limited := false
	fs.Visit(func(f *flag.Flag) { limited = limited || f.Name == "duration" })
	if o.lines > 0 && !limited {
		o.duration = maxDuration
	}
	return o, o.complete(raw)
}

// complete turns the raw flags into values and checks everything.
func (o *options) complete(raw rawOptions) error {
	switch raw.proto {
	case "tcp":
	case "sse":
		o.sse = true
	default:
		return fmt.Errorf("-proto %q: use tcp or sse", raw.proto)
	}
	switch raw.check {
	case "full":
		o.full = true
	case "seq":
	default:
		return fmt.Errorf("-check %q: use full or seq", raw.check)
	}
	for _, a := range []struct {
		name, text string
		to         *netip.AddrPort
	}{
		{"-tcp", raw.tcp, &o.tcp},
		{"-http", raw.http, &o.http},
		{"-nats", raw.nats, &o.nats},
		{"-nchan", raw.nchan, &o.nchan},
		{"-listen", raw.listen, &o.listen},
	} {
		if a.text == "" {
			continue
		}
		addr, err := loopback(a.text)
		if err != nil {
			return fmt.Errorf("%s %s: %w", a.name, a.text, err)
		}
		*a.to = addr
	}
	if err := o.checkTarget(); err != nil {
		return err
	}
	return o.checkRanges()
}

func (o *options) checkTarget() error {
	other := o.bin != "" || o.tcp.IsValid() || o.http.IsValid() || o.sse || o.notices || o.raw
	running := o.tcp.IsValid() || o.http.IsValid() || o.file != "" || o.pid != 0
	switch {
	case o.emit != "":
		return nil
	case o.peer().IsValid():
		if other || o.file != "" || o.listen.IsValid() || o.nats.IsValid() && o.nchan.IsValid() || len(o.args) > 0 {
			return fmt.Errorf("-nats and -nchan are targets of their own: leave out -bin, -tcp, -http, -file, -listen, -proto sse, -raw, arguments and the other of the two")
		}
		o.sse = o.nchan.IsValid()
		return nil
	case o.listen.IsValid():
		return o.checkListen(other)
	case o.raw && o.file == "" && (o.sse && o.http.IsValid() || !o.sse && o.tcp.IsValid()):
		return nil
	case o.raw:
		return fmt.Errorf("-raw needs -tcp HOST:PORT, or -proto sse and -http HOST:PORT, and nothing to write to")
	case o.bin != "" && running:
		return fmt.Errorf("-bin starts its own daemon: leave out -tcp, -http, -file and -pid")
	case o.bin != "":
		return nil
	case len(o.args) > 0:
		return fmt.Errorf("arguments %q: only a daemon started by -bin takes arguments", o.args)
	case o.file == "":
		return fmt.Errorf("nothing to load: name a daemon with -bin, or a running one with -file and -tcp or -http")
	case o.sse && !o.http.IsValid():
		return fmt.Errorf("-proto sse needs -http HOST:PORT")
	case !o.sse && !o.tcp.IsValid():
		return fmt.Errorf("-proto tcp needs -tcp HOST:PORT")
	}
	return nil
}

// checkListen checks what goes with -listen; other says whether another target
// is named too.
func (o *options) checkListen(other bool) error {
	switch {
	case other || o.never > 0:
		return fmt.Errorf("-listen takes the lines of -file from whoever connects: leave out -bin, -tcp, -http, -proto sse, -notices, -raw and -never")
	case o.file == "":
		return fmt.Errorf("-listen needs -file, which the forwarders follow")
	case o.pid != 0 && len(o.args) > 0:
		return fmt.Errorf("-listen measures the command it starts: leave out -pid")
	}
	return nil
}

func (o *options) checkRanges() error {
	type bound struct {
		flag       string
		v, low, hi int64
	}
	for _, b := range []bound{
		{"-clients", int64(o.clients), 1, maxSubscribed},
		{"-never", int64(o.never), 0, maxSubscribed},
		{"-stall", int64(o.stall), 0, int64(o.clients)},
		{"-rate", int64(o.rate), 0, 100_000_000},
		{"-lines", int64(min(o.lines, 1<<62)), 0, 999_999_999_999},
		{"-line-bytes", int64(o.lineBytes), int64(minLineBytes), maxLineBytes},
		{"-batch", int64(o.batch), 0, maxAppend / int64(max(o.lineBytes, 1))},
		{"-threads", int64(o.threads), 1, 2},
	} {
		if b.v < b.low || b.v > b.hi {
			return fmt.Errorf("%s %d: must be from %d to %d", b.flag, b.v, b.low, b.hi)
		}
	}
	for _, d := range []struct {
		flag string
		v    time.Duration
	}{{"-duration", o.duration}, {"-stall-for", o.stallFor}, {"-settle", o.settle}} {
		if d.v <= 0 || d.v > maxDuration {
			return fmt.Errorf("%s %v: must be above 0 and at most %v", d.flag, d.v, maxDuration)
		}
	}
	if o.rate == 0 && o.stall == o.clients {
		return fmt.Errorf("-rate 0 is held back by the clients that keep reading: leave at least one out of -stall, or set a rate")
	}
	if o.turn < 0 || o.turn > 0 && o.never == 0 {
		return fmt.Errorf("-never-turns %v: must be above 0, with -never", o.turn)
	}
	if o.sse && o.notices {
		return fmt.Errorf("-notices is for -proto tcp: SSE always carries them")
	}
	return nil
}

// loopback parses HOST:PORT and refuses whatever leaves the machine: the
// generator floods its target, which must be nobody else's.
func loopback(s string) (netip.AddrPort, error) {
	if rest, ok := strings.CutPrefix(s, "localhost:"); ok {
		s = "127.0.0.1:" + rest
	}
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		return a, fmt.Errorf("%w: write it as 127.0.0.1:PORT, [::1]:PORT or localhost:PORT", err)
	}
	if !a.Addr().IsLoopback() {
		return a, fmt.Errorf("not a loopback address: the load generator talks to its own machine only")
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), nil
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
