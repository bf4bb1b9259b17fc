package web

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"logwisp/netio/access"
)

// dials connects, asks for a page and keeps the connection; ok is false when it
// was closed instead.
func (s *site) dials(path string) (c net.Conn, ok bool) {
	s.t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(waitLimit))
	_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	line, _ := bufio.NewReader(c).ReadString('\n')
	return c, strings.Contains(line, "200")
}

func TestAnAddressHasAsManyConnectionsAsItMay(t *testing.T) {
	s := newSite(t, Options{})
	for range 10 {
		if _, ok := s.dials("/stream"); !ok {
			t.Fatal("a stream is refused")
		}
	}
	var first net.Conn
	for i := range maxOfAddress {
		c, ok := s.dials("/status")
		if !ok {
			t.Fatalf("connection %d is refused: streams count, too", i+1)
		}
		if first == nil {
			first = c
		}
	}
	if _, ok := s.dials("/status"); ok {
		t.Error("one too many is answered")
	}
	if n := s.transport.Stats().Rejections["full"]; n != 1 {
		t.Errorf("%d rejections are counted, want 1", n)
	}
	first.Close()
	for end := time.Now().Add(waitLimit); ; time.Sleep(time.Millisecond) {
		if _, ok := s.dials("/status"); ok {
			break
		}
		if time.Now().After(end) {
			t.Fatal("nobody may take the place of one that has left")
		}
	}
}

func TestProxiesAndExemptNetworksAreNotOneAddress(t *testing.T) {
	for _, o := range []Options{
		{TrustedProxies: []string{"127.0.0.1"}},
		{ArrivalOptions: access.ArrivalOptions{ConnectsExempt: []string{"127.0.0.0/8"}}},
	} {
		s := newSite(t, o)
		for i := range maxOfAddress + 1 {
			if _, ok := s.dials("/status"); !ok {
				t.Fatalf("connection %d is refused", i+1)
			}
		}
	}
}

func TestAllConnectionsTogetherAreBounded(t *testing.T) {
	var o connections
	pipes := make([]net.Conn, maxConnections+1)
	for i := range pipes {
		pipes[i], _ = net.Pipe()
		if ok := o.enter(pipes[i], netip.Addr{}); ok != (i < maxConnections) {
			t.Fatalf("connection %d: %v", i+1, ok)
		}
	}
}

func TestWhoLooksBackIsToldWhenTooManyDo(t *testing.T) {
	s := newSite(t, Options{})
	var ends []func()
	for {
		end, err := s.engine.LookBack(netip.Addr{})
		if err != nil {
			break
		}
		ends = append(ends, end)
	}
	paths := map[string]int{"/entries?download=1": 503, "/stream?tail=1&q=x&follow=0": 503, "/stream?tail=1&follow=0": 200, "/stream?since=1h&follow=0": 503, "/stream?follow=0": 200, "/stream?from=earliest&follow=0": 200}
	for path, want := range paths {
		answer, body := s.asks("GET", path, "")
		if answer.StatusCode != want || want == 503 && (answer.Header.Get("Retry-After") == "" || answer.Header.Get("Content-Disposition") != "") {
			t.Errorf("%s: %d %v %s, want %d", path, answer.StatusCode, answer.Header, body, want)
		}
	}
	for _, end := range ends {
		end()
	}
	for range 2 * len(ends) { // each gives back what it took
		for path := range paths {
			if answer, _ := s.asks("GET", path, ""); answer.StatusCode != 200 {
				t.Fatalf("%s: %d, though nobody looks back", path, answer.StatusCode)
			}
		}
	}
}
