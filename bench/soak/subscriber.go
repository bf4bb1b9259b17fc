package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// subscriber reads the daemon's stream into the ledger. Where the daemon is
// killed it comes back as soon as it is let in.
type subscriber struct {
	o      *options
	at     string // host:port of the stream
	ledger *ledger
	killed <-chan time.Time // when the daemon was, for each end of the stream

	got       atomic.Uint64 // lines, repeated ones too
	connected chan struct{} // closed when it was let in for the first time
	once      sync.Once

	mu       sync.Mutex
	latency  *hdrhistogram.Histogram // µs from writing a line to having it, first time only
	strange  uint64                  // entries that are no line as written
	example  string
	announce uint64 // losses that the stream told of
}

// latencyMost is the longest time that is told apart, in µs.
const latencyMost = int64(10 * time.Minute / time.Microsecond)

func newSubscriber(o *options, at string, l *ledger, killed <-chan time.Time) *subscriber {
	return &subscriber{
		o: o, at: at, ledger: l, killed: killed, connected: make(chan struct{}),
		latency: hdrhistogram.New(1, latencyMost, 3),
	}
}

// run reads until ctx is done. The error says why the stream ended if nobody
// ended it.
func (s *subscriber) run(ctx context.Context) error {
	for {
		in, err := s.open(ctx)
		before := s.got.Load()
		if err == nil {
			s.once.Do(func() { close(s.connected) })
			err = s.read(in)
			in.Close()
		}
		// A daemon that dies may still accept what it has no time for. It is
		// killed only when lines have come.
		if s.got.Load() > before {
			select {
			case at := <-s.killed:
				s.ledger.killed(at)
			case <-ctx.Done():
				return nil
			case <-time.After(stopTimeout):
				return fmt.Errorf("the stream ended: %w", err)
			}
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(5 * time.Millisecond): // the daemon is not up again
		}
	}
}

// open subscribes. The stream ends when ctx is done.
func (s *subscriber) open(ctx context.Context) (io.ReadCloser, error) {
	if s.o.proto == "tcp" {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.at)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { c.Close() })
		return c, nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.at+"/stream", nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, fmt.Errorf("GET /stream: %s", answer.Status)
	}
	return answer.Body, nil
}

// read takes the stream to its end. What is behind the last newline is no
// whole line; it comes again or is missing.
func (s *subscriber) read(in io.Reader) error {
	b := bufio.NewReaderSize(in, 256<<10)
	for {
		entry, err := b.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			s.wonder(entry)
			continue
		}
		if err != nil {
			return err
		}
		s.line(bytes.TrimSuffix(entry, []byte("\n")))
	}
}

// line takes one line of the stream.
func (s *subscriber) line(text []byte) {
	if s.o.proto == "sse" {
		data, ok := bytes.CutPrefix(text, []byte("data: "))
		if !ok {
			if bytes.HasPrefix(text, []byte("event: drop")) || bytes.HasPrefix(text, []byte("event: gap")) {
				s.mu.Lock()
				s.announce++
				s.mu.Unlock()
			}
			return
		}
		if text = data; !bytes.HasPrefix(text, []byte(`{"time":`)) {
			return // of an event that is no entry
		}
	}
	now := time.Now()
	in, ok := parseLine(messageOf(text), s.o.lineBytes)
	if !ok {
		s.wonder(text)
		return
	}
	s.got.Add(1)
	if s.ledger.take(in, now) {
		s.mu.Lock()
		_ = s.latency.RecordValue(micros(in.nano, nanos(now)))
		s.mu.Unlock()
	}
}

// wonder counts an entry that nobody wrote so.
func (s *subscriber) wonder(entry []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.strange++; s.strange == 1 {
		s.example = string(entry[:min(len(entry), 300)])
	}
}

// quantile returns a quantile of the latency so far.
func (s *subscriber) quantile(percent float64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.latency.ValueAtQuantile(percent)) * time.Microsecond
}
