package forward

import (
	"bufio"
	"encoding/json"
	"net"
	"slices"
	"strings"
	"testing"
)

// listen returns a listener on loopback and its URL.
func listen(t *testing.T) (*net.TCPListener, string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln.(*net.TCPListener), "tcp://" + ln.Addr().String()
}

// accept takes the next connection.
func accept(t *testing.T, ln net.Listener) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, bufio.NewReader(conn)
}

// read returns the messages of the next n lines.
func read(t *testing.T, r *bufio.Reader, n int) []string {
	t.Helper()
	var text strings.Builder
	for range n {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString(line)
	}
	return messages(text.String())
}

func TestLinesComeInOrderOverTCP(t *testing.T) {
	ln, url := listen(t)
	b := newBench(t, 0, Options{URL: url})
	want := numbered("line", 5000)
	go func() {
		for part := range slices.Chunk(want, 50) {
			b.publish(part...)
		}
	}()
	_, r := accept(t, ln)
	if got := read(t, r, 5000); !slices.Equal(got, want) {
		t.Error("not the same lines in order")
	}
	if s := b.settles(); s.Delivered != 5000 {
		t.Errorf("counted %+v", s)
	}
}

func TestAReceiverThatIsRestartedMissesNothingItsKernelHadNotConfirmed(t *testing.T) {
	ln, url := listen(t)
	b := newBench(t, 0, Options{URL: url})
	b.publish("a")
	conn, r := accept(t, ln)
	if got := read(t, r, 1); got[0] != "a" {
		t.Fatal(got)
	}
	b.settles()
	conn.(*net.TCPConn).SetLinger(0) // a reset, as of a program that was killed
	conn.Close()
	b.publish("b", "c")
	_, r = accept(t, ln)
	if got := read(t, r, 2); !slices.Equal(got, []string{"b", "c"}) {
		t.Error(got)
	}
	b.settles()
}

func TestAReceiverThatStopsReadingCostsOneBatch(t *testing.T) {
	ln, url := listen(t)
	b := newBench(t, 256<<10, Options{URL: url, BatchBytes: 16 << 10})
	b.publish("a")
	_, r := accept(t, ln)
	for part := range slices.Chunk(numbered("line", 200_000), 500) {
		b.publish(part...)
	}
	if s := b.out.Stats(); s.LagEntries == 0 {
		t.Errorf("the receiver has read nothing: %+v", s)
	}
	go func() { // now it reads
		for {
			if _, err := r.ReadString('\n'); err != nil {
				return
			}
		}
	}()
	if s := b.settles(); s.Dropped == 0 || s.Offered != 200_001 {
		t.Errorf("counted %+v", s)
	}
	b.stop()
	if n := strings.Count(b.said.String(), "output lags"); n < 1 || n > 3 {
		t.Errorf("the loss is said %d times: %s", n, b.said.String())
	}
}

// TestWhatIsUnderWayAtAStopIsNotDelivered has the receiver read no more than the
// beginning of a batch that is larger than the kernel's buffers.
func TestWhatIsUnderWayAtAStopIsNotDelivered(t *testing.T) {
	ln, url := listen(t)
	b := newBench(t, 64<<20, Options{URL: url, BatchBytes: 16 << 20})
	b.publish("first")
	_, r := accept(t, ln)
	b.until("the first", func(s Stats) bool { return s.Delivered == 1 })
	b.publish(numbered(strings.Repeat("x", 4000), 4000)...)
	for range 2 {
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	b.stop()
	if s := b.out.Stats(); s.Delivered > 3000 || s.LagEntries < 1000 {
		t.Errorf("counted %+v", s)
	}
}

// said is the first line that the other LogWisp gets.
func readHello(t *testing.T, r *bufio.Reader) (h hello) {
	t.Helper()
	line, err := r.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(line, &h); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return h
}

func TestWhatAnotherLogWispHasNotAcknowledgedIsSentAgain(t *testing.T) {
	ln, url := listen(t)
	b := newBench(t, 0, Options{URL: url, Name: "hub", Preset: "logwisp", Guarantee: true})
	b.publish(numbered("line", 10)...)
	conn, r := accept(t, ln)
	if h := readHello(t, r); h.Hello != 1 || !h.Acks || h.Name != "hub" {
		t.Errorf("hello %+v", h)
	}
	for i := range 10 {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if i == 3 && !strings.HasPrefix(line, `{"id":"7-4","time":`) {
			t.Errorf("line %q", line)
		}
	}
	if _, err := conn.Write([]byte("{\"ack\":\"7-2\"}\n{\"ack\":\"7-4\"}\n")); err != nil {
		t.Fatal(err)
	}
	b.until("four acknowledged", func(s Stats) bool { // it is counted when the connection ends
		conn.Close()
		return s.SentEntries == 4
	})
	if a := b.out.Acked(); a != 0 {
		t.Errorf("acked %d before the batch is done with", a)
	}
	conn, r = accept(t, ln)
	readHello(t, r)
	for i := range 6 {
		line, err := r.ReadString('\n')
		if err != nil || i == 0 && !strings.HasPrefix(line, `{"id":"7-5"`) {
			t.Fatalf("line %q, %v", line, err)
		}
	}
	if _, err := conn.Write([]byte("{\"ack\":\"7-10\"}\n")); err != nil {
		t.Fatal(err)
	}
	if s := b.settles(); s.Delivered != 10 {
		t.Errorf("counted %+v", s)
	}
}

func TestWhatWasNotSentCannotBeAcknowledged(t *testing.T) {
	ln, url := listen(t)
	b := newBench(t, 0, Options{URL: url, Preset: "logwisp", Guarantee: true})
	b.publish("a")
	conn, r := accept(t, ln)
	readHello(t, r)
	if _, err := conn.Write([]byte(`{"ack":"7-1000"}` + "\n")); err != nil {
		t.Fatal(err)
	}
	s := b.until("the error", func(s Stats) bool { return strings.Contains(s.LastError, "entry 7-1000, which it was not sent") })
	if s.Delivered != 0 {
		t.Errorf("counted %+v", s)
	}
}

// TestAStopKeepsWhatABatchHasComeTo stops an output of whose batch a part was
// acknowledged: only the rest comes again after the next start.
func TestAStopKeepsWhatABatchHasComeTo(t *testing.T) {
	ln, url := listen(t)
	b := newBench(t, 0, Options{URL: url, Preset: "logwisp", Guarantee: true})
	b.publish(numbered("line", 10)...)
	conn, r := accept(t, ln)
	readHello(t, r)
	for range 10 {
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Write([]byte(`{"ack":"7-4"}` + "\n")); err != nil {
		t.Fatal(err)
	}
	b.until("four acknowledged", func(s Stats) bool {
		conn.Close() // it is counted then
		return s.SentEntries == 4
	})
	b.stop()
	if a := b.out.Acked(); a != 4 {
		t.Errorf("acked %d, want 4", a)
	}
}

func TestAnErrorOfAnotherLogWispIsShown(t *testing.T) {
	ln, url := listen(t)
	b := newBench(t, 0, Options{URL: url, Preset: "logwisp"})
	b.publish("a")
	conn, r := accept(t, ln)
	readHello(t, r)
	if _, err := conn.Write([]byte(`{"type":"error","error":"token is missing"}` + "\n")); err != nil {
		t.Fatal(err)
	}
	b.until("the error", func(s Stats) bool { return strings.Contains(s.LastError, "token is missing") })
}
