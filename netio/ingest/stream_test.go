package ingest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLinesOverTCPBecomeEntriesOfTheirSender(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{Tags: map[string]string{"dc": "eu"}}))
	r.send("\xef\xbb\xbfplain text\r\n\n  \n2024-01-01T12:00:00Z ERROR broken\n{\"msg\":\"served\",\"level\":\"warn\",\"dc\":\"us\",\"ms\":5}\nbad \xff byte\n")
	r.sees("plain text", "2024-01-01T12:00:00Z ERROR broken", "served", "bad \uFFFD byte")
	for _, e := range r.got {
		if e.Source != "127.0.0.1" {
			t.Errorf("the source is %q", e.Source)
		}
	}
	if e := r.got[1]; e.Time != "2024-01-01T12:00:00.000000Z" || e.Level != "error" || e.Fields["dc"] != "eu" {
		t.Errorf("got %+v", e)
	}
	if e := r.got[2]; e.Level != "warn" || e.Fields["dc"] != "us" || e.Fields["ms"] != 5.0 {
		t.Errorf("got %+v", e)
	}
	s := r.server.Stats()[0]
	if s.Accepted != 1 || s.Entries != 4 || s.Bytes == 0 || s.Levels[5] != 1 || s.Address == "" {
		t.Errorf("the figures are %+v", s)
	}
	r.until("the connection to end", func() bool { return r.server.Stats()[0].Connections == 0 })
}

func TestAnEntryOfAnotherLogWispComesOutAsItWentIn(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{Source: "edge"}))
	whole := []string{
		`{"time":"2024-01-01T12:00:00.123456Z","source":"app.log","level":"error","message":"Something went wrong","fields":{"key":"value"}}` + "\n",
		`{"time":"2024-01-01T12:00:00.123456Z","source":"b \"c\"","message":"é \ud83d \n"}` + "\n",
		`{"time":"2024-01-01T12:00:00.123456Z","source":"app.log","level":"fatal","message":"{\"level\":\"info\"}","fields":{"_partial":true,"a":[1,{"b":null}]}}` + "\n",
	}
	r.send(whole[0] + `{"id":"1795361890502-7",` + whole[1][1:] + `{"type":"heartbeat"}` + "\n" +
		`{"type":"heartbeat","timestamp":"2024-01-01T12:00:00Z","active_clients":5}` + "\n" + whole[2] +
		`{"type":"drop","count":123}` + "\nplain\n")
	r.until("five entries", func() bool { return len(r.got) == 5 })
	whole[1] = strings.Replace(whole[1], `\ud83d`, "\uFFFD", 1)
	for i, want := range whole {
		if r.lines[i] != want {
			t.Errorf("got  %swant %s", r.lines[i], want)
		}
	}
	if e := r.got[3]; e.Source != "edge" || e.Fields["type"] != "drop" {
		t.Errorf("a notice of a loss became %+v", e)
	}
}

func TestAUnixSocketTakesLinesAndReplacesAnAbandonedOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.sock")
	in := Options{URL: "unix://" + path}
	first := newRig(t, Settings{}, in)
	if _, err := New([]Options{in}, Settings{Log: first.server.log}, first.ring); err == nil {
		t.Fatal("a socket that is listened on was taken over")
	}
	file := filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(file, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New([]Options{{URL: "unix://" + file}}, Settings{Log: first.server.log}, first.ring)
	if text, readErr := os.ReadFile(file); err == nil || readErr != nil || string(text) != "kept" {
		t.Fatalf("a file that is no socket was taken for one: %v, %q", err, text)
	}
	// What a daemon that was killed leaves behind.
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	first.server.Stop()
	if err := os.Rename(path+".old", path); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, Settings{}, in)
	r.send("a line\n")
	r.sees("a line")
	if r.got[0].Source != "log.sock" {
		t.Errorf("the source is %q", r.got[0].Source)
	}
	r.server.Stop()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func TestStandardInputIsReadToItsEnd(t *testing.T) {
	in, out := pipeInput(t)
	r := newRig(t, Settings{Stdin: in}, Options{URL: "-"})
	fmt.Fprint(out, "one\ntw")
	r.sees("one")
	fmt.Fprint(out, "o\nthree")
	r.sees("one", "two")
	out.Close()
	r.sees("one", "two", "three")
	if e := r.got[2]; e.Source != "stdin" || e.Fields["_partial"] != true {
		t.Errorf("got %+v", e)
	}
	r.until("it to be said", func() bool { return strings.Contains(r.log.String(), "standard input has ended") })
}

func TestAFileAsStandardInputIsReadToItsEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(file, []byte(strings.Repeat("a line\n", 100_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r := newRig(t, Settings{Stdin: in}, Options{URL: "-"})
	r.until("all lines", func() bool { return len(r.got) == 100_000 })
}

func TestALineWithoutAnEndIsSentWhenTheConnectionEnds(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{}))
	r.send("whole\nhalf")
	r.sees("whole", "half")
	if r.got[0].Fields != nil || r.got[1].Fields["_partial"] != true {
		t.Errorf("got %+v", r.got)
	}
}

func TestLongLinesAreCutAtTheLimitAndMarked(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{MaxLineBytes: 1024}))
	at := strings.Repeat("x", 1024)
	r.send(at + "\r\n" + at + "y\n" + strings.Repeat("é", 600) + "\n" + strings.Repeat("z", 3<<20) + "\nnext\n")
	r.sees(at, at, strings.Repeat("é", 512), strings.Repeat("z", 1024), "next")
	for i, want := range []any{nil, 1.0, 176.0, float64(3<<20 - 1024), nil} {
		if got := r.got[i].Fields["_truncated"]; got != want {
			t.Errorf("line %d: %v bytes were cut, want %v", i, got, want)
		}
	}
	if s := r.server.Stats()[0]; s.Truncated != 3 {
		t.Errorf("%d lines were cut, want 3", s.Truncated)
	}
}

func TestMoreSourcesThanAConnectionMayNameAreOther(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{}))
	var text strings.Builder
	line := func(source string) { fmt.Fprintf(&text, `{"source":"%s","message":"m"}`+"\n", source) }
	for i := range maxSources {
		line(fmt.Sprint("s", i))
	}
	line(strings.Repeat("l", maxSourceBytes+1))
	line("one more")
	line("s1023")
	r.send(text.String())
	r.until("all entries", func() bool { return len(r.got) == maxSources+3 })
	for i, want := range map[int]string{0: "s0", 1023: "s1023", 1024: "other", 1025: "other", 1026: "s1023"} {
		if r.got[i].Source != want {
			t.Errorf("entry %d has the source %q, want %q", i, r.got[i].Source, want)
		}
	}
	r.send(`{"source":"` + strings.Repeat("l", maxSourceBytes) + `","message":"m"}` + "\n")
	r.until("the last", func() bool { return len(r.got) == maxSources+4 })
	if s := r.server.Stats()[0]; s.OtherSources != 2 || len(r.got[1027].Source) != maxSourceBytes {
		t.Errorf("%d entries are of other sources, want 2; the last is of %q", s.OtherSources, r.got[1027].Source)
	}
}

func TestTheFilterHoldsForInputs(t *testing.T) {
	r := newRig(t, Settings{Filter: onlyErrors, Post: true}, tcpInput(Options{}))
	r.send("INFO: no\nERROR: yes secret=1\nERROR: noise\n{\"level\":\"warn\",\"msg\":\"no\"}\n{\"level\":\"error\",\"msg\":\"a secret=2 b\",\"source\":\"x\"}\nno level\n")
	r.sees("ERROR: yes ***", "a *** b", "no level")
	if s := r.server.Stats()[0]; s.Filtered != 3 || s.Entries != 3 {
		t.Errorf("%d filtered and %d entries, want 3 and 3", s.Filtered, s.Entries)
	}
}

