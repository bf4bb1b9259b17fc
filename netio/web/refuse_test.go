package web

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
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

// TestTheRestOfATooLargeBodyIsReadOfAFewClients: whoever goes on sending what
// nobody wants takes time that is bounded.
func TestTheRestOfATooLargeBodyIsReadOfAFewClients(t *testing.T) {
	var r rests
	var under sync.WaitGroup
	// send has a client send without end, and returns what tells that some has been
	// read and what has to be closed to end it.
	send := func() (read chan bool, ours net.Conn) {
		ours, theirs := net.Pipe()
		read = make(chan bool, 1)
		under.Go(func() {
			for first := true; ; first = false {
				if _, err := theirs.Write([]byte("more")); err != nil {
					close(read)
					return
				}
				if first {
					read <- true
				}
			}
		})
		return read, ours
	}
	r.now.Store(maxRests)
	read, ours := send()
	r.discard(ours)
	ours.Close()
	if <-read {
		t.Errorf("the rest of %d clients is read at once", maxRests+1)
	}
	r.now.Store(maxRests - 1)
	read, ours = send()
	under.Go(func() { r.discard(ours) })
	if !<-read {
		t.Errorf("the rest of %d is not read", maxRests)
	}
	ours.Close()
	under.Wait()
	if n := r.now.Load(); n != maxRests-1 {
		t.Errorf("%d are counted in the end", n)
	}
}
