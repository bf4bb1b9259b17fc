package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeNchan is one channel: what is posted to /pub goes to all who get /sub.
type fakeNchan struct {
	refuse int // the answer to line faultySeq, 0 = as to every line
	losing bool

	mu   sync.Mutex
	subs []net.Conn
	next int
}

func (f *fakeNchan) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == nchanSubscribe {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n: hi\n\n")
		f.mu.Lock()
		defer f.mu.Unlock()
		f.subs = append(f.subs, c)
		return
	}
	body, _ := io.ReadAll(r.Body)
	faulty := strings.Contains(string(body), fmt.Sprintf(`"lw %012d `, faultySeq))
	if faulty && f.refuse != 0 {
		w.WriteHeader(f.refuse)
		return
	}
	w.WriteHeader(http.StatusCreated)
	fmt.Fprint(w, "queued messages: 1\r\nHTTP/1.1 500 is only text here")
	if faulty && f.losing {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	for _, c := range f.subs {
		fmt.Fprintf(c, "id: 1795370561:%d\ndata: %s\n\n", f.next, body)
	}
}

func (f *fakeNchan) start(t *testing.T) options {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: f}
	go server.Serve(ln)
	t.Cleanup(func() {
		server.Close()
		for _, c := range f.subs {
			c.Close()
		}
	})
	return options{
		nchan: netip.MustParseAddrPort(ln.Addr().String()), sse: true, clients: 3, rate: 20_000, lines: 200,
		duration: time.Minute, lineBytes: 200, full: true, threads: 1, settle: 10 * time.Second,
	}
}

func TestEveryLinePublishedThroughNchanArrivesOnce(t *testing.T) {
	o := (&fakeNchan{}).start(t)
	wantWhole(t, mustRun(t, o), o)
}

func TestLineThatNchanLosesBreaks(t *testing.T) {
	o := (&fakeNchan{losing: true}).start(t)
	if got := strings.Join(mustRun(t, o).Broken, "\n"); !strings.Contains(got, "missing without a drop notice") {
		t.Errorf("broken: %q", got)
	}
}

func TestRefusedPublicationEndsTheRunWithTheAnswer(t *testing.T) {
	o := (&fakeNchan{refuse: http.StatusInsufficientStorage}).start(t)
	o.lines, o.rate = 1_000_000, 0
	_, err := run(t.Context(), o, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "507") {
		t.Errorf("error %v, want the answer 507", err)
	}
}

func TestBrokenAnswersOfNginxAreRefused(t *testing.T) {
	for answer, want := range map[string]string{
		"":                           "EOF",
		"HTTP/1.1 413 Too Large\r\n": "413",
		"HTTP/1.1 201 Created\r\nContent-Length: x\r\n\r\n":   "Content-Length",
		"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nab": "EOF",
	} {
		err := nchanAnswer(bufio.NewReader(strings.NewReader(answer)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", answer, err, want)
		}
	}
}

func TestNoSecondOfTheClockHasMoreLinesThanNchanCanNumber(t *testing.T) {
	full := time.Now().Unix()
	n := &nchanOutput{conn: discardConn{}, second: full, lines: nchanPerSecond}
	if err := n.pace(); err != nil {
		t.Fatal(err)
	}
	if n.second <= full || n.lines != 1 {
		t.Errorf("line %d of second %d, want the first of one after %d", n.lines, n.second, full)
	}
}

// discardConn is a connection to nobody.
type discardConn struct{ net.Conn }

func (discardConn) Write(b []byte) (int, error) { return len(b), nil }
