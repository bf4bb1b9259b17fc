package bench

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// There are two baselines: "channels" writes line by line, "batches" writes
// together what waits in a client's channel.
func BenchmarkEndToEnd(b *testing.B) {
	for _, kind := range []string{"tcp", "sse"} {
		for _, clients := range []int{1, 10, 100} {
			baselines := make(map[string]float64)
			name := fmt.Sprintf("%s/clients=%d/", kind, clients)
			for _, baseline := range []string{"channels", "batches"} {
				b.Run(name+baseline, func(b *testing.B) {
					baselines[baseline] = streaming(b, newStream(b, kind, baseline, clients))
				})
			}
			b.Run(name+"logwisp", func(b *testing.B) {
				own := streaming(b, newStream(b, kind, "logwisp", clients))
				for baseline, ns := range baselines {
					times(b, ns, own, "x-"+baseline)
				}
			})
		}
	}
}

// streaming writes blocks as fast as the slowest client takes them, one an
// operation, until every client has every line. It returns the time of one
// delivery in nanoseconds.
func streaming(b *testing.B, s *stream) float64 {
	m := startMeter(b)
	for b.Loop() {
		s.write(b)
	}
	s.finish(b)
	c := m.stop(b)
	s.end(b)
	n := s.window.written.Load() * uint64(len(s.window.clients))
	b.ReportMetric(0, "ns/op")
	rate(b, n, c.wall, "deliveries/s")
	b.ReportMetric(float64(n)*float64(s.window.wire.width)/1e6/c.wall.Seconds(), "MB/s")
	per(b, c.process, n, "cpu-ns/delivery")
	return float64(c.wall.Nanoseconds()) / float64(n)
}

// stream is one design with its clients connected.
type stream struct {
	design  design
	window  *window
	readers sync.WaitGroup
	stopped bool
}

// newStream starts a design and its clients; all of them are subscribed when it
// returns.
func newStream(tb testing.TB, kind, name string, clients int) *stream {
	tb.Helper()
	s := &stream{window: newWindow(kind)}
	var err error
	if name == "logwisp" {
		s.design, err = startDaemon(tb.TempDir(), kind)
	} else {
		s.design, err = startFanout(kind, name == "batches", s.window.wire.width)
	}
	if err != nil {
		tb.Fatalf("start %s: %v", name, err)
	}
	tb.Cleanup(s.release)
	for range clients {
		c, err := dial(s.window, kind, s.design.address())
		if err != nil {
			tb.Fatal(err)
		}
		s.window.clients = append(s.window.clients, c)
	}
	for limit := time.Now().Add(patience); s.design.joined() < clients; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			tb.Fatalf("%d of %d clients have joined after %v", s.design.joined(), clients, patience)
		}
	}
	for _, c := range s.window.clients {
		s.readers.Go(func() {
			if err := c.follow(s.design.trailer()); err != nil {
				s.window.fail(err)
			}
		})
	}
	return s
}

// write hands over one block as soon as the slowest client lets it.
func (s *stream) write(tb testing.TB) {
	n, wire, err := s.window.next()
	if err == nil {
		err = s.design.send(n, wire)
	}
	if err != nil {
		tb.Fatalf("after line %d: %v", n, err)
	}
}

// finish waits until every client has every line.
func (s *stream) finish(tb testing.TB) {
	tb.Helper()
	if err := s.window.wait(s.window.written.Load()); err != nil {
		tb.Fatal(err)
	}
}

// end stops the design and judges what the clients saw, up to the end of their
// streams.
func (s *stream) end(tb testing.TB) {
	tb.Helper()
	s.window.ended.Store(true)
	s.stopped = true
	if err := s.design.stop(); err != nil {
		tb.Error(err)
	}
	s.readers.Wait()
	select {
	case err := <-s.window.failed:
		tb.Error(err)
	default:
	}
}

// release leaves nothing behind, also after a failure.
func (s *stream) release() {
	for _, c := range s.window.clients {
		c.conn.Close()
	}
	if !s.stopped {
		_ = s.design.stop() // the failure has been told
	}
	s.readers.Wait()
}

func TestEveryClientGetsEveryByte(t *testing.T) {
	for _, kind := range []string{"tcp", "sse"} {
		for _, name := range []string{"channels", "batches", "logwisp"} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				s := newStream(t, kind, name, 3)
				for range 2 * len(s.window.expect) { // twice the window: every block is used again
					s.write(t)
				}
				s.finish(t)
				s.end(t)
			})
		}
	}
}

func TestWrongByteIsFound(t *testing.T) {
	w := newWindow("tcp")
	if _, _, err := w.next(); err != nil {
		t.Fatal(err)
	}
	received := append([]byte(nil), w.expect[0]...)
	if _, err := w.check(0, received); err != nil {
		t.Errorf("what was written is not accepted: %v", err)
	}
	received[len(received)/2] ^= 1
	if _, err := w.check(0, received); err == nil {
		t.Error("a wrong byte was accepted")
	}
	if _, err := w.check(uint64(len(received)), []byte("x")); err == nil {
		t.Error("a byte more than was written was accepted")
	}
}