func TestManyConnectionsKeepTheOrderOfTheirLines(t *testing.T) {
	const connections, lines = 100, 300
	r := newRig(t, Settings{}, tcpInput(Options{}))
	for c := range connections {
		conn := r.dial()
		go func() {
			defer conn.Close()
			for i := range lines { // in pieces that end anywhere
				text := fmt.Sprintf(`{"source":"c%d","message":"%d %s"}`+"\n", c, i, strings.Repeat("x", i))
				for _, piece := range []string{text[:i%len(text)], text[i%len(text):]} {
					if _, err := conn.Write([]byte(piece)); err != nil {
						t.Error(err)
						return
					}
				}
			}
		}()
	}
	r.until("all lines", func() bool { return len(r.got) == connections*lines })
	next := map[string]int{}
	for _, e := range r.got {
		var n int
		if _, err := fmt.Sscan(e.Message, &n); err != nil || n != next[e.Source] {
			t.Fatalf("source %s: line %d where %d belongs (%v)", e.Source, n, next[e.Source], err)
		}
		next[e.Source]++
	}
}

func TestConnectionsBeyondTheLimitWaitAndLoseNothing(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{MaxConnections: 2}))
	a, b := r.dial(), r.dial()
	r.write(a, "a\n")
	r.sees("a")
	r.write(b, "b\n")
	r.sees("a", "b")
	r.send("c\n") // the kernel has it
	r.until("a warning", func() bool { return strings.Contains(r.log.String(), "further ones wait") })
	if n := r.server.Stats()[0].Connections; n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
	a.Close()
	r.sees("a", "b", "c")
}

func TestAnIdleConnectionIsClosedWhenThatIsAskedFor(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{IdleTimeout: 1}))
	c := r.dial()
	r.write(c, "half")
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("the connection is not closed: %v", err)
	}
	r.sees("half")
}

func TestFragmentsBeyondTheirCommonBudgetAreSentAsTheyAre(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{}))
	in := r.server.inputs[0]
	c := r.dial()
	r.write(c, strings.Repeat("x", 8<<10))
	r.until("the fragment to be held", func() bool { return in.fragments.Load() >= 8<<10 })
	in.fragments.Add(maxFragments) // as many others would
	r.write(c, "y")
	r.sees(strings.Repeat("x", 8<<10) + "y")
	if n := in.fragments.Load(); n != maxFragments {
		t.Errorf("%d bytes are held, want %d", n, maxFragments)
	}
	r.write(c, "short\nz") // a small one is held all the same
	r.sees(strings.Repeat("x", 8<<10)+"y", "short")
	in.fragments.Add(-maxFragments)
	c.Close()
	r.until("the last", func() bool { return len(r.got) == 3 && in.fragments.Load() == 0 })
}

// TestThoseWhoHoldMuchPayForIt has many others hold much of lines without an end, so
// that there is room for lines of a usual length only.
func TestThoseWhoHoldMuchPayForIt(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{}))
	in := r.server.inputs[0]
	const others, those = 64, maxFragments/2 + 1
	in.holders.Add(others)
	in.fragments.Add(those)
	much, usual := r.dial(), r.dial()
	large, line := strings.Repeat("x", maxFragments/2/(others+1)+64<<10), strings.Repeat("y", 100<<10)
	r.write(usual, line)
	r.until("it to be held", func() bool { return in.fragments.Load() >= those+int64(len(line)) })
	r.write(much, large)
	r.until("the much to be sent on", func() bool { return len(r.got) > 0 })
	r.write(usual, "\n")
	last := ""
	r.until("the line", func() bool {
		all := r.messages()
		last = all[len(all)-1]
		return strings.HasSuffix(last, "y")
	})
	if last != line {
		t.Errorf("of a line of %d bytes there came %d", len(line), len(last))
	}
	much.Close()
	r.until("nobody to hold anything", func() bool { return in.holders.Load() == others && in.fragments.Load() == those })
}

