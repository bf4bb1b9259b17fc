package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestRowsHaveNamesOfTheirOwnAndBounds(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range rows() {
		if r.name == "" || seen[r.name] || r.once == nil {
			t.Errorf("row %q: no name, no function, or the name of another", r.name)
		}
		seen[r.name] = true
		for _, f := range r.figures {
			if f.what == "" || (f.bound <= 0) != f.told {
				t.Errorf("row %s: figure %q with bound %v", r.name, f.what, f.bound)
			}
		}
	}
}

func TestOnlyChoosesRowsInItsOrderAndRefusesOthers(t *testing.T) {
	got, err := choose("nats, idle")
	if err != nil || len(got) != 2 || got[0].name != "nats" || got[1].name != "idle" {
		t.Errorf("choose: %d rows, %v", len(got), err)
	}
	if _, err := choose("nats,none"); err == nil {
		t.Error("a row that does not exist was chosen")
	}
}

func TestTableTellsWhatIsMetAndWhy(t *testing.T) {
	r := result{
		row: row{figures: []figure{
			{what: "ratio", bound: 0.5},
			{what: "share", bound: 2, least: true, unit: "%"},
			{what: "latency", told: true},
		}},
		values: [][]value{
			{{v: 0.4}, {v: 3, note: "at | once"}, {v: 7}},
			{{v: 0.6}, {void: fmt.Errorf("rsyslogd: %w", errMissing)}, {v: 8}},
			{{void: errors.New("7 lines\ndropped")}, {v: 1}, {v: 9}},
		},
	}
	want := `| what | run 1 | run 2 | run 3 | at least | met |
|---|---|---|---|---|---|
| ratio | 0.40 | 0.60 | void: 7 lines dropped | ≤ 0.50 | 1 of 3 |
| share | 3.00 (at / once) | not run: rsyslogd: not installed | 1.00 | ≥ 2.00 % | not run |
| latency | 7.00 | 8.00 | 9.00 | told |  |
`
	if got := table([]result{r}, 3); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestFiguresThatAreNoNumbersMeetNothing(t *testing.T) {
	for _, least := range []bool{false, true} {
		if (figure{bound: 1, least: least}).met(value{v: math.NaN()}) {
			t.Errorf("least %v: NaN meets the bound", least)
		}
	}
}

func TestMetricsAreReadByTheNameOfTheirBenchmark(t *testing.T) {
	out := []byte(`goos: linux
BenchmarkPublish/readers=10/channels-2  560948  280.10 MB/s  644.2 cpu-ns/line  714.0 ns/line
BenchmarkPublish/readers=10/ring/page=16-2  41758  70.66 cpu-ns/line
BenchmarkPublish/readers=10/ring/page=64KiB-2  7057808  44.99 cpu-ns/line  14.32 x-channels
BenchmarkPublishBeside/readers=10/ring-2  163  42.5 alone-cpu-ns/line  45.5 cpu-ns/line  1.07 of-alone
PASS
`)
	for _, want := range []struct {
		name, unit string
		v          float64
	}{
		{"BenchmarkPublish/readers=10/channels-", "cpu-ns/line", 644.2},
		{"BenchmarkPublish/readers=10/ring/page=64KiB-", "cpu-ns/line", 44.99},
		{"BenchmarkPublish/readers=10/slots-", "cpu-ns/line", 0},
		{"BenchmarkPublishBeside/readers=10/ring-", "of-alone", 1.07},
	} {
		if v := metric(out, want.name, want.unit); v != want.v {
			t.Errorf("%s %s: %v, want %v", want.name, want.unit, v, want.v)
		}
	}
}

func TestListenerTakesStampsRawAndInsideMarkedEntries(t *testing.T) {
	stamp := func(at int64) string { return fmt.Sprintf("%s%0*d ", stampMark, stampDigits, at) }
	entry := `{"time":"x","source":"%s","message":"` + stamp(100) + `"}` + "\n"
	cases := map[string]struct {
		mark, text string
		heard      int64
		late       int
	}{
		"raw lines and a probe": {stampMark, stamp(0) + "x\n" + stamp(100) + "x\n", 2, 1},
		"the quiet file's only": {quietMark, fmt.Sprintf(entry, "load.log") + fmt.Sprintf(entry, "quiet.log"), 1, 1},
		"cut off":               {stampMark, stampMark + "12\n", 0, 0},
		"something else":        {stampMark, "lw 0001\n", 0, 0},
	}
	for name, c := range cases {
		l := listener{mark: []byte(c.mark)}
		l.scan([]byte(c.text), 350)
		if l.heard.Load() != c.heard || len(l.late) != c.late || c.late > 0 && l.late[0] != 250 {
			t.Errorf("%s: %d heard, late %v", name, l.heard.Load(), l.late)
		}
	}
}

func TestStampedLinesAllHaveTheirLength(t *testing.T) {
	s, err := newStamper(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer s.file.Close()
	if err := s.write(3, 12345); err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(s.line) {
		if len(line) != stampBytes || !strings.HasPrefix(string(line), stampMark) {
			t.Errorf("a line of %d bytes: %q", len(line), line)
		}
	}
}
