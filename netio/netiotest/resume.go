package netiotest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"logwisp/netio"
	"logwisp/ring"
)

// reader is a client that goes on over many connections.
type reader struct {
	g    *Rig
	ask  Ask
	id   string // of the last item that has one
	next uint64

	wants func(n uint64) bool
}

// cut connects, reads so many bytes and takes the whole items in them. Without
// end bytes it reads until entry upTo has come.
func (r *reader) cut(bytesRead int, upTo uint64) {
	r.g.t.Helper()
	conn := patient{r.g.dial()}
	defer conn.Close()
	_, _ = io.WriteString(conn, r.g.transport.Request(r.ask.behind(r.id)))
	var from io.Reader = conn
	if bytesRead >= 0 {
		from = io.LimitReader(conn, int64(bytesRead))
	}
	buffered := bufio.NewReader(from)
	greeted := !r.g.transport.Greets
	for bytesRead >= 0 || r.next <= upTo {
		it, err := r.g.transport.Read(buffered)
		if bytesRead >= 0 && errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			r.g.t.Fatalf("reading behind %s: %v", r.id, err)
		}
		greeted = greeted || it.Kind == "connected"
		if greeted && it.Kind == "heartbeat" && it.ID != "" {
			r.id = it.ID
		}
		if !greeted || it.Kind != "entry" {
			if greeted && (it.Kind == "drop" || it.Kind == "gap") {
				r.g.t.Fatalf("%s of %d entries behind %s", it.Kind, it.Count, r.id)
			}
			continue
		}
		n, err := number(it.Line)
		for r.next < n && !r.wants(r.next) {
			r.next++
		}
		if err != nil || n != r.next || !bytes.Equal(it.Line, r.g.line(n)) {
			r.g.t.Fatalf("resumed behind %s, got %.200q, want entry %d", r.id, it.Line, r.next)
		}
		r.id, r.next = it.ID, n+1
	}
}

func (a Ask) behind(id string) Ask {
	a.Resume = id
	return a
}

func (g *Rig) reader() *reader {
	return &reader{g: g, id: g.id(0), next: 1, wants: func(uint64) bool { return true }}
}

func resumeAtEveryByte(t *testing.T, tr Transport) {
	tr.needs(t, tr.Asks && tr.IDs)
	g := newRig(t, tr, settings{})
	g.publish(3, 2)
	conn := patient{g.dial()}
	_, _ = io.WriteString(conn, tr.Request(Ask{Resume: g.id(0)}))
	counted := &countingReader{r: conn}
	buffered := bufio.NewReaderSize(counted, 16)
	for seen := 0; seen < 3; {
		it, err := tr.Read(buffered)
		if err != nil {
			t.Fatal(err)
		}
		if it.Kind == "entry" {
			seen++
		}
	}
	conn.Close()
	for n := range counted.n - buffered.Buffered() {
		r := g.reader()
		r.cut(n, 0)
		r.cut(-1, 3)
	}
	g.wait("all clients to be forgotten", func() bool {
		g.publish(1, 1)
		return g.Clients.Stats().Active == 0
	})
	g.wantBalance()
}

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func resumeAtRandomPlaces(t *testing.T, tr Transport) {
	tr.needs(t, tr.Asks && tr.IDs)
	newRig(t, tr, settings{}).resumeAtRandomPlaces(20000, func(*reader) {})
}

// resumeFiltered has heartbeats, which tell how far a client with a filter has
// got.
func resumeFiltered(t *testing.T, tr Transport) {
	tr.needs(t, tr.Asks && tr.IDs)
	g := newRig(t, tr, settings{heartbeat: netio.HeartbeatPolicy{Interval: time.Second}})
	g.level = func(n uint64) ring.Level {
		if n%7 == 3 || n == 30000 {
			return ring.LevelError
		}
		return ring.LevelInfo
	}
	g.resumeAtRandomPlaces(2500, func(r *reader) {
		r.ask.Level = "error"
		r.wants = func(n uint64) bool { return g.level(n) == ring.LevelError }
	})
}

// resumeAtRandomPlaces cuts a reader 200 times, after so many bytes at the most,
// while 30,000 entries are published. There must be more than it reads so.
func (g *Rig) resumeAtRandomPlaces(most int, shape func(*reader)) {
	g.t.Helper()
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range 3000 {
			g.publish(10, 1+i%9)
			if i%10 == 0 {
				time.Sleep(100 * time.Microsecond) // so that some cuts are at the live end
			}
		}
	})
	defer writer.Wait()
	r := g.reader()
	shape(r)
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		r.cut(random.IntN(most), 0)
	}
	writer.Wait()
	r.cut(-1, 30000)
	g.wait("all clients to be forgotten", func() bool {
		g.publish(1, 1)
		return g.Clients.Stats().Active == 0
	})
	g.wantBalance()
}
