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

	"golang.org/x/time/rate"
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
	l := &listener{closed: make(chan struct{}), credit: newCredit()}
	now := time.Now()
	for i := range acceptBurst {
		if !l.mayAccept(now) {
			t.Fatalf("connection %d has to wait", i)
		}
		l.spend(now, true)
	}
	second := func(letIn bool) (taken int) {
		for end := now.Add(time.Second); now.Before(end); {
			if !l.mayAccept(now) {
				now = now.Add(acceptPause)
				continue
			}
			l.spend(now, letIn)
			taken++
		}
		return taken
	}
	if taken := second(true); taken < acceptRate*9/10 || taken > acceptRate*11/10 {
		t.Errorf("%d connections in the second after the burst, want about %d", taken, acceptRate)
	}
	if taken := second(false); taken < turnedAway*acceptRate*9/10 || taken > turnedAway*acceptRate*11/10 {
		t.Errorf("%d connections are turned away in a second, want about %d", taken, turnedAway*acceptRate)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Listener = inner
	l.credit.SetLimit(0) // nothing is left, and nothing comes
	for l.mayAccept(time.Now()) {
		l.spend(time.Now(), true)
	}
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

func TestWarningsAboutClientsAreSoManyAndTheRestIsCounted(t *testing.T) {
	var log bytes.Buffer
	w := newClientWarnings(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for i := range 100 {
		w.Warn("client lags", "client", i)
	}
	loud, quiet := strings.Count(log.String(), "level=WARN"), strings.Count(log.String(), "level=DEBUG")
	if loud < warnBurst || loud > warnBurst+10 || loud+quiet != 100 { // some more in the time that this has taken
		t.Fatalf("%d warnings and %d messages of level debug", loud, quiet)
	}
	w.may.SetLimit(rate.Inf)
	w.Warn("client lags", "client", 100)
	if want := fmt.Sprintf("client=100 others_not_logged=%d\n", quiet); !strings.HasSuffix(log.String(), want) {
		t.Errorf("the next warning is %q, want %q", log.String()[strings.LastIndex(log.String(), "time="):], want)
	}
}
