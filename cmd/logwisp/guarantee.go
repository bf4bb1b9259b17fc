package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"logwisp/netio/forward"
	"logwisp/netio/nats"
	"logwisp/ring"
	"logwisp/tail"
)

// A guaranteed output has files, ring and checkpoint of its own: it reads as
// far as its counterpart acknowledges, goes on there after a stop or a crash,
// and holds back nobody but itself.
type guaranteed struct {
	checkpoint *tail.Checkpoint
	ring       *ring.Ring
	origins    *tail.Origins
	output     *forward.Output
	edge       *nats.Edge // nil: the counterpart is of another kind

	monitor tail.Options
	log     *slog.Logger
	mu      sync.Mutex
	watcher *tail.Watcher // nil: it has not begun to read
}

// guaranteedRing is the memory of what is read and not acknowledged yet.
const guaranteedRing = 32 << 20

// newGuaranteed makes the parts of one; nothing is read before run. The error is
// a *refusal.
func newGuaranteed(o forward.Options, s *settings, log *slog.Logger) (*guaranteed, error) {
	name := o.Label()
	plain := log // the output's own log names it
	log = log.With("output", name)
	path, err := guaranteePath(s.Monitor.Checkpoint, name, os.Getenv)
	g := &guaranteed{log: log}
	if err == nil {
		g.checkpoint, err = tail.OpenCheckpoint(path, log)
	}
	if err == nil && !g.checkpoint.Kept() {
		err = fmt.Errorf("checkpoint %s cannot be written: make its directory writable for the daemon's user", path)
	}
	if err == nil {
		bytes := max(guaranteedRing, 16*s.Monitor.MaxLineBytes)
		g.ring = ring.New(ring.Options{Entries: 1 << 14, Bytes: bytes, Recycle: true})
		err = g.open(o, plain)
	}
	if err == nil {
		g.monitor = s.Monitor
		g.monitor.Filter, g.monitor.Acked = s.Filter, g.output.Acked
		if g.edge != nil {
			g.monitor.Origins = g.origins
		} else {
			err = g.follow()
		}
	}
	if err != nil {
		_ = g.checkpoint.Close(0, 0)
		return nil, &refusal{code: exitConfig, lines: []string{fmt.Sprintf("output %s: guarantee: %v", name, err)}}
	}
	return g, nil
}

// guaranteePath returns the checkpoint of an output: beside the daemon's own, or
// where that would be.
func guaranteePath(setting, output string, getenv func(string) string) (string, error) {
	if setting == "" || setting == "off" {
		setting = "auto"
	}
	path, err := checkpointPath(setting, getenv)
	if err != nil {
		return "", errors.New("there is no place to keep what was acknowledged: set STATE_DIRECTORY or name a file with --checkpoint")
	}
	return filepath.Join(filepath.Dir(path), "output-"+url.PathEscape(output)+".json"), nil
}

// open makes the output, with the way to its counterpart.
func (g *guaranteed) open(o forward.Options, log *slog.Logger) (err error) {
	g.origins = tail.NewOrigins(g.ring.Head() + 1)
	carrier, err := carrierOf(o, g.ring.Epoch(), g.origins, log)
	if err != nil {
		return err
	}
	g.edge, _ = carrier.(*nats.Edge)
	g.output, err = forward.NewThrough(carrier, o, g.ring, false, log)
	return err
}

// follow takes the files' positions. What is written from here on is not missed.
func (g *guaranteed) follow() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	w, err := tail.Resume(g.checkpoint, g.monitor, g.ring, g.log)
	g.watcher = w
	return err
}

// reload prepares other settings of the files.
func (g *guaranteed) reload(o tail.Options) (apply func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.watcher != nil {
		return g.watcher.Reload(o)
	}
	return func() { // it begins with them
		g.mu.Lock()
		defer g.mu.Unlock()
		o.Acked, o.Origins = g.monitor.Acked, g.monitor.Origins
		g.monitor = o
		if g.watcher == nil {
			return
		}
		apply, err := g.watcher.Reload(o) // it has begun meanwhile, with the others
		if err != nil {
			g.log.Error("the output's files are read with the settings of before: restart the daemon for those of now", "error", err)
			return
		}
		apply()
	}, nil
}

// read reads files for the output until ctx ends.
func (g *guaranteed) read(ctx context.Context) error {
	if g.edge != nil {
		g.adopt(ctx)
		select {
		case <-ctx.Done():
			return nil
		default:
		}
		if err := g.follow(); err != nil {
			return err
		}
	}
	return g.watcher.Run(ctx)
}

// unknownFor is how long a stream is waited for that may know how far files were
// read, where nothing else does: then they begin as in any first run.
const unknownFor = 5 * time.Second

// adopt takes over how far the files are in the stream. With a checkpoint there
// is time for that: it says from where the files would go on without.
func (g *guaranteed) adopt(ctx context.Context) {
	begun := time.Now()
	for said := false; ; {
		positions, err := g.edge.Positions(ctx, g.checkpoint.Written())
		for _, p := range positions {
			if e := g.checkpoint.Adopt(p.File, p.At); e != nil {
				g.log.Warn("the stream names a position that is none, it is left out", "error", e)
			}
		}
		g.output.Waiting(err)
		if err == nil || ctx.Err() != nil || !g.checkpoint.Loaded() && time.Since(begun) > unknownFor {
			return
		}
		if !said {
			said = true
			g.log.Warn("files wait until the stream has told how far they are in it", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// close leaves to the next run what was acknowledged. The output has stopped.
func (g *guaranteed) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.watcher != nil {
		g.watcher.Settle()
		g.watcher.Close()
	}
	_ = g.checkpoint.Close(0, 0) // a failed write was warned about; more is sent again
}
