package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const stopTime = 5 * time.Second // from SIGTERM to SIGKILL

// process is a program that runs while something is measured.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended
}

// start starts cmd in a process group of its own: an interrupt at the terminal
// reaches this program only, which then stops it. The caller stops it too.
func start(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	p := &process{cmd: cmd, exited: make(chan struct{})}
	go func() {
		defer close(p.exited)
		_ = cmd.Wait() // how it ended does not matter: what it did was counted
	}()
	return p, nil
}

// stop ends the process, by its id, and waits for it.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.exited:
	case <-time.After(stopTime):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// processor returns the processor time used so far, user and system.
func (p *process) processor() (time.Duration, error) {
	return processorOf(p.cmd.Process.Pid)
}

// processorOf reads the clock of another process, as clock_getcpuclockid(3) makes
// it: /proc counts in steps of 10 ms.
func processorOf(pid int) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &t); err != nil {
		return 0, fmt.Errorf("read the processor clock of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// processorOfAll is processor with that of the children that run.
func (p *process) processorOfAll() (time.Duration, error) {
	sum, err := p.processor()
	if err != nil {
		return 0, err
	}
	pid := p.cmd.Process.Pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, fmt.Errorf("list the children of process %d: %w", pid, err)
	}
	for _, text := range strings.Fields(string(children)) {
		child, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("list the children of process %d: %w", pid, err)
		}
		used, err := processorOf(child)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// resident returns the memory in use, in bytes.
func (p *process) resident() (int64, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0, fmt.Errorf("read the memory of a process: %w", err)
	}
	_, after, _ := bytes.Cut(text, []byte("VmRSS:"))
	kib, _, _ := strings.Cut(strings.TrimSpace(string(after)), " ")
	n, err := strconv.ParseInt(kib, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the memory of process %d: %w", p.cmd.Process.Pid, err)
	}
	return n << 10, nil
}

const (
	settledFor  = 3 * time.Second  // without a change, the memory has settled
	settleLimit = 20 * time.Second // then it counts as it is
	settleNoise = 64 << 10         // bytes that are no change
)

// settled returns the memory in use once it does not change any more.
func (p *process) settled(ctx context.Context) (int64, error) {
	seen, err := p.resident()
	since, begin := time.Now(), time.Now()
	for err == nil && time.Since(since) < settledFor && time.Since(begin) < settleLimit {
		if err = pause(ctx, 100*time.Millisecond); err != nil {
			break
		}
		var now int64
		if now, err = p.resident(); max(now-seen, seen-now) > settleNoise {
			seen, since = now, time.Now()
		}
	}
	return seen, err
}

// pause lets d pass, which is part of what is measured, or returns when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
