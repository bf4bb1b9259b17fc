package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// result is what one run of the load generator printed.
type result struct {
	PerSecond float64 `json:"delivered_per_second"`
	MegaBytes float64 `json:"megabytes_per_second"`
	Dropped   uint64  `json:"dropped"`
	Delivered uint64  `json:"delivered"`
	Latency   struct {
		P50 float64 `json:"p50"`
		P99 float64 `json:"p99"`
	} `json:"latency_ms"`
	Daemon struct {
		CPUPerM float64 `json:"cpu_seconds_per_million_delivered"`
		PeakRSS float64 `json:"peak_rss_bytes"`
	} `json:"daemon"`
	Broken []string `json:"broken"`
}

// system is one thing compared.
type system struct {
	name, proto string
	most        int // clients it can have, 0 = any number
	run         func(ctx context.Context, clients, rate int) (result, error)
}

// systems lists what is compared at a rate. The limit knows no rate.
func (t *tools) systems(rate int) []system {
	var all []system
	for _, proto := range []string{"tcp", "sse"} {
		all = append(all, system{name: "LogWisp", proto: proto, run: func(ctx context.Context, c, rate int) (result, error) {
			return t.generate(ctx, c, rate, "-bin", t.logwisp, "-proto", proto)
		}})
		if rate > 0 {
			continue
		}
		for _, size := range []int{64 << 10, 256 << 10} {
			all = append(all, system{name: fmt.Sprintf("limit, %d KiB writes", size>>10), proto: proto, run: func(ctx context.Context, c, _ int) (result, error) {
				return t.bestLimit(ctx, c, size, proto)
			}})
		}
	}
	if rate == 0 {
		all = append(all, system{name: "copy of the file", proto: "tcp", most: 1, run: t.copyRun})
	}
	return append(all, t.peerSystems()...)
}

// copyRun lets the limit copy the file to the client, byte for byte: what a
// streamer could reach that does nothing to a line. It has no other client.
func (t *tools) copyRun(ctx context.Context, clients, rate int) (result, error) {
	return t.forward(ctx, clients, rate, func(_, file, port string) ([]string, error) {
		return []string{t.limit, "-a", file, "-p", port, "-w", strconv.Itoa(256 << 10)}, nil
	})
}

// generate runs the load generator.
func (t *tools) generate(ctx context.Context, clients, rate int, target ...string) (result, error) {
	args := []string{
		"-json", "-progress=false", "-clients", strconv.Itoa(clients), "-rate", strconv.Itoa(rate),
		"-duration", t.duration.String(),
	}
	if rate == 0 {
		args = append(args, "-check", "seq") // the readers must not be what is measured
	}
	out, err := t.command(ctx, t.load, append(args, target...)...) // it may end with a command
	var r result
	if decode := json.Unmarshal(out, &r); decode != nil {
		return r, errors.Join(err, decode)
	}
	switch {
	case len(r.Broken) > 0:
		return r, fmt.Errorf("void: %s", r.Broken[0])
	case r.Dropped > 0:
		return r, fmt.Errorf("void: %d lines dropped", r.Dropped)
	}
	return r, err
}

// sendBuffer returns the SO_SNDBUF that LogWisp's sockets have.
func sendBuffer(clients int) int {
	switch {
	case clients > 16:
		return 128 << 10
	case clients > 4:
		return 192 << 10
	}
	return 256 << 10
}

// bestLimit returns the better of one and two sending threads.
func (t *tools) bestLimit(ctx context.Context, clients, size int, proto string) (best result, err error) {
	for threads := 1; threads <= 2; threads++ {
		args := []string{
			"-f", t.samplePath(proto), "-c", strconv.Itoa(clients), "-t", strconv.Itoa(threads),
			"-w", strconv.Itoa(size), "-s", strconv.Itoa(sendBuffer(clients)),
		}
		if proto == "sse" {
			args = append(args, "-h", t.samplePath(proto)+".head")
		}
		sender := exec.CommandContext(ctx, t.limit, args...)
		stdout, err := sender.StdoutPipe()
		if err != nil {
			return best, err
		}
		if err := sender.Start(); err != nil {
			return best, err
		}
		address, err := bufio.NewReader(stdout).ReadString('\n')
		if err == nil {
			address = strings.TrimSpace(address)
			target := []string{"-raw", "-tcp", address}
			if proto == "sse" {
				target = []string{"-raw", "-proto", "sse", "-http", address}
			}
			var r result
			r, err = t.generate(ctx, clients, 0, append(target, "-pid", strconv.Itoa(sender.Process.Pid))...)
			if r.PerSecond > best.PerSecond {
				best = r
			}
		}
		_ = sender.Process.Kill()
		_ = sender.Wait() // it was killed
		if err != nil {
			return best, err
		}
	}
	return best, nil
}

// command runs a program to its end and returns what it printed.
func (t *tools) command(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(errors.String()))
	}
	return out, err
}
