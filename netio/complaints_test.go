package netio

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAProblemIsLoggedOnceAMinuteWithHowOftenItCame(t *testing.T) {
	var log bytes.Buffer
	c := NewComplaints(slog.New(slog.NewTextHandler(&log, nil)))
	now := time.Now()
	c.now = func() time.Time { return now }
	for i := range 1000 {
		c.Warn("client refused", fmt.Errorf("enrol %d: %w", i, syscall.EMFILE), "address", i)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "enrol 0: too many open files") {
		t.Fatalf("%d lines, want the first only:\n%s", n, log.String())
	}
	c.Warn("client refused", errors.New("too many clients"))
	c.Warn("another", syscall.EMFILE)
	if n := strings.Count(log.String(), "\n"); n != 3 {
		t.Fatalf("%d lines, want one of each problem:\n%s", n, log.String())
	}
	now = now.Add(complaintEvery)
	c.Warn("client refused", syscall.EMFILE)
	if !strings.Contains(log.String(), "times_since_last_logged=1000\n") {
		t.Errorf("that it came 1000 times is not said:\n%s", log.String())
	}
}

// TestConnectionsComeInAtAPaceThatLeavesTimeForOthers: a burst is taken at once,
// more wait to be accepted, and an end is not waited for.
func TestConnectionsComeInAtAPaceThatLeavesTimeForOthers(t *testing.T) {
	l := &listener{closed: make(chan struct{})}
	now := time.Now()
	for i := range acceptBurst {
		if d := l.pace(now); d > 0 {
			t.Fatalf("connection %d has to wait for %v", i, d)
		}
	}
	taken := 0
	for end := now.Add(time.Second); now.Before(end); {
		if d := l.pace(now); d > 0 {
			now = now.Add(d)
		} else {
			taken++
		}
	}
	if taken < acceptRate*9/10 || taken > acceptRate*11/10 {
		t.Errorf("%d connections in the second after the burst, want about %d", taken, acceptRate)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Listener = inner
	l.credit, l.paced = 0, time.Now().Add(time.Hour) // nothing is left for an hour
	ended := make(chan error)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	l.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept ended with %v", err)
	}
}
