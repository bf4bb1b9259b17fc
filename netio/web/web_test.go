package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"logwisp/netio"
	"logwisp/netio/access"
	"logwisp/netio/netiotest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, netiotest.IgnoreLibraries()...)
}

// start serves e on a loopback port until the test ends.
func start(t *testing.T, e *netio.Engine, o Options) *Server {
	t.Helper()
	o.Host = "127.0.0.1"
	s, err := New(o, e, access.Open(), "test", func() any { return map[string]string{"service": "LogWisp"} }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.Close(ctx)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// readEvent reads one event; the head of the answer counts as one.
func readEvent(r *bufio.Reader) (netiotest.Item, error) {
	it := netiotest.Item{Kind: "other"}
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return it, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		name, value, _ := strings.Cut(text, ": ")
		switch name {
		case "":
			if strings.HasPrefix(text, ": heartbeat") {
				it.Kind = "heartbeat"
				continue
			}
			if it.Kind == "entry" && it.ID == "" {
				return it, fmt.Errorf("entry without id: %q", it.Line)
			}
			return it, nil
		case "event":
			it.Kind = value
		case "id":
			it.ID = value
		case "data":
			if it.Kind == "other" {
				it.Kind, it.Line = "entry", bytes.TrimPrefix(line, []byte("data: "))
				if bytes.HasPrefix(it.Line, []byte(`{"type":"heartbeat"`)) {
					it.Kind = "heartbeat"
				}
			}
			if it.Kind == "batch" {
				it.Line = []byte(value)
			}
			if it.Kind == "drop" || it.Kind == "gap" {
				var d struct {
					Count, Missed uint64
					From          string
				}
				if err := json.Unmarshal([]byte(value), &d); err != nil {
					return it, err
				}
				it.Count, it.From = d.Count+d.Missed, netiotest.SeqOf(d.From)
			}
		}
	}
}

// readText reads a line for people and makes an entry of it again.
func readText(r *bufio.Reader) (netiotest.Item, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return netiotest.Item{}, err
	}
	text := strings.TrimSuffix(string(line), "\n")
	var lost uint64
	if _, err := fmt.Sscanf(text, "-- %d entries lost --", &lost); err == nil {
		return netiotest.Item{Kind: "drop", Count: lost}, nil
	}
	parts := strings.SplitN(text, " ", 4)
	if len(parts) < 4 || parts[0] == "HTTP/1.1" || strings.HasSuffix(parts[0], ":") {
		return netiotest.Item{Kind: "other"}, nil
	}
	if parts[1] != "-" {
		return netiotest.Item{}, fmt.Errorf("level %q in %q", parts[1], text)
	}
	entry := fmt.Appendf(nil, `{"time":"%s","source":"%s","message":"%s"}`+"\n", parts[0], parts[2], parts[3])
	return netiotest.Item{Kind: "entry", Line: entry}, nil
}

func TestConformance(t *testing.T) {
	t.Parallel()
	netiotest.Run(t, transport("comment"))
}

func TestConformanceOfNDJSON(t *testing.T) {
	t.Parallel()
	tr := transport("comment")
	tr.Read = netiotest.ReadLine
	tr.Request = request("&format=ndjson&ids=1", "")
	netiotest.Run(t, tr)
}

func TestConformanceOfText(t *testing.T) {
	t.Parallel()
	tr := transport("comment")
	tr.Read = readText
	tr.Request = request("&format=text", "")
	tr.Lacks = []string{"heartbeat", "disconnect"}
	tr.Greets, tr.Places, tr.IDs = false, false, false
	netiotest.Run(t, tr)
}

// batchReader reads events as readEvent does, the entries of a batch one by one.
type batchReader struct {
	mu    sync.Mutex
	ahead map[*bufio.Reader][]netiotest.Item
}

func (b *batchReader) read(r *bufio.Reader) (netiotest.Item, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.ahead[r]) == 0 {
		b.mu.Unlock()
		it, err := readEvent(r)
		b.mu.Lock()
		if err != nil || it.Kind != "batch" {
			return it, err
		}
		var entries []json.RawMessage
		if err := json.Unmarshal(it.Line, &entries); err != nil {
			return it, err
		}
		for _, e := range entries {
			one, err := netiotest.ParseLine(append(e, '\n'))
			if err != nil {
				return one, err
			}
			b.ahead[r] = append(b.ahead[r], one)
		}
	}
	it := b.ahead[r][0]
	b.ahead[r] = b.ahead[r][1:]
	return it, nil
}

func TestConformanceOfBatches(t *testing.T) {
	t.Parallel()
	tr := transport("comment")
	tr.Read = (&batchReader{ahead: make(map[*bufio.Reader][]netiotest.Item)}).read
	tr.Request = request("&batch_ms=5", "Last-Event-ID")
	netiotest.Run(t, tr)
}

func TestJSONHeartbeatsStandBetweenEntries(t *testing.T) {
	netiotest.Run(t, transport("json"), "HeartbeatsStandBetweenEntries")
}

// request returns what a client sends. The id goes into the header, or, where
// others would read it there, into the query.
func request(query, header string) func(netiotest.Ask) string {
	return func(ask netiotest.Ask) string {
		target := "/stream?name=test" + query
		if ask.Level != "" {
			target += "&level=" + ask.Level
		}
		if ask.Limit > 0 {
			target += "&limit=" + strconv.Itoa(ask.Limit)
		}
		lines := ""
		if ask.Resume != "" && header != "" {
			lines = header + ": " + ask.Resume + "\r\n"
		} else if ask.Resume != "" {
			target += "&last_event_id=" + ask.Resume
		}
		return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + lines + "\r\n"
	}
}

func transport(format string) netiotest.Transport {
	return netiotest.Transport{
		Start: func(t *testing.T, e *netio.Engine, o netio.ClientOptions, h netio.HeartbeatPolicy) (net.Addr, *netio.Transport) {
			s := start(t, e, Options{ClientOptions: o, Heartbeat: Heartbeat{Format: format}})
			s.transport.Reload(o, h)
			return s.Addr(), s.Transport()
		},
		Request: request("", "Last-Event-ID"),
		Read:    readEvent,
		Asks:    true, Greets: true, Notices: true, Places: true, IDs: true,
	}
}
