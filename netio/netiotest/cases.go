package netiotest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"logwisp/netio"
	"logwisp/ring"
)

// Run runs the cases against a transport: all, or those named.
func Run(t *testing.T, tr Transport, names ...string) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Transport)
	}{
		{"EveryClientGetsEveryEntryInOrder", everyEntry},
		{"SmallPagesAreGatheredForManyClients", gathered},
		{"StalledClientIsToldExactlyWhatItLost", stalled},
		{"StalledClientCostsTheOthersNothing", others},
		{"LongEntryArrivesWholeAtASlowReader", longEntry},
		{"HalfClosedClientKeepsItsStream", halfClosed},
		{"ClientThatLeftIsForgotten", left},
		{"HeartbeatsStandBetweenEntries", heartbeats},
		{"StuckClientIsDisconnectedAfterSlowTimeout", slow},
		{"ClientsBeyondMaxClientsAreRefused", full},
		{"DrainDeliversTheLastEntriesAndSaysGoodbye", drain},
		{"DrainEndsInTimeWithStuckClients", drainStuck},
		{"WhatAClientSendsIsDiscarded", chatty},
		{"AClientThatFloodsIsDisconnectedAndNobodyElse", flooding},
		{"AccountsBalanceUnderChurn", churn},
		{"FilteredClientsGetExactlyWhatPasses", filtered},
		{"StalledFilteredClientIsToldExactlyWhatItLost", stalledFiltered},
		{"AccountsBalanceUnderChurnWithFilters", churnFiltered},
		{"HalfClosedFilteredClientKeepsItsStream", halfClosedFiltered},
		{"DrainEndsTheStreamsOfFilteredClientsThatWait", drainFiltered},
		{"LimitEndsTheStreamAfterAsManyEntries", limited},
		{"ResumingAfterACutAtAnyByteLosesAndRepeatsNothing", resumeAtEveryByte},
		{"ResumingAtRandomPlacesOfALongStreamLosesAndRepeatsNothing", resumeAtRandomPlaces},
		{"ResumingWithAFilterLosesAndRepeatsNothing", resumeFiltered},
	} {
		if len(names) > 0 && !slices.Contains(names, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) { c.run(t, tr) })
	}
}

func everyEntry(t *testing.T, tr Transport) {
	g := newRig(t, tr, settings{})
	g.publish(10, 3) // before anybody is there: not theirs
	var clients []*client
	for range 8 {
		clients = append(clients, g.connect(0))
	}
	var readers sync.WaitGroup
	for _, c := range clients {
		readers.Go(func() { c.readTo(20010) })
	}
	g.publish(10000, 300)
	g.publish(10000, 7)
	readers.Wait()
	g.wait("the sums", func() bool { return g.Clients.Stats().Totals.Delivered == 8*20000 })
	g.wantBalance()
}

func gathered(t *testing.T, tr Transport) {
	g := newRig(t, tr, settings{})
	var clients []*client
	for range 50 {
		clients = append(clients, g.connect(0))
	}
	const n = 5000
	g.publish(n, 1)
	for _, c := range clients {
		c.readTo(n)
	}
	g.wait("the sums", func() bool { return g.Clients.Stats().Totals.Delivered == 50*n })
	if w := g.Clients.Stats().Writes; w >= 50*n {
		t.Errorf("%d writes for %d deliveries: a write per entry and client", w, 50*n)
	}
	g.wantBalance()
}

// smallRing holds little enough that a stalled reader is soon overtaken.
func smallRing() settings {
	return settings{
		ring:    ring.Options{Entries: 256, Bytes: 256 << 10},
		clients: netio.ClientOptions{SendBuffer: 16 << 10},
	}
}

