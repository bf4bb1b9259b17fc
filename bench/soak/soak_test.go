package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// builtDaemon builds the daemon and returns its path.
func builtDaemon(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "logwisp")
	if out, err := exec.Command("go", "build", "-o", bin, "../../cmd/logwisp").CombinedOutput(); err != nil {
		t.Fatalf("build the daemon: %v\n%s", err, out)
	}
	return bin
}

// clock is a moment that lines come at.
var clock = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// takes books lines first to before end of a generation, one a millisecond.
func takes(l *ledger, generation, first, end uint64) {
	for n := first; n < end; n++ {
		clock = clock.Add(time.Millisecond)
		l.take(line{generation: generation, number: n}, clock)
	}
}

func wants(t *testing.T, l *ledger, want counts) {
	t.Helper()
	have, _ := l.close()
	have.worth, have.usual = 0, 0
	if have != want {
		t.Errorf("counts %+v, want %+v", have, want)
	}
}

func TestLinesOfTwoGenerationsMayAlternate(t *testing.T) {
	var l ledger
	l.wrote(0, 20)
	l.wrote(1, 20)
	for n := range uint64(20) {
		takes(&l, 0, n, n+1)
		takes(&l, 1, n, n+1)
	}
	if !l.whole() {
		t.Error("not whole")
	}
	wants(t, &l, counts{lines: 40})
}

func TestLostRepeatedAndDisorderedLinesAreCounted(t *testing.T) {
	var l ledger
	l.wrote(0, 100)
	takes(&l, 0, 0, 10)
	takes(&l, 0, 8, 10)  // again
	takes(&l, 0, 20, 30) // ten missing
	takes(&l, 0, 14, 16) // two of them, late
	takes(&l, 0, 30, 90) // the last ten never come
	if l.whole() {
		t.Error("whole, although lines are missing")
	}
	wants(t, &l, counts{lines: 82, missing: 18, repeated: 2, disordered: 2})
}

func TestGenerationOfWhichNothingCameIsMissing(t *testing.T) {
	var l ledger
	l.wrote(0, 5)
	l.wrote(1, 7)
	takes(&l, 0, 0, 5)
	wants(t, &l, counts{lines: 5, missing: 7})
}

func TestLinesMayComeAgainBehindAKillOnly(t *testing.T) {
	var l ledger
	l.wrote(0, 5000)
	takes(&l, 0, 0, 3000)
	l.killed(clock)
	takes(&l, 0, 2500, 5000)
	wants(t, &l, counts{lines: 5000, again: 500, mostAgain: 500})
	if w := l.counts.worth; w < 490*time.Millisecond || w > 510*time.Millisecond {
		t.Errorf("what came again was sent up to %v before the kill, want 500ms", w)
	}
	takes(&l, 0, 4000, 4001) // a second time back in the same session
	wants(t, &l, counts{lines: 5000, again: 500, mostAgain: 500, repeated: 1})
}

func TestTimeBetweenAKillAndTheNextLinesDoesNotCount(t *testing.T) {
	var l ledger
	l.wrote(0, 5000)
	takes(&l, 0, 0, 1000)
	l.killed(clock)
	clock = clock.Add(time.Hour)
	takes(&l, 0, 900, 1100)
	l.killed(clock)
	clock = clock.Add(time.Hour)
	takes(&l, 0, 800, 5000) // the 200 of this session, and 100 from before those that came twice
	c, _ := l.close()
	if c.worth < 390*time.Millisecond || c.worth > 410*time.Millisecond {
		t.Errorf("what came again was sent up to %v before the kill, want 400ms", c.worth)
	}
}

func TestAFewLinesOfLongAgoAreAsOldAsTheyAre(t *testing.T) {
	var l ledger
	l.wrote(0, 100)
	l.wrote(1, 20_000)
	takes(&l, 0, 0, 100)
	takes(&l, 1, 0, 15_000)
	l.killed(clock)
	takes(&l, 0, 50, 100) // of a file that was read to its end long before
	takes(&l, 1, 15_000, 20_000)
	if c, _ := l.close(); c.worth < 15*time.Second || c.again != 50 {
		t.Errorf("%d lines came again that were sent up to %v before the kill, want 50 and 15 s", c.again, c.worth)
	}
}

