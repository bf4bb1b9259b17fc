package web

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"logwisp/netio/access"
)

func TestConnectionsBeyondTheLimitAreToldSoAndInAFloodJustClosed(t *testing.T) {
	s := newSite(t, Options{ArrivalOptions: access.ArrivalOptions{ConnectsByAddress: 2}})
	const request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	got := make(map[string]int)
	for range 2 + 3*maxRefusals {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(waitLimit))
		_, _ = io.WriteString(c, request) // it may be closed already
		line, err := bufio.NewReader(c).ReadString('\n')
		c.Close()
		if strings.Contains(line, " 429 ") {
			line = "429"
		} else if err == nil {
			line = "answered"
		} else {
			line = "closed"
		}
		got[line]++
	}
	if got["answered"] != 2 || got["429"] < maxRefusals || got["429"]+got["closed"] != 3*maxRefusals {
		t.Errorf("%v", got)
	}
	if n := s.transport.Stats().Rejections["rate"]; n != 3*maxRefusals {
		t.Errorf("%d are counted", n)
	}
}