func stalled(t *testing.T, tr Transport) {
	g := newRig(t, tr, smallRing())
	g.pad = bytes.Repeat([]byte("x"), 500)
	c := g.connect(16 << 10)
	var stop sync.WaitGroup
	stop.Go(func() {
		for range 200 {
			g.publish(100, 9)
		}
	})
	stop.Wait()
	c.readTo(20000)
	if c.lost == 0 {
		t.Fatal("nothing was lost: the case does not test what it says")
	}
	g.wait("the sums", func() bool { s := g.Clients.Stats().Totals; return s.Offered == 20000 })
	s := g.Clients.Stats().Totals
	if s.Delivered != c.got || s.Dropped != c.lost {
		t.Errorf("the server counts %d delivered and %d dropped, the client %d and %d", s.Delivered, s.Dropped, c.got, c.lost)
	}
	g.wantBalance()
}

func others(t *testing.T, tr Transport) {
	g := newRig(t, tr, smallRing())
	g.pad = bytes.Repeat([]byte("x"), 200)
	stuck := g.connect(16 << 10)
	c := g.connect(0)
	for i := range 400 {
		g.publish(20, 5)
		c.readTo(uint64(20 * (i + 1))) // the ring holds far less than all of it
	}
	if c.lost != 0 {
		t.Errorf("the client that reads lost %d entries", c.lost)
	}
	stuck.readTo(8000)
	if stuck.lost == 0 {
		t.Error("the stuck client lost nothing: the case does not test what it says")
	}
	g.wantBalance()
}

func longEntry(t *testing.T, tr Transport) {
	s := settings{ring: ring.Options{Entries: 8, Bytes: 4 << 20}, clients: netio.ClientOptions{SendBuffer: 32 << 10}}
	g := newRig(t, tr, s)
	g.pad = bytes.Repeat([]byte("y"), 1<<20)
	c := g.connect(64 << 10)
	g.publish(2, 1)
	c.readTo(2)
	g.publish(20, 1) // cut in mid-entry and overtaken
	c.readTo(22)
	g.wait("the sums", func() bool { s := g.Clients.Stats().Totals; return s.Offered == 22 })
	g.wantBalance()
}

func halfClosed(t *testing.T, tr Transport) {
	g := newRig(t, tr, settings{})
	c := g.connect(0)
	g.publish(1, 1)
	c.readTo(1)
	if err := c.conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		g.publish(50, 5)
		c.readTo(uint64(50*(i+1) + 1))
	}
	c.conn.Close()
	g.wait("the client to be forgotten", func() bool {
		g.publish(1, 1) // a peer that is gone answers a write with a reset
		return g.Clients.Stats().Active == 0
	})
	g.wantBalance()
}

func left(t *testing.T, tr Transport) {
	g := newRig(t, tr, settings{})
	for range 20 {
		c := g.connect(0)
		g.publish(3, 1)
		c.readTo(g.published)
		_ = c.conn.SetLinger(0) // a reset, as from a client that was killed
		c.conn.Close()
	}
	g.wait("all clients to be forgotten", func() bool { return g.Clients.Stats().Active == 0 })
	if s := g.Clients.Stats().Totals; s.Delivered < 60 {
		t.Errorf("%d delivered over all past clients, want at least 60", s.Delivered)
	}
	g.wantBalance()
}

func heartbeats(t *testing.T, tr Transport) {
	tr.needs(t, !slices.Contains(tr.Lacks, "heartbeat"))
	g := newRig(t, tr, settings{heartbeat: netio.HeartbeatPolicy{Interval: time.Second, Timestamp: true, Stats: true}})
	c := g.connect(0)
	c.readKind("heartbeat") // idle
	ctx, cancel := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for ctx.Err() == nil {
			g.publish(10, 3)
			time.Sleep(time.Millisecond)
		}
	})
	c.readKind("heartbeat") // busy
	cancel()
	writer.Wait()
	c.readTo(g.published)
	g.wantBalance()
}

func slow(t *testing.T, tr Transport) {
	s := smallRing()
	s.clients.SlowTimeout = 1
	g := newRig(t, tr, s)
	g.pad = bytes.Repeat([]byte("x"), 1000)
	g.connect(4 << 10)
	g.wait("the stuck client to be disconnected", func() bool {
		g.publish(10, 5)
		return g.Clients.Stats().Active == 0
	})
	g.wantBalance()
}

