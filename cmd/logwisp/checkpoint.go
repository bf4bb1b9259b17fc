package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"logwisp/tail"
)

// openCheckpoint opens what monitor.checkpoint names; nil for "off". The error
// is a *refusal.
func openCheckpoint(setting string, log *slog.Logger) (*tail.Checkpoint, error) {
	path, err := checkpointPath(setting, os.Getenv)
	if path == "" && err == nil {
		return nil, nil
	}
	var c *tail.Checkpoint
	if err == nil {
		c, err = tail.OpenCheckpoint(path, log)
	}
	if err != nil {
		return nil, &refusal{code: exitConfig, lines: []string{err.Error()}}
	}
	return c, nil
}

// checkpointPath returns the file that a setting means, "" for none. What the
// service manager gives comes before the user's own directory.
func checkpointPath(setting string, getenv func(string) string) (string, error) {
	const name = "checkpoint.json"
	switch setting {
	case "", "off":
		return "", nil
	case "auto":
	default:
		return setting, nil
	}
	if dir, _, _ := strings.Cut(getenv("STATE_DIRECTORY"), ":"); dir != "" {
		return filepath.Join(dir, name), nil
	}
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) { // a relative one is to be ignored
		return filepath.Join(dir, "logwisp", name), nil
	}
	if home := getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "state", "logwisp", name), nil
	}
	return "", errors.New("checkpoint auto: none of STATE_DIRECTORY, XDG_STATE_HOME and HOME is set: name a file with --checkpoint")
}

// returnTime is how long the clients of the run before have to come back
// before what was written meanwhile is read: whoever names no position gets
// only what is read after it came.
const returnTime = time.Second

// awaitClients waits until clients that look for the daemon had time to find
// it, if there is something unread for them from before.
func (d *daemon) awaitClients(ctx context.Context) {
	if !d.checkpoint.Loaded() || d.watcher.Stats().LagBytes == 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(returnTime):
	}
}

// closeCheckpoint leaves to the next run where this one ends. It is called
// when nothing is published any more; what went wrong is said, not fatal.
func (d *daemon) closeCheckpoint() {
	if d.checkpoint == nil || d.ring == nil {
		return
	}
	// The watcher has warned about the write; there is nothing to do about it.
	_ = d.checkpoint.Close(d.ring.Epoch(), d.ring.Head())
}