func TestWhatTheKernelHasReceivedIsTakenInAtAStop(t *testing.T) {
	in, out := pipeInput(t)
	r := newRig(t, Settings{Stdin: in}, tcpInput(Options{}), Options{URL: "syslog+udp://127.0.0.1:0"}, Options{URL: "-"})
	// Nobody reads while all workers are taken.
	var taken []*worker
	for range cap(r.server.workers.turns) {
		taken = append(taken, r.server.workers.take())
	}
	c := r.dial()
	r.write(c, strings.Repeat("over tcp\n", 1000)+"half")
	u := r.server.inputs[1]
	for range 10 {
		d := dialUDP(t, u)
		r.write(d, "<14>over udp")
	}
	fmt.Fprint(out, "over a pipe\n")
	r.until("the connection", func() bool { return r.server.Stats()[0].Connections == 1 })
	stopped := make(chan struct{})
	go func() { r.server.Stop(); close(stopped) }()
	r.until("the stop", r.server.stopping)
	for _, w := range taken {
		r.server.workers.give(w)
	}
	<-stopped
	r.collect()
	count := map[string]int{}
	for _, e := range r.got {
		count[e.Message]++
	}
	if count["over tcp"] != 1000 || count["half"] != 1 || count["over udp"] != 10 || count["over a pipe"] != 1 {
		t.Errorf("got %v", count)
	}
}

func TestTheServerStopsWhileSendersGoOn(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{Source: "s"}))
	block := []byte(strings.Repeat(strings.Repeat("x", 199)+"\n", 1000))
	done := make(chan struct{})
	for range 3 {
		c := r.dial()
		go func() {
			for {
				if _, err := c.Write(block); err != nil {
					done <- struct{}{}
					return
				}
			}
		}()
	}
	for end := time.Now().Add(patience); r.ring.Appended() < 1000; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing comes in")
		}
	}
	r.server.Stop()
	for range 3 {
		<-done
	}
}

func TestSettingsThatAreNotRightAreRefusedByName(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want []string
	}{
		{Options{}, []string{"no url", "tcp://"}},
		{Options{URL: "ftp://x"}, []string{`"ftp://x"`, "-, tcp://, tls://, unix://, syslog+tcp://, syslog+udp://, nats://"}},
		{Options{URL: "9091"}, []string{`"9091"`, "tcp://"}},
		{Options{URL: "tcp://host"}, []string{`"tcp://host"`, "port", "tcp://:9091"}},
		{Options{URL: "tcp://:70000"}, []string{`"tcp://:70000"`, "70000"}},
		{Options{URL: "tcp://:1/path"}, []string{"no more"}},
		{Options{URL: "unix://"}, []string{"unix:///run/logwisp.sock"}},
		{Options{URL: "unix:///" + strings.Repeat("x", 107)}, []string{"107"}},
		{Options{URL: "nats://localhost:4222"}, []string{"nats://localhost:4222", "NATS"}},
		{Options{URL: "tls://:1"}, []string{"cert_file", "key_file"}},
		{Options{URL: "tls://:1", CertFile: "none.pem", KeyFile: "none.pem"}, []string{"none.pem"}},
		{Options{URL: "tcp://:1", CertFile: "x"}, []string{"cert_file"}},
		{Options{URL: "tcp://:1", Format: "xml"}, []string{"tcp://:1", "format", "logfmt"}},
		{Options{URL: "tcp://:1", Format: "regex"}, []string{"regex"}},
		{Options{URL: "tcp://:1", Timezone: "Mars"}, []string{"Mars"}},
		{Options{URL: "tcp://:1", Source: strings.Repeat("x", 257)}, []string{"source", "256"}},
		{Options{URL: "tcp://:1", Tags: map[string]string{"_x": ""}}, []string{"_x"}},
	} {
		err := c.o.Check()
		if err == nil {
			t.Errorf("%+v is taken", c.o)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %q does not say %q", c.o, err, want)
			}
		}
	}
}
