package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// fault is what a fake daemon does to line faultySeq.
type fault string

const (
	none       fault = ""
	lose       fault = "lose"       // leave it out, silently
	announce   fault = "announce"   // leave it out, with a notice
	miscount   fault = "miscount"   // leave it out, with a notice of two lines
	invent     fault = "invent"     // announce a loss that is none
	repeat     fault = "repeat"     // deliver it twice
	swap       fault = "swap"       // deliver it after the next one
	corrupt    fault = "corrupt"    // change one byte of its padding
	mangle     fault = "mangle"     // deliver something that has no sequence
	rename     fault = "rename"     // name another source
	reorder    fault = "reorder"    // put the message before the time
	garbage    fault = "garbage"    // send what is not JSON
	hangUp     fault = "hangup"     // close the connection
	goSilent   fault = "silent"     // deliver nothing from there on
	lieOffered fault = "lieoffered" // offer one more than accounted for
	lieDropped fault = "liedropped" // leave it out and book it as delivered
)

const faultySeq = 40

// fake is a naive daemon: every connection reads the file on its own and
// formats every line anew.
type fake struct {
	file      string
	fault     fault
	notices   bool // TCP clients say hello
	tcp, http net.Listener

	offered, delivered, dropped atomic.Uint64
}

// serve listens on the two addresses and serves until the listeners close.
func (f *fake) serve(tcp, web string) error {
	var err error
	if f.tcp, err = net.Listen("tcp", tcp); err != nil {
		return err
	}
	if f.http, err = net.Listen("tcp", web); err != nil {
		return errors.Join(err, f.tcp.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", f.status)
	mux.HandleFunc("GET /stream", f.stream)
	go http.Serve(f.http, mux)
	go func() {
		for {
			c, err := f.tcp.Accept()
			if err != nil {
				return
			}
			go f.subscribe(c, c, false)
		}
	}()
	return nil
}

func (f *fake) close() { f.tcp.Close(); f.http.Close() }

func (f *fake) status(w http.ResponseWriter, _ *http.Request) {
	var s status
	s.Totals = totals{Offered: f.offered.Load(), Delivered: f.delivered.Load(), Dropped: f.dropped.Load()}
	if f.fault == lieOffered && s.Totals.Offered > faultySeq {
		s.Totals.Offered++
	}
	json.NewEncoder(w).Encode(s)
}

func (f *fake) stream(w http.ResponseWriter, _ *http.Request) {
	c, rw, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 3000\n\nevent: connected\ndata: {\"client_id\":\"1\"}\n\n: heartbeat\n\n")
	f.subscribe(c, rw, true)
}

// subscribe follows the file from its end to c until the client goes away.
func (f *fake) subscribe(c net.Conn, in io.Reader, sse bool) {
	defer c.Close()
	file, err := os.Open(f.file)
	if err != nil {
		return
	}
	defer file.Close()
	file.Seek(0, io.SeekEnd)
	s := fakeStream{fake: f, sse: sse}
	r := bufio.NewReader(in)
	if f.notices {
		if _, err := r.ReadSlice('\n'); err != nil {
			return
		}
		s.notice("connected", `"client_id":"1"`)
	}
	gone := make(chan struct{})
	go func() {
		io.Copy(io.Discard, r)
		close(gone)
	}()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	lines := bufio.NewReaderSize(file, 1<<16)
	var part []byte // a read may see the beginning of a line only
	for !s.over {
		line, err := lines.ReadBytes('\n')
		part = append(part, line...)
		if err == nil {
			s.line(bytes.TrimSuffix(part, []byte("\n")))
			part = part[:0]
			if len(s.out) < 1<<16 {
				continue
			}
		}
		if _, err := c.Write(s.out); err != nil {
			return
		}
		s.out = s.out[:0]
		if err == nil {
			continue
		}
		select {
		case <-gone:
			return
		case <-look.C:
		}
	}
	c.Write(s.out)
}

// fakeStream is what goes to one client.
type fakeStream struct {
	fake *fake
	sse  bool
	out  []byte
	id   int
	held []byte // the line swapped with its successor
	over bool
}

// line delivers one line of the file, or does to it what the fault says.
func (s *fakeStream) line(msg []byte) {
	seq, _ := lineSeq(msg)
	if s.fake.fault == goSilent && seq >= faultySeq {
		return
	}
	if s.fake.fault == hangUp && seq == faultySeq || s.over {
		s.over = true
		return
	}
	s.fake.offered.Add(1)
	s.id++
	if s.held != nil {
		s.entry(string(msg), "load.log")
		s.entry(string(s.held), "load.log")
		s.held = nil
		return
	}
	if seq != faultySeq || !s.faulty(string(msg)) {
		s.entry(string(msg), "load.log")
	}
}

// faulty treats the faulty line and reports whether that was all.
func (s *fakeStream) faulty(msg string) bool {
	switch s.fake.fault {
	case lose, announce, miscount:
		s.fake.dropped.Add(1)
		if s.fake.fault != lose {
			n := map[fault]int{announce: 1, miscount: 2}[s.fake.fault]
			s.notice("drop", fmt.Sprintf(`"count":%d,"total":%d`, n, n))
		}
	case lieDropped:
		s.fake.delivered.Add(1)
	case invent:
		s.notice("drop", `"count":3`)
		return false
	case repeat:
		s.entry(msg, "load.log")
		s.fake.offered.Add(1)
		return false
	case swap:
		s.held = []byte(msg)
	case corrupt:
		b := []byte(msg)
		b[len(b)-3] ^= 1
		s.entry(string(b), "load.log")
	case mangle:
		s.entry(`a "quoted" line of somebody else`, "load.log")
	case rename:
		s.entry(msg, "other.log")
	case reorder:
		s.fake.delivered.Add(1)
		s.object(fmt.Sprintf(`{"message":%q,"time":"2024-01-01T12:00:00.123456Z","source":"load.log"}`, msg))
	case garbage:
		s.object(`{"time":`)
		return false
	default:
		return false
	}
	return true
}

func (s *fakeStream) entry(msg, source string) {
	s.fake.delivered.Add(1)
	now := time.Now().UTC().Format(timeLayout)
	s.object(`{"time":"` + now + `","source":"` + source + `","message":` + strconv.Quote(msg) + `}`)
}

func (s *fakeStream) object(o string) {
	if s.sse {
		s.out = fmt.Appendf(s.out, "id: e1-%d\ndata: %s\n\n", s.id, o)
		s.id += map[fault]int{repeat: 1, swap: 1}[s.fake.fault]
		return
	}
	s.out = append(append(s.out, o...), '\n')
}

func (s *fakeStream) notice(kind, members string) {
	switch {
	case s.sse:
		s.out = fmt.Appendf(s.out, "event: %s\ndata: {%s}\n\n", kind, members)
	case s.fake.notices:
		s.out = fmt.Appendf(s.out, `{"type":%q,%s}`+"\n", kind, members)
	}
}

// startFake serves a new file from the test's own directory.
func startFake(t *testing.T, f *fake) options {
	t.Helper()
	f.file = t.TempDir() + "/load.log"
	if err := os.WriteFile(f.file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := f.serve("127.0.0.1:0", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	return options{
		tcp:  netip.MustParseAddrPort(f.tcp.Addr().String()),
		http: netip.MustParseAddrPort(f.http.Addr().String()),
		file: f.file, clients: 3, rate: 20_000, lines: 200, duration: time.Minute,
		lineBytes: 200, stallFor: 50 * time.Millisecond, full: true, threads: 2, settle: 10 * time.Second,
	}
}
