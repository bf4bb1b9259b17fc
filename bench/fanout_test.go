package bench

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// fanout is the baseline: each client has a channel and a goroutine that
// writes every line to the socket. It begins with finished entries in memory,
// neither reads a file nor parses or encodes anything, and waits for a full
// channel instead of dropping, so that every client gets every line: it is
// faster than anything real of this design.
type fanout struct {
	kind     string
	batched  bool // lines that wait in a channel are written together
	listener net.Listener
	width    int // of a line on the wire

	mu       sync.Mutex
	stopped  bool
	channels []chan []byte
	count    atomic.Int64
	serving  sync.WaitGroup
	aborted  chan struct{} // a client is gone
	abort    sync.Once
	err      error // the first of any client; stored before aborted is closed
}

// batchBytes is how much a batching goroutine writes at once.
const batchBytes = 64 << 10

func startFanout(kind string, batched bool, width int) (*fanout, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &fanout{kind: kind, batched: batched, listener: ln, width: width, aborted: make(chan struct{})}
	f.serving.Go(f.accept)
	return f, nil
}

func (f *fanout) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				f.give(err)
			}
			return
		}
		f.serving.Go(func() {
			defer conn.Close()
			if err := f.serve(conn); err != nil {
				f.give(err)
			}
		})
	}
}

// give records that a client cannot be served any more.
func (f *fanout) give(err error) {
	f.abort.Do(func() {
		f.err = err
		close(f.aborted)
	})
}

// serve answers one client and writes to it until its channel is closed.
func (f *fanout) serve(conn net.Conn) error {
	if err := conn.(*net.TCPConn).SetWriteBuffer(int(clientOptions.SendBuffer)); err != nil {
		return err
	}
	if f.kind == "sse" {
		if err := answer(conn); err != nil {
			return err
		}
	}
	lines := make(chan []byte, channelLines)
	if !f.subscribe(lines) {
		return nil
	}
	if f.batched {
		return writeBatches(conn, lines)
	}
	for line := range lines {
		if _, err := conn.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// subscribe adds a client's channel, unless the fan-out has been stopped.
func (f *fanout) subscribe(lines chan []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return false
	}
	f.channels = append(f.channels, lines)
	f.count.Add(1)
	return true
}

// writeBatches writes what waits in the channel with one call, and never keeps
// back a line when no other follows.
func writeBatches(conn net.Conn, lines <-chan []byte) error {
	w := bufio.NewWriterSize(conn, batchBytes)
	for line := range lines {
		if _, err := w.Write(line); err != nil {
			return err
		}
		if len(lines) > 0 {
			continue
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return w.Flush()
}

// answer reads a request and sends what comes before the first event.
func answer(conn net.Conn) error {
	r := bufio.NewReader(conn)
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = r.ReadString('\n'); err != nil {
			return err
		}
	}
	_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"+greetingEnd)
	return err
}

func (f *fanout) address() string { return f.listener.Addr().String() }

func (f *fanout) joined() int { return int(f.count.Load()) }

func (f *fanout) trailer() string { return "" }

func (f *fanout) send(_ uint64, wire []byte) error {
	f.mu.Lock()
	channels := f.channels
	f.mu.Unlock()
	for ; len(wire) > 0; wire = wire[f.width:] {
		for _, c := range channels {
			select {
			case c <- wire[:f.width]:
			default:
				select {
				case c <- wire[:f.width]:
				case <-f.aborted:
					return f.err
				}
			}
		}
	}
	return nil
}

func (f *fanout) stop() error {
	err := f.listener.Close()
	f.mu.Lock()
	f.stopped = true
	for _, c := range f.channels {
		close(c)
	}
	f.mu.Unlock()
	f.serving.Wait()
	return errors.Join(err, f.err)
}
