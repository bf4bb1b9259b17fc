package forward

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"logwisp/netio/netiotest"
	"logwisp/ring"
	"logwisp/ring/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, netiotest.IgnoreLibraries()...) }

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

// bench is a ring with one output.
type bench struct {
	t       *testing.T
	ring    *ring.Ring
	builder *ring.Builder
	encoder record.Encoder
	out     *Output
	stop    func()
	said    strings.Builder // the log, once stopped
}

// newBench makes a ring of so many bytes, 0 = 4 MiB, and starts an output.
func newBench(t *testing.T, ringBytes int64, o Options) *bench {
	t.Helper()
	if ringBytes == 0 {
		ringBytes = 4 << 20
	}
	if o.BatchBytes == 0 {
		o.BatchBytes = 64 << 10
	}
	b := &bench{t: t, ring: ring.New(ring.Options{Entries: 1 << 12, Bytes: ringBytes, Recycle: true, Epoch: 7})}
	b.builder = b.ring.NewBuilder()
	var mu sync.Mutex
	log := slog.New(slog.NewTextHandler(writer(func(p []byte) {
		mu.Lock()
		defer mu.Unlock()
		b.said.Write(p)
	}), nil))
	out, err := New(o, b.ring, false, log)
	if err != nil {
		t.Fatal(err)
	}
	b.out = out
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { out.Run(ctx); close(done) }()
	b.stop = func() { cancel(); <-done }
	t.Cleanup(b.stop)
	return b
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

// publish makes entries of the messages, in one page.
func (b *bench) publish(messages ...string) {
	for _, m := range messages {
		level := ring.LevelInfo
		if strings.Contains(m, "error") {
			level = ring.LevelError
		}
		text := b.encoder.Append(b.builder.Text(), &record.Entry{
			Micros: 1704110400123456, Source: "app.log", Level: level, Message: []byte(m), Fields: []byte(`{"n":1.50,"who":"a\"b"}`),
		})
		b.builder.Add(text, b.ring.Source("app.log"), level)
	}
	b.builder.Publish()
}

// until waits for what has to become true, and looks each time the output has
// done something.
func (b *bench) until(what string, f func(s Stats) bool) Stats {
	b.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		s := b.out.Stats()
		if f(s) {
			return s
		}
		if time.Now().After(end) {
			b.t.Fatalf("%s did not come: %+v\n%s", what, s, b.said.String())
		}
	}
}

// settles waits until everything is accounted for and checks the sums (F1).
func (b *bench) settles() Stats {
	b.t.Helper()
	s := b.until("the end", func(s Stats) bool { return s.LagEntries == 0 })
	if s.Delivered+s.Filtered+s.Dropped != s.Offered {
		b.t.Errorf("the sums are not right: %+v", s)
	}
	if b.out.Acked() != b.ring.Head() {
		b.t.Errorf("acked %d, head %d", b.out.Acked(), b.ring.Head())
	}
	return s
}

// collector is an HTTP server that keeps what it is sent.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	bodies   []string
	requests []*http.Request
}

// receive starts a server whose answers come from answer; nil means 204. Bodies
// whose answer is a success are kept.
func receive(t *testing.T, answer func(r *http.Request, body string) (int, string)) *receiver {
	c := &receiver{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		code, text := http.StatusNoContent, ""
		if answer != nil {
			code, text = answer(r, string(body))
		}
		c.requests = append(c.requests, r)
		if code < 300 {
			c.bodies = append(c.bodies, string(body))
		}
		if code == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "0")
		}
		w.WriteHeader(code)
		if text != "" {
			_, _ = io.WriteString(w, text)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// got is all bodies that were taken.
func (c *receiver) got() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.bodies, "")
}

// messages are those of lines of entries, in their order.
func messages(lines string) (all []string) {
	for line := range strings.Lines(lines) {
		all = append(all, string(record.AppendDecoded(nil, record.Split([]byte(line)).Message)))
	}
	return all
}

func numbered(prefix string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%s %05d", prefix, i))
	}
	return all
}
