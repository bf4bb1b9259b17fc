package bench

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// aheadBytes is how many bytes of the file the writer may be ahead of the
// slowest client: enough to keep everything in between busy, and far less than
// the ring holds, so that nobody loses anything.
const aheadBytes = 4 << 20

// patience is how long no client may receive anything before a benchmark gives
// up. It limits failures; nothing waits for it to pass.
const patience = 30 * time.Second

// window closes the loop between the writer and the clients, and knows what
// each client must receive.
type window struct {
	wire    *stencil
	expect  [][]byte      // block n is in expect[n % len]; kept until every client has it
	written atomic.Uint64 // lines; stored after the block's bytes
	ended   atomic.Bool   // no more lines will be written
	clients []*client

	waiting atomic.Bool
	moved   chan struct{}
	failed  chan error
}

func newWindow(kind string) *window {
	w := &window{
		wire:   newStencil(wireText(kind)),
		moved:  make(chan struct{}, 1),
		failed: make(chan error, 1),
	}
	w.expect = make([][]byte, aheadBytes/(blockLines*len(fileLine)))
	for i := range w.expect {
		w.expect[i] = make([]byte, len(w.wire.block))
	}
	return w
}

// next waits until there is room for a block and returns the number of its
// first line and what the clients must receive for it. The bytes do not change
// before every client has received them.
func (w *window) next() (n uint64, wire []byte, err error) {
	n = w.written.Load()
	ahead := uint64(len(w.expect) * blockLines)
	if err := w.wait(n + blockLines - min(ahead, n+blockLines)); err != nil {
		return 0, nil, err
	}
	wire = w.expect[n/blockLines%uint64(len(w.expect))]
	w.wire.fill(wire, n)
	w.written.Store(n + blockLines)
	return n, wire, nil
}

// wait returns when every client has received n lines, or when one has failed.
func (w *window) wait(n uint64) error {
	if w.slowest() >= n {
		return nil
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		w.waiting.Store(true) // before the clients are looked at: what moves now is told
		if w.slowest() >= n {
			return nil
		}
		select {
		case <-w.moved:
			limit.Reset(patience)
		case err := <-w.failed:
			return err
		case <-limit.C:
			return fmt.Errorf("no client has received anything for %v: the slowest has %d of %d lines", patience, w.slowest(), w.written.Load())
		}
	}
}

// slowest returns the number of lines that every client has.
func (w *window) slowest() uint64 {
	least := w.written.Load()
	for _, c := range w.clients {
		least = min(least, c.lines.Load())
	}
	return least
}

// advanced is called by clients that have received a line.
func (w *window) advanced() {
	if w.waiting.Load() && w.waiting.Swap(false) {
		nudge(w.moved)
	}
}

// fail hands a client's error to the writer. The first one counts.
func (w *window) fail(err error) {
	select {
	case w.failed <- err:
	default:
	}
}

var errMore = errors.New("more arrived than was written")

// check compares what arrived at a position of the stream with what must be
// there. It returns how much of it are lines; the rest comes after the last.
func (w *window) check(at uint64, data []byte) (int, error) {
	width, size := uint64(w.wire.width), uint64(len(w.wire.block))
	end := w.written.Load() * width
	lines := int(min(uint64(len(data)), end-at))
	if lines < len(data) && !w.ended.Load() {
		return lines, errMore
	}
	for rest := data[:lines]; len(rest) > 0; {
		want := w.expect[at/size%uint64(len(w.expect))][at%size:]
		n := min(len(rest), len(want))
		if string(rest[:n]) != string(want[:n]) {
			return 0, difference(at, width, rest[:n], want[:n])
		}
		rest, at = rest[n:], at+uint64(n)
	}
	return lines, nil
}

// difference says where got and want, which begin at a position of the stream
// and are equally long, differ.
func difference(at, width uint64, got, want []byte) error {
	i := 0
	for got[i] == want[i] {
		i++
	}
	at += uint64(i)
	return fmt.Errorf("line %d is wrong from its byte %d on: it goes on with %.100q, want %.100q", at/width, at%width, got[i:], want[i:])
}
