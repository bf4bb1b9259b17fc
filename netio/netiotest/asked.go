package netiotest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"logwisp/ring"
)

// needs skips a case that a transport cannot do.
func (tr *Transport) needs(t *testing.T, can bool) {
	t.Helper()
	if !can {
		t.Skip("not on this wire")
	}
}

// mixed gives every third entry the level error, and long runs one level, so
// that pages of all kinds come up.
func mixed(n uint64) ring.Level {
	switch {
	case n/1000%4 == 1, n/1000%4 == 3 && n%3 == 0:
		return ring.LevelError
	default:
		return ring.LevelInfo
	}
}

func isError(n uint64) bool { return mixed(n) == ring.LevelError }

func filtered(t *testing.T, tr Transport) {
	tr.needs(t, tr.Asks)
	g := newRig(t, tr, settings{})
	g.level = mixed
	var clients []*client
	for i := range 8 {
		ask := Ask{Level: "error"}
		if i == 7 {
			ask = Ask{}
		}
		c := g.connectAs(ask, 0)
		if i < 7 {
			c.wants = isError
		}
		clients = append(clients, c)
	}
	g.publish(12000, 300)
	g.publish(11999, 7)
	last := uint64(23999)
	for last > 0 && !isError(last) {
		last--
	}
	var readers sync.WaitGroup
	for _, c := range clients {
		readers.Go(func() { c.readTo(last) })
	}
	readers.Wait()
	g.wait("the sums", func() bool { return g.Clients.Stats().Totals.Offered == 8*23999 })
	g.wantBalance()
	passing := uint64(0)
	for n := range uint64(24000) {
		if n > 0 && isError(n) {
			passing++
		}
	}
	if s := g.Clients.Stats().Totals; s.Delivered != 7*passing+23999 || s.Filtered != 7*(23999-passing) {
		t.Errorf("delivered %d and filtered %d, %d of 23999 pass", s.Delivered, s.Filtered, passing)
	}
}

func stalledFiltered(t *testing.T, tr Transport) {
	tr.needs(t, tr.Asks && (tr.Places || !tr.Notices))
	g := newRig(t, tr, smallRing())
	g.level = mixed
	g.pad = bytes.Repeat([]byte("x"), 500)
	c := g.connectAs(Ask{Level: "error"}, 16<<10)
	c.wants = isError
	for range 250 {
		g.publish(100, 9)
	}
	g.publish(1, 1) // number 25001 passes
	c.readTo(25001)
	g.wait("the sums", func() bool { return g.Clients.Stats().Totals.Offered == 25001 })
	s := g.Clients.Stats().Totals
	if s.Dropped == 0 {
		t.Fatal("nothing was lost: the case does not test what it says")
	}
	if s.Delivered != c.got || tr.Notices && s.Dropped != c.lost {
		t.Errorf("the server counts %d delivered and %d dropped, the client %d and %d", s.Delivered, s.Dropped, c.got, c.lost)
	}
	g.wantBalance()
}

func churnFiltered(t *testing.T, tr Transport) {
	tr.needs(t, tr.Asks)
	g := newRig(t, tr, smallRing())
	g.level = mixed
	ctx, cancel := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for ctx.Err() == nil {
			g.publish(50, 6)
			time.Sleep(100 * time.Microsecond)
		}
	})
	for i := range 60 {
		conn := g.dial()
		_, _ = io.WriteString(conn, tr.Request(Ask{Level: []string{"", "error", "fatal", "info"}[i%4]}))
		_ = conn.SetReadDeadline(time.Now().Add(deadline))
		if i%4 != 2 { // the others get something
			_, _ = io.CopyN(io.Discard, conn, int64(1000*(i%7)))
		}
		if i%5 == 0 {
			_ = conn.CloseWrite()
		}
		conn.Close()
	}
	cancel()
	writer.Wait()
	g.wait("all clients to be forgotten", func() bool {
		g.publish(1000, 100)
		return g.Clients.Stats().Active == 0
	})
	g.wantBalance()
}

func halfClosedFiltered(t *testing.T, tr Transport) {
	tr.needs(t, tr.Asks)
	g := newRig(t, tr, settings{})
	g.level = func(n uint64) ring.Level {
		if n%50 == 0 {
			return ring.LevelError
		}
		return ring.LevelInfo
	}
	c := g.connectAs(Ask{Level: "error"}, 0)
	c.wants = func(n uint64) bool { return n%50 == 0 }
	g.publish(100, 1)
	c.readTo(100)
	if err := c.conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		g.publish(50, 5)
		c.readTo(g.published)
	}
	c.conn.Close()
	g.wait("the client to be forgotten", func() bool {
		g.publish(50, 1)
		return g.Clients.Stats().Active == 0
	})
	g.wantBalance()
}

func drainFiltered(t *testing.T, tr Transport) {
	tr.needs(t, tr.Asks)
	g := newRig(t, tr, settings{})
	var clients []*client
	for i := range 6 {
		clients = append(clients, g.connectAs(Ask{Level: []string{"info", "fatal"}[i%2]}, 0))
	}
	g.publish(3000, 7)
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	drained := make(chan struct{})
	go func() { defer close(drained); g.Engine.Drain(ctx) }()
	for i, c := range clients {
		bye := false
		for {
			it, err := c.read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("the stream ended with %v", err)
			}
			bye = bye || it.Kind == "disconnect"
		}
		if want := uint64(3000 * ((i + 1) % 2)); c.got != want || bye == has(tr.Lacks, "disconnect") {
			t.Errorf("client %d got %d entries, want %d; goodbye: %t", i, c.got, want, bye)
		}
	}
	<-drained
	if s := g.Clients.Stats().Totals; s.Offered != 6*3000 || s.Filtered != 3*3000 || s.Delivered != 3*3000 {
		t.Errorf("the totals are %+v", s)
	}
}

func limited(t *testing.T, tr Transport) {
	tr.needs(t, tr.Asks && !has(tr.Lacks, "limit"))
	g := newRig(t, tr, settings{})
	g.level = mixed
	c := g.connectAs(Ask{Level: "error", Limit: 7}, 0)
	c.wants = isError
	g.publish(5000, 11)
	bye := false
	for {
		it, err := c.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the stream ended with %v", err)
		}
		bye = bye || it.Kind == "disconnect"
	}
	if c.got != 7 || bye == has(tr.Lacks, "disconnect") {
		t.Errorf("%d entries with a limit of 7, said goodbye: %t", c.got, bye)
	}
	g.wait("the client to be forgotten", func() bool { return g.Clients.Stats().Active == 0 })
	g.wantBalance()
}

func has(list []string, name string) bool {
	for _, s := range list {
		if s == name {
			return true
		}
	}
	return false
}
