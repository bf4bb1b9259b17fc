package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// tools are the programs that the rows drive, and where they work.
type tools struct {
	root     string // of the module
	logwisp  string
	profiled string
	load     string
	nats     string
	dir      string // temporary

	logs map[string]uint64 // lines of the logs made in dir
}

// loaded is what a run of the load generator printed.
type loaded struct {
	LineRate  float64 `json:"lines_written_per_second"`
	PerSecond float64 `json:"delivered_per_second"`
	Dropped   uint64  `json:"dropped"`
	Turns     struct {
		With    float64 `json:"delivered_per_second_with"`
		Without float64 `json:"delivered_per_second_without"`
		Count   int     `json:"turns"`
	} `json:"never_reading_in_turns"`
	Daemon struct {
		CPUPerM float64 `json:"cpu_seconds_per_million_delivered"`
		PeakRSS float64 `json:"peak_rss_bytes"`
	} `json:"daemon"`
	Broken []string `json:"broken"`
}

// generate runs the load generator to its end. A run that dropped lines is an
// error. env is added to the environment of generator and daemon.
func (t *tools) generate(ctx context.Context, env []string, args ...string) (loaded, error) {
	all := append([]string{"-json", "-progress=false", "-check", "seq"}, args...)
	out, err := t.command(ctx, t.dir, env, t.load, all...)
	var l loaded
	if decode := json.Unmarshal(out, &l); decode != nil {
		return l, errors.Join(err, decode)
	}
	switch {
	case len(l.Broken) > 0:
		return l, errors.New(l.Broken[0])
	case l.Dropped > 0:
		return l, fmt.Errorf("%d lines dropped", l.Dropped)
	}
	return l, err
}

// commandEnd is how long a program may take to end when it is told to. The load
// generator has a daemon to stop by then, which nobody else would.
const commandEnd = 45 * time.Second

// command runs a program to its end and returns what it printed.
func (t *tools) command(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = commandEnd
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(errors.String()))
	}
	return out, err
}

// find returns the path of a program, or errMissing and the package it is in.
func find(name, in string) (string, error) {
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s (package %s): %w", name, in, errMissing)
}

// raiseFileLimit lifts the soft limit of open files to the hard one.
func raiseFileLimit() error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	l.Cur = l.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("raise the limit of open files to %d: %w", l.Max, err)
	}
	return nil
}

// until calls done every so often until it is true, an error or too late.
func until(ctx context.Context, what string, patience time.Duration, done func() (bool, error)) error {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return fmt.Errorf("waited %v in vain until %s", patience, what)
		case <-tick.C:
		}
	}
}
