package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// receiver is a collector that the daemon pushes to, at least once, and that
// crashes: requests are cut off before or after what they hold is booked, and
// the port is closed for a while. What it has booked it has for good.
type receiver struct {
	*subscriber
	random  *rand.Rand
	crashes atomic.Uint64
}

const (
	crashEvery = time.Second            // on average
	crashTime  = 300 * time.Millisecond // at most, until it listens again
)

// receive serves until ctx is done, and crashes now and then.
func (r *receiver) receive(ctx context.Context) error {
	r.once.Do(func() { close(r.connected) }) // nobody has to be let in
	for ctx.Err() == nil {
		ln, err := net.Listen("tcp", r.at)
		if err != nil {
			return fmt.Errorf("listen for the daemon's output: %w", err)
		}
		server := &http.Server{Handler: http.HandlerFunc(r.take)}
		served := make(chan error, 1)
		go func() { served <- server.Serve(ln) }()
		crash := time.NewTimer(crashEvery/2 + time.Duration(r.random.Int64N(int64(crashEvery))))
		for up := true; up; {
			select {
			case at := <-r.killed:
				r.ledger.killed(at)
				continue
			case <-ctx.Done():
			case <-crash.C:
				r.crashes.Add(1)
			}
			up = false
		}
		server.Close() // every connection is cut, whatever is under way
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(r.random.Int64N(int64(crashTime)))):
		}
	}
	return nil
}

// take books a request, or does what a crash would at that moment.
func (r *receiver) take(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // the daemon was killed, or this server was
	}
	luck := rand.N(20)
	if luck == 0 {
		panic(http.ErrAbortHandler) // before it is booked
	}
	r.mu.Lock() // one request at a time, as the ledger's lines are
	defer r.mu.Unlock()
	for entry := range bytes.Lines(body) {
		text := bytes.TrimSuffix(entry, []byte("\n"))
		in, ok := parseLine(messageOf(text), r.o.lineBytes)
		if !ok {
			r.strange++
			r.example = string(text[:min(len(text), 300)])
			continue
		}
		r.got.Add(1)
		if now := time.Now(); r.ledger.take(in, now) {
			_ = r.latency.RecordValue(micros(in.nano, nanos(now)))
		}
	}
	if luck == 1 {
		panic(http.ErrAbortHandler) // behind it
	}
	w.WriteHeader(http.StatusNoContent)
}
