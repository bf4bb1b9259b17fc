package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

func TestBadCommandLinesAreRefusedWithTheFlagNamed(t *testing.T) {
	for args, want := range map[string]string{
		"":                                        "-bin",
		"-bin x -tcp 127.0.0.1:1":                 "-bin starts its own",
		"-file f -tcp 10.0.0.1:9090":              "not a loopback address",
		"-file f -tcp example.com:9090":           "-tcp example.com:9090",
		"-file f -proto sse -tcp 127.0.0.1:1":     "needs -http",
		"-file f -tcp 127.0.0.1:1 -- --flag":      "only a daemon started by -bin",
		"-bin x -proto udp":                       `-proto "udp"`,
		"-bin x -check most":                      `-check "most"`,
		"-bin x -duration 11m":                    "-duration 11m0s",
		"-bin x -duration -1s":                    "-duration -1s",
		"-bin x -clients 0":                       "-clients 0",
		"-bin x -clients 2 -stall 3":              "-stall 3",
		"-bin x -clients 2 -stall 2 -rate 0":      "leave at least one",
		"-bin x -line-bytes 20":                   "-line-bytes 20",
		"-bin x -proto sse -notices":              "-notices is for",
		"-nchan 10.0.0.1:80":                      "not a loopback address",
		"-nchan 127.0.0.1:1 -nats 127.0.0.1:2":    "targets of their own",
		"-nchan 127.0.0.1:1 -file f":              "targets of their own",
		"-nats 127.0.0.1:1 -- cat":                "targets of their own",
		"-listen 127.0.0.1:1":                     "-listen needs -file",
		"-listen 127.0.0.1:1 -file f -never 1":    "-never",
		"-bin x -never-turns 1s":                  "with -never",
		"-bin x -never 1 -never-turns -1s":        "above 0",
		"-listen 127.0.0.1:1 -file f -proto sse":  "-proto sse",
		"-listen 127.0.0.1:1 -file f -pid 1 -- a": "leave out -pid",
		"-bin x -batch 1000000 -line-bytes 1000":  "-batch 1000000",
	} {
		_, err := parseOptions(strings.Fields(args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", args, err, want)
		}
	}
}

func TestRunIsAlwaysBounded(t *testing.T) {
	for args, want := range map[string]time.Duration{
		"-bin x":                        10 * time.Second,
		"-bin x -lines 5":               maxDuration,
		"-bin x -lines 5 -duration 20s": 20 * time.Second,
		"-bin x -duration 10m":          maxDuration,
		"-file f -tcp [::1]:9090":       10 * time.Second,
		"-file f -tcp localhost:9090":   10 * time.Second,
	} {
		o, err := parseOptions(strings.Fields(args), io.Discard)
		if err != nil || o.duration != want {
			t.Errorf("%s: duration %v, error %v, want %v", args, o.duration, err, want)
		}
	}
}

func TestEveryChangedByteOfALineIsFound(t *testing.T) {
	for _, size := range []int{minLineBytes, 200, 5000} {
		f := newLineForm(size)
		line := f.append(nil, 999_999_999_998, 2, 1_700_000_000_123_456_789)
		if len(line) != 2*size || line[size-1] != '\n' {
			t.Fatalf("%d bytes, want 2 lines of %d", len(line), size)
		}
		msg := line[size : 2*size-1]
		if !f.check(msg) {
			t.Fatalf("%q is refused", msg)
		}
		if seq, ok := lineSeq(msg); !ok || seq != 999_999_999_999 {
			t.Errorf("seq %d", seq)
		}
		for i := range msg {
			msg[i] ^= 1
			if f.check(msg) {
				t.Errorf("changed byte %d of %d is not found", i, size)
			}
			msg[i] ^= 1
		}
	}
}

func TestPacingFollowsTheRateAndItsRamp(t *testing.T) {
	for _, o := range []options{
		{rate: 1000, duration: 8 * time.Second},
		{rate: 1000, duration: 8 * time.Second, slowStart: true},
	} {
		a := appender{o: &o}
		for _, n := range []uint64{1, 10, 500, 3000} {
			if at := a.when(n); a.due(at) < n || a.due(at-time.Millisecond) >= n && at > time.Millisecond {
				t.Errorf("slow start %v: line %d falls due at %v, then %d are due", o.slowStart, n, at, a.due(at))
			}
		}
	}
	slow := appender{o: &options{rate: 1000, duration: 8 * time.Second, slowStart: true}}
	if got := slow.due(2 * time.Second); got != 1000 {
		t.Errorf("%d lines due at the end of the ramp, want half of 2000", got)
	}
}

func TestTheWaitForAFullWindowFollowsThePaceOfTheSlowest(t *testing.T) {
	for _, c := range []struct {
		read uint64 // in a second
		want time.Duration
	}{
		{0, windowNap},
		{flatWindow * 1000, windowNap}, // a sixteenth of the window takes 62 µs
		{flatWindow * 25, time.Second / 400},
		{flatWindow / 8, windowRest}, // half a second
	} {
		if got := windowWait(c.read, time.Second); got != c.want {
			t.Errorf("%d bytes read in a second: it waits %v, want %v", c.read, got, c.want)
		}
	}
}

func TestLedgerCountsOneFaultOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		seqs []uint64 // 0 = one line announced as dropped
		want string
	}{
		{"in order", []uint64{1, 2, 3}, "dropped 0 lost 0 dup 0 order 0 mismatch 0"},
		{"announced", []uint64{1, 0, 3, 4}, "dropped 1 lost 0 dup 0 order 0 mismatch 0"},
		{"announced twice", []uint64{1, 0, 0, 4}, "dropped 2 lost 0 dup 0 order 0 mismatch 0"},
		{"announced too few", []uint64{1, 0, 4, 5}, "dropped 1 lost 1 dup 0 order 0 mismatch 1"},
		{"announced none missing", []uint64{1, 0, 2, 3}, "dropped 1 lost 0 dup 0 order 0 mismatch 1"},
		{"gap", []uint64{1, 4, 5}, "dropped 0 lost 2 dup 0 order 0 mismatch 0"},
		{"repeated", []uint64{1, 2, 2, 3}, "dropped 0 lost 0 dup 1 order 0 mismatch 0"},
		{"swapped", []uint64{1, 3, 2, 4}, "dropped 0 lost 0 dup 0 order 1 mismatch 0"},
		{"run repeated", []uint64{1, 2, 1, 2, 3}, "dropped 0 lost 0 dup 2 order 0 mismatch 0"},
	} {
		l := ledger{next: 1}
		for _, s := range c.seqs {
			if s == 0 {
				l.announce(1)
			} else if !l.accept(s) {
				_ = l.irregular(s)
			}
		}
		got := fmt.Sprintf("dropped %d lost %d dup %d order %d mismatch %d", l.dropped, l.lost, l.duplicates, l.disorder, l.mismatches)
		if got != c.want || l.accounted() != c.seqs[len(c.seqs)-1] {
			t.Errorf("%s: %s, up to %d; want %s", c.name, got, l.accounted(), c.want)
		}
	}
}