func TestTheUsualLossIsTheMedianOfAllKillsThoseWithoutOneToo(t *testing.T) {
	var l ledger
	l.wrote(0, 6000)
	takes(&l, 0, 0, 1000)
	for _, again := range []uint64{500, 0, 50, 40, 0} {
		l.killed(clock)
		takes(&l, 0, 1000-again, 1000)
	}
	takes(&l, 0, 1000, 6000)
	if c, _ := l.close(); c.usual < 35*time.Millisecond || c.usual > 45*time.Millisecond {
		t.Errorf("in the median %v came again, want 40ms", c.usual)
	}
}

func TestLossAcrossAKillIsMissing(t *testing.T) {
	var l ledger
	l.wrote(0, 100)
	takes(&l, 0, 0, 50)
	l.killed(clock)
	takes(&l, 0, 60, 100)
	wants(t, &l, counts{lines: 90, missing: 10})
	l.killed(clock)
	takes(&l, 0, 55, 100) // five of them come after all
	wants(t, &l, counts{lines: 95, missing: 5, again: 40, mostAgain: 40})
}

func TestEveryChangedByteOfALineIsFound(t *testing.T) {
	const size = 80
	want := line{generation: 7, number: 123456789, nano: 1767323045000000000}
	text := bytes.TrimSuffix(appendLine(nil, want, size), []byte("\n"))
	if have, ok := parseLine(text, size); !ok || have != want || len(text) != size-1 {
		t.Fatalf("%s: read %+v, %v", text, have, ok)
	}
	for i := range text {
		changed := bytes.Clone(text)
		changed[i] ^= 0x40
		if _, ok := parseLine(changed, size); ok {
			t.Errorf("%s is taken for a line", changed)
		}
	}
	if _, ok := parseLine(text[:len(text)-1], size); ok {
		t.Error("a line without its end is taken for one")
	}
}

// stream returns entries as the daemon sends them over a protocol.
func stream(proto string, size int, numbers ...uint64) string {
	var b strings.Builder
	for _, n := range numbers {
		message := strings.TrimSuffix(string(appendLine(nil, line{number: n, nano: 1}, size)), "\n")
		entry := `{"time":"2026-01-02T03:04:05.000000Z","source":"app.log","message":"` + message + `"}` + "\n"
		if proto == "sse" {
			entry = "id: 1-1\ndata: " + entry + "\n"
		}
		b.WriteString(entry)
	}
	return b.String()
}

func TestSubscriberBooksWholeEntriesOfBothProtocols(t *testing.T) {
	for _, proto := range []string{"tcp", "sse"} {
		o := options{proto: proto, lineBytes: 120}
		s := newSubscriber(&o, "", &ledger{}, nil)
		s.ledger.wrote(0, 5)
		text := stream(proto, 120, 0, 1, 2, 3)
		if proto == "sse" {
			text = "event: connected\ndata: {\"client_id\":\"sse-1\"}\n\n" + text + "event: drop\ndata: {\"count\":1}\n\n"
		}
		text += stream(proto, 120, 4)[:100] // cut off by a kill
		if err := s.read(strings.NewReader(text)); err != io.EOF {
			t.Errorf("%s: read ended with %v", proto, err)
		}
		wants(t, s.ledger, counts{lines: 4, missing: 1})
		if s.strange != 0 || proto == "sse" && s.announce != 1 {
			t.Errorf("%s: %d strange entries, the first %s, %d losses told", proto, s.strange, s.example, s.announce)
		}
	}
}

func TestEntryThatNobodyWroteIsStrange(t *testing.T) {
	o := options{proto: "tcp", lineBytes: 120}
	s := newSubscriber(&o, "", &ledger{}, nil)
	_ = s.read(strings.NewReader(stream("tcp", 100, 0) + "{}\n"))
	if s.strange != 2 || s.got.Load() != 0 {
		t.Errorf("%d strange entries and %d lines, want 2 and 0", s.strange, s.got.Load())
	}
}

