package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"logwisp/netio"
	"logwisp/netio/netiotest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, netiotest.IgnoreLibraries()...)
}

// start serves e on a loopback port until the test ends.
func start(t *testing.T, e *netio.Engine, o Options) *Server {
	t.Helper()
	o.Host = "127.0.0.1"
	s, err := New(o, e, "test", func() any { return map[string]string{"service": "LogWisp"} }, slog.New(slog.DiscardHandler))
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
	var id string
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
			if it.Kind == "entry" && id == "" && it.Line[2] != 't' {
				return it, fmt.Errorf("entry without id: %q", it.Line)
			}
			return it, nil
		case "event":
			it.Kind = value
		case "id":
			id = value
		case "data":
			if it.Kind == "other" {
				it.Kind, it.Line = "entry", bytes.TrimPrefix(line, []byte("data: "))
				if bytes.HasPrefix(it.Line, []byte(`{"type":"heartbeat"`)) {
					it.Kind = "heartbeat"
				}
			}
			if it.Kind == "drop" {
				var d struct{ Count uint64 }
				if err := json.Unmarshal([]byte(value), &d); err != nil {
					return it, err
				}
				it.Count = d.Count
			}
		}
	}
}

func TestConformance(t *testing.T) {
	netiotest.Run(t, transport("comment"))
}

func TestJSONHeartbeatsStandBetweenEntries(t *testing.T) {
	netiotest.Run(t, transport("json"), "HeartbeatsStandBetweenEntries")
}

func transport(format string) netiotest.Transport {
	return netiotest.Transport{
		Start: func(t *testing.T, e *netio.Engine, o netio.ClientOptions, h netio.HeartbeatPolicy) (net.Addr, *netio.Transport) {
			s := start(t, e, Options{ClientOptions: o, Heartbeat: Heartbeat{Format: format}})
			s.transport.Heartbeat = h
			return s.Addr(), s.Transport()
		},
		Request: "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n",
		Read:    readEvent,
		Notices: true,
	}
}
