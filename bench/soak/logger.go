package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

const (
	logName = "app.log"
	// batchMost is how many lines one write has at most: the writer catches up
	// after a pause, but not in one go.
	batchMost = 2000
	// rotatedKept is how many rotated files are left in the directory, and more
	// where they are all that is left of their lines.
	rotatedKept = 40
)

// logger is the writer: it appends lines to a log at a rate, and rotates it.
// One goroutine runs it.
type logger struct {
	o      *options
	dir    string
	ledger *ledger
	random *rand.Rand

	file    *os.File
	current uint64 // generation of file
	next    uint64 // number of its next line
	batch   []byte

	written   atomic.Uint64 // lines
	rotations atomic.Uint64
	rotated   []rotated // files that are left, oldest first

	copies sync.WaitGroup // a copying rotation under way
	copied chan error     // how it ended
}

// rotated is a file that the log was, or a copy of it.
type rotated struct {
	path       string
	generation uint64
}

func newLogger(o *options, dir string, l *ledger) (*logger, error) {
	g := &logger{o: o, dir: dir, ledger: l, random: rand.New(rand.NewPCG(o.seed, 1)), copied: make(chan error, 1)}
	var err error
	g.file, err = g.create(logName)
	return g, err
}

func (g *logger) path(name string) string { return filepath.Join(g.dir, name) }

// create opens a new file as a logger does.
func (g *logger) create(name string) (*os.File, error) {
	f, err := os.OpenFile(g.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create the log: %w", err)
	}
	return f, nil
}

// run writes and rotates until the run is long enough or ctx is done.
func (g *logger) run(ctx context.Context) error {
	defer func() {
		g.copies.Wait()
		_ = g.file.Close() // nothing is buffered
	}()
	begin := time.Now()
	rotation := begin.Add(g.interval())
	for ctx.Err() == nil {
		now := time.Now()
		elapsed := now.Sub(begin)
		if g.o.duration > 0 && elapsed >= g.o.duration {
			break
		}
		if now.After(rotation) {
			if g.o.rotations > 0 && g.rotations.Load() >= uint64(g.o.rotations) {
				break // the last generation has had its time
			}
			if err := g.rotate(); err != nil {
				return err
			}
			rotation = time.Now().Add(g.interval())
		}
		due := uint64(elapsed.Seconds()*float64(g.o.rate)) - min(g.written.Load(), uint64(elapsed.Seconds()*float64(g.o.rate)))
		if due == 0 {
			time.Sleep(time.Millisecond)
			continue
		}
		if err := g.write(g.file, g.current, &g.next, min(due, batchMost)); err != nil {
			return err
		}
	}
	g.copies.Wait()
	return g.copyFailed()
}

// interval is the time to the next rotation.
func (g *logger) interval() time.Duration {
	return g.o.every/2 + time.Duration(g.random.Int64N(int64(g.o.every)))
}

// write appends n lines of a generation to its file with one call.
func (g *logger) write(f *os.File, generation uint64, next *uint64, n uint64) error {
	g.batch = g.batch[:0]
	l := line{generation: generation, nano: nanos(time.Now())}
	for i := range n {
		l.number = *next + i
		g.batch = appendLine(g.batch, l, g.o.lineBytes)
	}
	// Noted first: nothing that comes may be unknown.
	g.ledger.wrote(generation, n)
	if _, err := f.Write(g.batch); err != nil {
		return fmt.Errorf("append to the log: %w", err)
	}
	*next += n
	g.written.Add(n)
	return nil
}