// What is left in the directory and what was deleted is all that was written.
func TestEveryModeWritesEveryLineItNotes(t *testing.T) {
	for _, mode := range modes {
		o := options{mode: mode, rate: 100_000, lineBytes: 80, rotations: 20, every: 2 * time.Millisecond, seed: 1}
		dir := t.TempDir()
		var l ledger
		g, err := newLogger(&o, dir, &l)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.run(t.Context()); err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		paths, err := filepath.Glob(filepath.Join(dir, logName+"*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for entry := range bytes.Lines(text) {
				if in, ok := parseLine(bytes.TrimSuffix(entry, []byte("\n")), o.lineBytes); ok {
					l.take(in, clock)
				}
			}
		}
		c, written := l.close()
		if written == 0 || written != g.written.Load() || c.repeated > 0 {
			t.Errorf("%s: %d lines noted, %d written, %d of them repeated", mode, written, g.written.Load(), c.repeated)
		}
		if g.rotations.Load() != 20 || (mode == "rename" || mode == "kill") && (!l.whole() || len(paths) != 21) {
			t.Errorf("%s: %d rotations, %d files, %+v", mode, g.rotations.Load(), len(paths), c)
		}
	}
}

func TestBadCommandLinesAreRefusedWithTheFlagNamed(t *testing.T) {
	for _, args := range []string{
		"", "-bin x -mode other", "-bin x -proto udp", "-bin x -rate 0", "-bin x -line-bytes 10", "-bin x -rotations -1",
		"-bin x -every 1us", "-bin x -duration -1s", "-bin x -mode kill -kills 0", "-bin x -uptime 1ms", "-bin x -downtime 1m", "-bin x -progress 0s",
	} {
		fields := strings.Fields(args)
		want := "-bin"
		if len(fields) > 2 {
			want = fields[len(fields)-2]
		}
		if _, err := parseOptions(fields, io.Discard); err == nil || !strings.HasPrefix(err.Error(), want+" is ") {
			t.Errorf("%q: %v, want an error about %s", args, err, want)
		}
	}
}

func TestRunIsAlwaysBounded(t *testing.T) {
	for _, mode := range modes {
		o, err := parseOptions([]string{"-bin", "x", "-mode", mode}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if d := o.limit(); d < 3*time.Minute || d > time.Hour {
			t.Errorf("mode %s may take %v", mode, d)
		}
	}
}

func TestEveryFaultIsInTheVerdict(t *testing.T) {
	clean := report{mode: "rename", written: 1, counts: counts{lines: 1}}
	clean.judge()
	if len(clean.broken) > 0 {
		t.Errorf("a clean run is broken: %q", clean.broken)
	}
	faults := []func(*report){
		func(r *report) { r.counts.missing = 1 },
		func(r *report) { r.counts.repeated = 1 },
		func(r *report) { r.counts.disordered = 1 },
		func(r *report) { r.strange = 1 },
		func(r *report) { r.announced = 1 },
		func(r *report) { r.status.Totals.Dropped = 1 },
		func(r *report) { r.status.Sources.LostBytes = 1 },
		func(r *report) { r.counts.worth = 2 * worthMost },
		func(r *report) { r.counts.usual = 2 * worthUsual },
		func(r *report) { r.written = 0 },
		func(r *report) { r.counts.lines = 0 },
		func(r *report) { r.toKill = 1 },
		func(r *report) { r.left = 1 },
	}
	for i, fault := range faults {
		r := report{mode: "rename", took: time.Second, written: 1, counts: counts{lines: 1}}
		fault(&r)
		r.judge()
		var b strings.Builder
		if err := r.write(&b); err != nil || len(r.broken) != 1 || !strings.Contains(b.String(), "BROKEN") {
			t.Errorf("fault %d: %q, %v", i, r.broken, err)
		}
	}
}

func TestDaemonThatEndsAtOnceIsReportedAndRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	o, err := parseOptions([]string{"-bin", "false", "-rotations", "1"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run(context.Background(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "ended during the run") {
		t.Errorf("error %v", err)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || slices.ContainsFunc(left, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "logwisp-soak-") }) {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
