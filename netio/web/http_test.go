package web

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"logwisp/netio"
	"logwisp/netio/access"
	"logwisp/ring"
)

// waitLimit bounds every wait. It is not a measure of speed.
const waitLimit = 20 * time.Second

// site is a server with its engine and ring.
type site struct {
	*Server
	t       testing.TB
	builder *ring.Builder
}

func newSite(t testing.TB, o Options) *site {
	t.Helper()
	r := ring.New(ring.Options{Entries: 1024, Bytes: 1 << 20})
	e, err := netio.New(r, netio.Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		e.Drain(ctx)
		e.Close()
	})
	o.Host = "127.0.0.1"
	s, err := New(o, e, access.Open(), "test", func() any { return map[string]string{"service": "LogWisp"} }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.http.MaxIdleWorkerDuration = 10 * time.Millisecond // its cleaner outlives Serve by as much
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		s.CloseListener()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &site{Server: s, t: t, builder: r.NewBuilder()}
}

// dial connects and sends.
func (s *site) dial(request string) (*net.TCPConn, *bufio.Reader) {
	s.t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(waitLimit))
	if _, err := io.WriteString(c, request); err != nil {
		s.t.Fatal(err)
	}
	return c.(*net.TCPConn), bufio.NewReader(c)
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	end := time.Now().Add(waitLimit)
	for !done() {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// wantStream checks that the next thing on r is a stream, and that an entry
// published now comes as its first.
func (s *site) wantStream(r *bufio.Reader) {
	s.t.Helper()
	want := streamHead + "Content-Type: text/event-stream\r\n\r\n"
	head := make([]byte, len(want))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != want {
		s.t.Fatalf("the head is %q (%v)", head, err)
	}
	for _, want := range []string{"connected", "other"} { // other: the reconnection time
		if it, err := readEvent(r); err != nil || it.Kind != want {
			s.t.Fatalf("got %+v (%v), want %s", it, err, want)
		}
	}
	line := fmt.Appendf(nil, `{"time":"2024-01-01T12:00:00.000000Z","source":"a","message":"%d"}`+"\n", time.Now().UnixNano())
	s.builder.Add(append(s.builder.Text(), line...), 1, ring.LevelInfo)
	s.builder.Publish()
	if it, err := readEvent(r); err != nil || it.Kind != "entry" || !bytes.Equal(it.Line, line) {
		s.t.Fatalf("got %+v (%v), want the entry %q", it, err, line)
	}
}

func TestEveryKindOfRequestGetsTheSameStream(t *testing.T) {
	s := newSite(t, Options{})
	for name, request := range map[string]string{
		"HTTP/1.1":                       "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"HTTP/1.1 with Connection close": "GET /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
		"HTTP/1.0":                       "GET /stream HTTP/1.0\r\n\r\n",
		"HTTP/1.0 with keep-alive":       "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"with a body":                    "GET /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
		"with a chunked body":            "GET /stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"with bytes behind it":           "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\nGET /status HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"with an absolute target":        "GET http://localhost/stream HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"as EventSource sends it":        "GET /stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, r := s.dial(request)
			s := *s
			s.t = t
			s.wantStream(r)
		})
	}
}

