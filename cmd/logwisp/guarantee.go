package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"

	"logwisp/netio/forward"
	"logwisp/ring"
	"logwisp/tail"
)

// A guaranteed output has files, ring and checkpoint of its own: it reads as
// far as its counterpart acknowledges, goes on there after a stop or a crash,
// and holds back nobody but itself.
type guaranteed struct {
	checkpoint *tail.Checkpoint
	ring       *ring.Ring
	watcher    *tail.Watcher
	output     *forward.Output
}

// guaranteedRing is the memory of what is read and not acknowledged yet.
const guaranteedRing = 32 << 20

// newGuaranteed makes the parts of one; nothing is read before run. The error is
// a *refusal.
func newGuaranteed(o forward.Options, s *settings, log *slog.Logger) (*guaranteed, error) {
	name := o.Label()
	log = log.With("output", name)
	path, err := guaranteePath(s.Monitor.Checkpoint, name, os.Getenv)
	g := &guaranteed{}
	if err == nil {
		g.checkpoint, err = tail.OpenCheckpoint(path, log)
	}
	if err == nil && !g.checkpoint.Kept() {
		err = fmt.Errorf("checkpoint %s cannot be written: make its directory writable for the daemon's user", path)
	}
	if err == nil {
		bytes := max(guaranteedRing, 16*s.Monitor.MaxLineBytes)
		g.ring = ring.New(ring.Options{Entries: 1 << 14, Bytes: bytes, Recycle: true})
		g.output, err = forward.New(o, g.ring, false, log)
	}
	if err == nil {
		monitor := s.Monitor
		monitor.Filter, monitor.Acked = s.Filter, g.output.Acked
		g.watcher, err = tail.Resume(g.checkpoint, monitor, g.ring, log)
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

// read reads files for the output until ctx ends.
func (g *guaranteed) read(ctx context.Context) error { return g.watcher.Run(ctx) }

// close leaves to the next run what was acknowledged. The output has stopped.
func (g *guaranteed) close() {
	g.watcher.Settle()
	g.watcher.Close()
	_ = g.checkpoint.Close(0, 0) // a failed write was warned about; more is sent again
}
