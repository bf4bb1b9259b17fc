package ingest

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"logwisp/ring"
	"logwisp/ring/entry"
	"logwisp/ring/filter"
	"logwisp/ring/parse"
)

// readSize is how many bytes a stream is read in one turn: past the point where
// a read call's own cost shows, and a millisecond or two to parse.
const readSize = 256 << 10

// worker is what a turn of a stream needs.
type worker struct {
	buf    []byte // readSize long
	parser parse.Parser
	out    *entry.Writer
	micros int64 // the time of the turn

	members []byte // for the fields: what a syslog header says, and tags
	header  []byte // the former as an object
}

// workers are handed out in the order in which they are asked for; the one that
// was given back last goes first, as its memory is in the processor's cache.
type workers struct {
	turns chan struct{} // as many as there are workers
	mu    sync.Mutex
	free  []*worker
}

func newWorkers(r *ring.Ring, o filter.IntakeOptions) (*workers, error) {
	n := max(2, runtime.GOMAXPROCS(0))
	f := &workers{turns: make(chan struct{}, n)}
	each, err := intakes(n, o)
	if err != nil {
		return nil, err
	}
	for _, in := range each {
		f.free = append(f.free, &worker{out: entry.NewWriter(r.NewBuilder(), in), parser: parse.Parser{Own: true}})
	}
	return f, nil
}

// intakes compiles a filter n times: one goroutine at a time uses each.
func intakes(n int, o filter.IntakeOptions) (all []*filter.Intake, err error) {
	for range n {
		in, err := o.Intake()
		if err != nil {
			return nil, fmt.Errorf("inputs: %w", err)
		}
		all = append(all, in)
	}
	return all, nil
}

// take waits for a worker. It is given back before anything else is waited for
// (G1).
func (f *workers) take() *worker {
	f.turns <- struct{}{}
	f.mu.Lock()
	last := len(f.free) - 1
	w := f.free[last]
	f.free = f.free[:last]
	f.mu.Unlock()
	if w.buf == nil {
		w.buf = make([]byte, readSize)
	}
	return w
}

func (f *workers) give(w *worker) {
	f.mu.Lock()
	f.free = append(f.free, w)
	f.mu.Unlock()
	<-f.turns
}

// filter has what is taken in from now on go through the filters given, one a
// worker. It waits until each of them has been free at once.
func (f *workers) filter(with []*filter.Intake) {
	var all []*worker
	for range with {
		all = append(all, f.take())
	}
	for i, w := range all {
		w.out.SetFilter(with[i])
		f.give(w)
	}
}

// begin sets w to work for an input.
func (w *worker) begin(in *input) {
	w.micros = time.Now().UnixMicro()
	w.parser.Format, w.parser.Pattern, w.parser.Location = in.format, in.pattern, in.location
}