// scanInput is 1000 entries as they come off the wire, and a client for them.
func scanInput(sse, full bool) ([]byte, *client) {
	form := newLineForm(200)
	s := &session{form: form, full: full, sse: sse, source: "load.log", every: flatEvery}
	c := &client{run: s, phase: counting, sample: func(int64) {}}
	c.sse.header = true
	st := fakeStream{fake: &fake{}, sse: sse}
	for seq := uint64(1); seq <= 1000; seq++ {
		msg := form.append(nil, seq, 1, 1_700_000_000_000_000_000)
		st.id++
		st.entry(string(msg[:len(msg)-1]), "load.log")
	}
	return st.out, c
}

// TestScanningIsTheSameWhereverAReadEnds cuts the stream at every byte.
func TestScanningIsTheSameWhereverAReadEnds(t *testing.T) {
	for _, sse := range []bool{false, true} {
		in, c := scanInput(sse, true)
		c.ledger.next = 1
		for used, end := 0, 1; end <= len(in); end++ {
			used += c.scan(in[used:end])
		}
		if l := c.ledger; l.received != 1000 || l.next != 1001 || c.content+c.protocol > 0 {
			t.Errorf("sse %v: %d received, next %d, first fault %q", sse, l.received, l.next, c.firstFault)
		}
	}
}

// BenchmarkScan is the cost of one received line, without the read.
func BenchmarkScan(b *testing.B) {
	for _, sse := range []bool{false, true} {
		for _, full := range []bool{false, true} {
			b.Run(fmt.Sprintf("sse=%v/full=%v", sse, full), func(b *testing.B) {
				in, c := scanInput(sse, full)
				b.SetBytes(int64(len(in) / 1000))
				for n := 0; n < b.N; n += 1000 {
					c.ledger.next, c.ledger.pending, c.sse.lastID = 1, 0, 0
					c.scan(in)
				}
				if c.firstFault != "" {
					b.Fatal(c.firstFault)
				}
			})
		}
	}
}

// BenchmarkAppend is the cost of making one line, without the write.
func BenchmarkAppend(b *testing.B) {
	f := newLineForm(200)
	b.SetBytes(200)
	var buf []byte
	for n := 0; n < b.N; n += 100 {
		buf = f.append(buf[:0], uint64(n), 100, 1_700_000_000_000_000_000)
	}
}

func TestRenumberedLinesSayTheirNewNumbersAndTime(t *testing.T) {
	f := newLineForm(200)
	b := f.append(nil, 1, 3, 17)
	f.renumber(b, 999_998, 1_700_000_000_000_000_001)
	for i, line := range bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
		seq, ok := lineSeq(line)
		nano, ok2 := lineNano(line)
		if !ok || !ok2 || seq != 999_998+uint64(i) || nano != 1_700_000_000_000_000_001 {
			t.Errorf("line %d is %q", i, line)
		}
	}
}
