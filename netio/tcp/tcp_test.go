package tcp

import (
	"bufio"
	"bytes"
	"log/slog"
	"net"
	"testing"

	"go.uber.org/goleak"

	"logwisp/netio"
	"logwisp/netio/netiotest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, netiotest.IgnoreLibraries()...)
}

func TestConformance(t *testing.T) {
	netiotest.Run(t, netiotest.Transport{
		Start: func(t *testing.T, e *netio.Engine, o netio.ClientOptions, h netio.HeartbeatPolicy) (net.Addr, *netio.Transport) {
			s, err := New(Options{Host: "127.0.0.1", ClientOptions: o}, e, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			s.transport.Heartbeat = h
			done := make(chan error, 1)
			go func() { done <- s.Serve() }()
			t.Cleanup(func() {
				s.Close()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
			return s.Addr(), s.Transport()
		},
		Read: func(r *bufio.Reader) (netiotest.Item, error) {
			line, err := r.ReadBytes('\n')
			if err != nil {
				return netiotest.Item{}, err
			}
			kind := "entry"
			if bytes.HasPrefix(line, []byte(`{"type":"heartbeat"`)) {
				kind = "heartbeat"
			}
			return netiotest.Item{Kind: kind, Line: line}, nil
		},
	})
}