func full(t *testing.T, tr Transport) {
	g := newRig(t, tr, settings{clients: netio.ClientOptions{MaxClients: 2}})
	a, b := g.connect(0), g.connect(0)
	third := g.dial()
	defer third.Close()
	_ = third.SetReadDeadline(time.Now().Add(deadline))
	_, _ = io.WriteString(third, tr.Request(Ask{}))
	answer, err := io.ReadAll(third)
	if err != nil && !errors.Is(err, io.EOF) && !isReset(err) {
		t.Fatal(err)
	}
	if bytes.Contains(answer, []byte(" 200 OK")) || bytes.Contains(answer, []byte("connected")) {
		t.Errorf("the third client was let in: %q", answer)
	}
	g.publish(5, 1)
	a.readTo(5)
	b.readTo(5)
}

func drain(t *testing.T, tr Transport) {
	g := newRig(t, tr, settings{})
	var clients []*client
	for range 20 {
		clients = append(clients, g.connect(0))
	}
	g.publish(5000, 10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		g.Engine.Drain(ctx)
	}()
	for _, c := range clients {
		c.readTo(5000)
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
		if tr.Notices && !bye && !slices.Contains(tr.Lacks, "disconnect") {
			t.Error("a stream ended without the disconnect notice")
		}
	}
	<-done
	g.wantBalance()
}

func drainStuck(t *testing.T, tr Transport) {
	g := newRig(t, tr, smallRing())
	g.pad = bytes.Repeat([]byte("x"), 1000)
	g.connect(4 << 10)
	g.publish(1000, 10)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	g.Engine.Drain(ctx) // must return; the rig's own deadline would not be reached
	if n := g.Clients.Stats().Active; n != 0 {
		t.Errorf("%d clients after the drain", n)
	}
	g.wantBalance()
}

func chatty(t *testing.T, tr Transport) {
	g := newRig(t, tr, settings{})
	c := g.connect(0)
	var sender sync.WaitGroup
	chat := bytes.Repeat([]byte("hello? "), 300)
	if tr.LinesOnly {
		chat = bytes.Repeat([]byte("hello?\r\n"), 250)
	}
	sender.Go(func() {
		for range 100 {
			if _, err := c.conn.Write(chat); err != nil {
				return
			}
		}
	})
	g.publish(2000, 10)
	c.readTo(2000)
	sender.Wait()
	g.wantBalance()
}

func flooding(t *testing.T, tr Transport) {
	tr.needs(t, tr.Secure == nil) // which would have to decrypt as much in a second
	g := newRig(t, tr, settings{})
	c, other := g.connect(0), g.connect(0)
	chat := bytes.Repeat([]byte("hello?\r\n"), 32<<10)
	var sent int
	for end := time.Now().Add(deadline); time.Now().Before(end); sent += len(chat) {
		if _, err := c.conn.Write(chat); err != nil {
			break
		}
	}
	g.wait("the client that floods to be disconnected", func() bool { return g.Clients.Stats().Disconnects["flood"] == 1 })
	if sent < 256<<10 {
		t.Errorf("it was disconnected after %d bytes", sent)
	}
	g.publish(2000, 10)
	other.readTo(2000)
	g.wantBalance()
}

func churn(t *testing.T, tr Transport) {
	g := newRig(t, tr, smallRing())
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
		_, _ = io.WriteString(conn, tr.Request(Ask{}))
		_ = conn.SetReadDeadline(time.Now().Add(deadline))
		_, _ = io.CopyN(io.Discard, conn, int64(1000*(i%7)))
		conn.Close()
	}
	cancel()
	writer.Wait()
	g.wait("all clients to be forgotten", func() bool {
		g.publish(1, 1)
		return g.Clients.Stats().Active == 0
	})
	g.wantBalance()
}
