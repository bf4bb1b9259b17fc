package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary stand in for the daemon that -bin starts.
func TestMain(m *testing.M) {
	if os.Getenv("LOAD_TEST_FAKE_DAEMON") == "" {
		os.Exit(m.Run())
	}
	value := func(name string) string { return os.Args[slices.Index(os.Args, name)+1] }
	f := &fake{file: os.Args[len(os.Args)-1], fault: fault(os.Getenv("LOAD_TEST_FAULT"))}
	err := f.serve(net.JoinHostPort(value("--tcp-host"), value("--tcp-port")), net.JoinHostPort(value("--http-host"), value("--http-port")))
	if err != nil || os.Getenv("LOGWISP_ENABLED") != "" {
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
}

func mustRun(t *testing.T, o options) *report {
	t.Helper()
	rep, err := run(t.Context(), o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func wantWhole(t *testing.T, rep *report, o options) {
	t.Helper()
	if len(rep.Broken) > 0 {
		t.Errorf("broken: %q", rep.Broken)
	}
	if want := o.lines * uint64(o.clients); rep.Delivered != want || rep.Least != o.lines || rep.Most != o.lines {
		t.Errorf("delivered %d (%d to %d per client), want %d", rep.Delivered, rep.Least, rep.Most, want)
	}
}

func TestCleanRunHoldsOnEveryTransport(t *testing.T) {
	for _, c := range []struct {
		name         string
		sse, notices bool
	}{{"tcp", false, false}, {"tcp with notices", false, true}, {"sse", true, false}} {
		t.Run(c.name, func(t *testing.T) {
			o := startFake(t, &fake{notices: c.notices})
			o.sse, o.notices = c.sse, c.notices
			rep := mustRun(t, o)
			wantWhole(t, rep, o)
			if rep.Latency.Samples != int64(rep.Delivered) || rep.Latency.P50 <= 0 {
				t.Errorf("latency %+v, want every line sampled", rep.Latency)
			}
			if c.sse && rep.Heartbeats != uint64(o.clients) {
				t.Errorf("%d heartbeats, want %d", rep.Heartbeats, o.clients)
			}
		})
	}
}

func TestFlatOutRunIsHeldToItsWindowAndHolds(t *testing.T) {
	o := startFake(t, &fake{})
	o.rate, o.lines, o.full, o.slowStart = 0, 100_000, false, true
	wantWhole(t, mustRun(t, o), o)
}

func TestBatchesAreAppendedWhole(t *testing.T) {
	o := startFake(t, &fake{})
	o.batch, o.lines = 64, 200
	rep := mustRun(t, o)
	wantWhole(t, rep, o)
	if rep.Appends != 4 {
		t.Errorf("%d appends, want 3 of 64 lines and 1 of 8", rep.Appends)
	}
}

func TestStalledAndDeafClientsHoldNobodyBack(t *testing.T) {
	o := startFake(t, &fake{})
	o.stall, o.never = 1, 2
	wantWhole(t, mustRun(t, o), o)
}

func TestThoseThatNeverReadComeAndGo(t *testing.T) {
	o := startFake(t, &fake{})
	o.never, o.turn = 3, 20*time.Millisecond
	o.rate, o.lines, o.duration = 1000, 3000, time.Minute
	rep := mustRun(t, o)
	wantWhole(t, rep, o)
	if r := rep.Turns; r == nil || r.Count < 4 || r.Count%4 != 0 || r.With <= 0 || r.Without <= 0 {
		t.Errorf("turns %+v, want some of each kind, with lines", r)
	}
}

// TestEveryFaultIsFound plants each fault in each kind of stream and looks for
// the sentence that names it; "" = the run must hold.
func TestEveryFaultIsFound(t *testing.T) {
	const missing, status = "lines missing without a drop notice", "/status:"
	for _, c := range []struct {
		fault                  fault
		plain, noticed, stream string
	}{
		{lose, "", missing, missing}, // a plain stream: /status confirms the loss
		{announce, "", "", ""},
		{miscount, "", "announced count", "announced count"},
		{invent, "", "announced count", "announced count"},
		{repeat, "delivered twice", "delivered twice", "delivered twice"},
		{swap, "out of order", "out of order", "out of order"},
		{corrupt, "differ from what was written", "differ from what was written", "differ from what was written"},
		{mangle, "differ from what was written", "differ from what was written", "differ from what was written"},
		{rename, `source "other.log"`, `source "other.log"`, `source "other.log"`},
		{reorder, `key "time" is unknown, repeated or out of place`, "out of place", "out of place"},
		{garbage, "protocol errors", "protocol errors", "protocol errors"},
		{hangUp, "was disconnected after line 39", "was disconnected", "was disconnected"},
		{goSilent, "got no line after 39", "got no line", "got no line"},
		{lieOffered, status, status, status},
		{lieDropped, status, missing, missing},
	} {
		for kind, want := range []string{c.plain, c.noticed, c.stream} {
			t.Run(string(c.fault)+[]string{"/tcp", "/notices", "/sse"}[kind], func(t *testing.T) {
				t.Parallel()
				o := startFake(t, &fake{fault: c.fault, notices: kind == 1})
				o.sse, o.notices = kind == 2, kind == 1
				if c.fault == goSilent {
					o.settle = 2 * time.Second
				}
				got := strings.Join(mustRun(t, o).Broken, "\n")
				if want == "" && got != "" || !strings.Contains(got, want) {
					t.Errorf("broken: %q, want %q", got, want)
				}
			})
		}
	}
}

func TestAnnouncedLossIsCountedPerClient(t *testing.T) {
	o := startFake(t, &fake{fault: announce})
	o.sse = true
	rep := mustRun(t, o)
	if rep.Dropped != 3 || len(rep.Lossy) != 3 || rep.Lossy[0].Dropped != 1 || rep.Delivered != 3*199 {
		t.Errorf("dropped %d, delivered %d, clients %+v", rep.Dropped, rep.Delivered, rep.Lossy)
	}
}

func TestLossNobodyConfirmsBreaks(t *testing.T) {
	o := startFake(t, &fake{fault: lose})
	o.http = netip.AddrPort{}
	rep := mustRun(t, o)
	if len(rep.Broken) != 3 || !strings.Contains(rep.Broken[0], "no /status to confirm") {
		t.Errorf("broken: %q", rep.Broken)
	}
}

func TestSequenceCheckFindsLossRepetitionAndDisorder(t *testing.T) {
	for _, f := range []fault{lose, repeat, swap} {
		o := startFake(t, &fake{fault: f})
		o.sse, o.full = true, false
		if rep := mustRun(t, o); len(rep.Broken) == 0 {
			t.Errorf("%s was not found", f)
		}
	}
}

func TestStartedDaemonIsMeasuredStoppedAndRemoved(t *testing.T) {
	t.Setenv("LOAD_TEST_FAKE_DAEMON", "1")
	t.Setenv("LOGWISP_ENABLED", "must not reach the daemon")
	t.Setenv("TMPDIR", t.TempDir())
	bin, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		fault string
		code  int
	}{{"", 0}, {"repeat", 1}} {
		t.Setenv("LOAD_TEST_FAULT", c.fault)
		out, err := os.Create(t.TempDir() + "/out")
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"-bin", bin, "-lines", "100", "-rate", "20000", "-json", "-progress=false", "--", "--ring-entries", "1024"}
		if code := mainCode(t.Context(), args, out, os.Stderr); code != c.code {
			t.Errorf("fault %q: exit status %d, want %d", c.fault, code, c.code)
		}
		text, _ := os.ReadFile(out.Name())
		var rep report
		if err := json.Unmarshal(text, &rep); err != nil {
			t.Fatal(err)
		}
		if len(rep.Broken) != c.code || rep.Lines != 100 || rep.Daemon == nil || rep.Daemon.PeakRSS == 0 {
			t.Errorf("report %s", text)
		}
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDaemonThatEndsAtOnceIsReportedWithItsOutput(t *testing.T) {
	script := t.TempDir() + "/logwisp"
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho the ring is full of bees >&2\nexit 78\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := run(t.Context(), options{bin: script, clients: 1}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "exit status 78") || !strings.Contains(err.Error(), "full of bees") {
		t.Errorf("error %v", err)
	}
}
