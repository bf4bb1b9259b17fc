package ingest

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"logwisp/netio/netiotest"
	"logwisp/ring"
	"logwisp/ring/filter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, netiotest.IgnoreLibraries()...) }

// patience bounds every wait. It is not a measure of speed.
const patience = 20 * time.Second

// got is an entry as it came out of the ring.
type got struct {
	Time, Source, Level, Message string
	Fields                       map[string]any
}

// rig is a server at work on a ring, which is read to see what it takes in.
type rig struct {
	t      *testing.T
	ring   *ring.Ring
	server *Server
	cursor ring.Cursor
	got    []got
	lines  []string // the same as they stand
	log    netiotest.Log
}

func newRig(t *testing.T, set Settings, inputs ...Options) *rig {
	t.Helper()
	r := &rig{t: t, ring: ring.New(ring.Options{Entries: 1 << 18, Bytes: 256 << 20})}
	r.cursor = r.ring.Live()
	set.Log = slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if r.server, err = New(inputs, set, r.ring); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- r.server.Serve() }()
	t.Cleanup(func() {
		r.server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return r
}

// dial connects to the first input.
func (r *rig) dial() net.Conn {
	r.t.Helper()
	a := r.server.inputs[0].address
	c, err := net.Dial(a.Network(), a.String())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	return c
}

// send sends a text on a connection of its own, and ends that.
func (r *rig) send(text string) {
	r.t.Helper()
	c := r.dial()
	r.write(c, text)
	if err := c.Close(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) write(c net.Conn, text string) {
	r.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		r.t.Fatal(err)
	}
}

// collect takes what was published.
func (r *rig) collect() {
	r.t.Helper()
	for {
		p, lost, ok := r.cursor.Page()
		if lost > 0 {
			r.t.Fatalf("the ring of the test is too small: %d entries lost", lost)
		}
		if !ok {
			return
		}
		for i := range p.Count() {
			var e got
			if err := json.Unmarshal(p.Entry(i), &e); err != nil {
				r.t.Fatalf("entry %q: %v", p.Entry(i), err)
			}
			if id := p.Source(i); r.ring.SourceName(id) != e.Source {
				r.t.Fatalf("entry %s has the source %q in its page", p.Entry(i), r.ring.SourceName(id))
			}
			r.got = append(r.got, e)
			r.lines = append(r.lines, string(p.Entry(i)))
		}
		r.cursor.Advance(p.First + uint64(p.Count()))
	}
}

// sees waits until there are entries with these messages, those there are.
func (r *rig) sees(want ...string) {
	r.t.Helper()
	r.until(fmt.Sprintf("%d entries", len(want)), func() bool { return len(r.got) >= len(want) })
	if have := r.messages(); !slices.Equal(have, want) {
		r.t.Fatalf("got %q, want %q", have, want)
	}
}

func (r *rig) messages() (all []string) {
	for _, e := range r.got {
		all = append(all, e.Message)
	}
	return all
}

// until waits until the condition holds of what was collected.
func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		r.collect()
		if holds() {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("waited in vain for %s: %q, %+v\n%s", what, r.messages(), r.server.Stats(), r.log.String())
		}
	}
}

func tcpInput(o Options) Options {
	o.URL = "tcp://127.0.0.1:0"
	return o
}

// pipeInput returns standard input, and its other end.
func pipeInput(t *testing.T) (*os.File, *os.File) {
	t.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); out.Close() })
	return in, out
}

var onlyErrors = filter.IntakeOptions{Level: "error", Exclude: []string{"noise"}, Redact: []string{`secret=\S+`}}