func TestRequestsPipelinedBeforeAStreamAreAnsweredFirst(t *testing.T) {
	s := newSite(t, Options{})
	_, r := s.dial(strings.Repeat("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n", 3) + "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
	for range 3 {
		answer, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != 200 || !strings.Contains(string(body), "LogWisp") {
			t.Fatalf("status %d, body %q (%v)", answer.StatusCode, body, err)
		}
	}
	s.wantStream(r)
}

func TestARequestThatEndsWithAHalfCloseKeepsItsStream(t *testing.T) {
	s := newSite(t, Options{})
	c, r := s.dial("GET /stream HTTP/1.0\r\n\r\n")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the client to join", func() bool { return s.Transport().Stats().Joined == 1 })
	s.wantStreamWithProbe(r)
}

// wantStreamWithProbe is wantStream for a half-closed client: a comment may
// stand anywhere between the events.
func (s *site) wantStreamWithProbe(r *bufio.Reader) {
	s.t.Helper()
	probe := ":\n\n"
	var got []byte
	entry := "\"message\":\"half\"}\n\n"
	line := `{"time":"2024-01-01T12:00:00.000000Z","source":"a","message":"half"}` + "\n"
	s.builder.Add(append(s.builder.Text(), line...), 1, ring.LevelInfo)
	s.builder.Publish()
	for !bytes.Contains(got, []byte(entry)) || !bytes.Contains(got, []byte("\n\n"+probe)) {
		b, err := r.ReadByte()
		if err != nil {
			s.t.Fatalf("the stream ended after %q: %v", got, err)
		}
		got = append(got, b)
	}
}

func TestWhatIsNotAStreamRequestIsAnsweredAndNotEnrolled(t *testing.T) {
	s := newSite(t, Options{ClientOptions: netio.ClientOptions{MaxClients: 1}})
	for request, want := range map[string]int{
		"HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n":                            200,
		"POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx":      405,
		"GET /stream?nonsense=1 HTTP/1.1\r\nHost: localhost\r\n\r\n":                  400,
		"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n":                            404,
		"GET /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\nx": 413,
		"nonsense\r\n\r\n": 400,
	} {
		_, r := s.dial(request)
		method := &http.Request{Method: strings.Fields(request)[0]}
		answer, err := http.ReadResponse(r, method)
		if err != nil {
			t.Errorf("%.30q: %v", request, err)
			continue
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != want {
			t.Errorf("%.30q: status %d, want %d, body %q (%v)", request, answer.StatusCode, want, body, err)
		}
		if want == 405 && answer.Header.Get("Allow") == "" {
			t.Errorf("%.30q: no Allow header", request)
		}
	}
	if st := s.Transport().Stats(); st.Active != 0 || st.Joined != 0 {
		t.Errorf("%d subscribers, %d joined", st.Active, st.Joined)
	}
	_, r := s.dial("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
	s.wantStream(r)
	_, r = s.dial("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
	answer, err := http.ReadResponse(r, nil)
	if err != nil || answer.StatusCode != 503 || answer.Header.Get("Retry-After") == "" {
		t.Errorf("the second of one client: %+v (%v)", answer, err)
	}
}

func TestIdleKeepAliveConnectionsDoNotHoldUpTheEnd(t *testing.T) {
	s := newSite(t, Options{})
	_, r := s.dial("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if _, err := http.ReadResponse(r, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Errorf("close with an idle connection: %v", err)
	}
}

// TestASilentConnectionDoesNotHoldUpTheEnd is what a browser that connects in
// advance does. The time is that which the daemon has for its end.
func TestASilentConnectionDoesNotHoldUpTheEnd(t *testing.T) {
	s := newSite(t, Options{})
	s.dial("")
	eventually(t, "the connection to be accepted", func() bool { return s.http.GetOpenConnectionsCount() > 0 })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Errorf("close with a connection that has sent nothing: %v", err)
	}
}

func TestStreamsDoNotHoldUpTheEndOfTheServer(t *testing.T) {
	s := newSite(t, Options{})
	_, r := s.dial("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
	s.wantStream(r)
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	if err := s.CloseListener(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestCloseBeforeServeEndsServe is a stop that comes in the middle of a start.
func TestCloseBeforeServeEndsServe(t *testing.T) {
	r := ring.New(ring.Options{Entries: 64, Bytes: 1 << 20})
	e, err := netio.New(r, netio.Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	s, err := New(Options{Host: "127.0.0.1"}, e, access.Open(), "test", func() any { return nil }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.CloseListener()
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", s.Addr().String()); err == nil {
		c.Close()
		t.Error("the listener is open after Close: a Serve that begins now would never end")
	}
}

// Slowloris: a client that sends a byte of its request now and then has a worker
// for no longer than a request may take.
func TestARequestThatTricklesInIsCutOff(t *testing.T) {
	e, err := netio.New(ring.New(ring.Options{Entries: 16, Bytes: 1 << 20}), netio.Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	s, err := New(Options{Host: "127.0.0.1"}, e, access.Open(), "test", func() any { return nil }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if s.http.ReadTimeout <= 0 || s.http.ReadTimeout > 10*time.Second || s.http.WriteTimeout <= 0 || s.http.IdleTimeout <= 0 {
		t.Fatalf("a request may take %s, an answer %s, a pause %s", s.http.ReadTimeout, s.http.WriteTimeout, s.http.IdleTimeout)
	}
	s.http.ReadTimeout, s.http.MaxIdleWorkerDuration = 200*time.Millisecond, 10*time.Millisecond
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		s.CloseListener()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const head = "GET /status HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
	ended := make(chan error, 1)
	go func() {
		_ = c.SetReadDeadline(time.Now().Add(waitLimit))
		_, err := io.Copy(io.Discard, c)
		ended <- err
	}()
	for i := 0; ; i++ {
		select {
		case err := <-ended:
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("it was never cut off")
			}
			return
		case <-time.After(10 * time.Millisecond):
			_, _ = c.Write([]byte{(head + strings.Repeat("x", 1<<20))[i%(1<<20)]})
		}
	}
}
