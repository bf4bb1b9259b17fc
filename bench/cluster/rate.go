package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"logwisp/bench/freeport"
)

// ahead is how far the writer may be before the slowest client, in lines.
const ahead = 64 << 10

// runRate has the lines of one file reach clients of one machine, and clients of
// a hub behind a stream.
func runRate(ctx context.Context, o *options, round int, dir string) error {
	one := filepath.Join(dir, "one")
	if err := os.MkdirAll(one, 0o700); err != nil {
		return err
	}
	port, err := freeport.One()
	if err != nil {
		return err
	}
	single := &process{name: "single", bin: o.bin, dir: dir, args: []string{
		"--enable-tcp", "--tcp-port", port, "--tcp-host", "127.0.0.1", "--http-port", "0", "--http-host", "127.0.0.1", one,
	}}
	if err := single.start(); err != nil {
		return err
	}
	defer single.kill()
	if err := answers(port, 15*time.Second); err != nil {
		return err
	}
	alone, err := deliver(ctx, o, filepath.Join(one, "app.log"), port)
	single.kill()
	if err != nil {
		return fmt.Errorf("one machine: %w", err)
	}
	c, err := newCluster(o, dir, 1, 1, 1)
	if err != nil {
		return err
	}
	defer c.stop()
	parts := []*process{c.edges[0], c.servers[0], c.hubs[0]}
	var used []time.Duration
	for _, p := range parts {
		used = append(used, p.used())
	}
	through, err := deliver(ctx, o, c.logs[0], c.tcp[0])
	if err != nil {
		return fmt.Errorf("through a stream: %w\n%s", err, c.say())
	}
	for i, p := range parts {
		fmt.Printf("  %s: %.2f s of processor for a million lines\n", p.name, (p.used()-used[i]).Seconds()/float64(o.lines)*1e6)
	}
	fmt.Printf("round %d: %d clients, lines/s of each: one machine %.0f, edge to stream to hub %.0f, ratio %.2f\n",
		round, o.clients, alone, through, through/alone)
	return nil
}

// deliver has all lines reach all clients and returns how many a second reached
// each.
func deliver(ctx context.Context, o *options, path, port string) (float64, error) {
	counts := make([]atomic.Int64, o.clients)
	var reading sync.WaitGroup
	var conns []net.Conn
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
		reading.Wait()
	}()
	for i := range o.clients {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			return 0, err
		}
		conns = append(conns, conn)
		reading.Go(func() {
			b := make([]byte, 256<<10)
			for {
				n, err := conn.Read(b)
				counts[i].Add(int64(bytes.Count(b[:n], []byte("\n"))))
				if err != nil {
					return
				}
			}
		})
	}
	slowest := func() int64 {
		least := counts[0].Load()
		for i := range counts {
			least = min(least, counts[i].Load())
		}
		return least
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	before := int64(0)
	for end := time.Now().Add(60 * time.Second); before == 0; { // a line has come through
		if time.Now().After(end) {
			return 0, fmt.Errorf("nothing comes through")
		}
		_, _ = f.WriteString(warming + "\n")
		time.Sleep(300 * time.Millisecond)
		before = slowest()
	}
	time.Sleep(time.Second)
	before = slowest()
	begun := time.Now()
	if err := feed(ctx, f, o.lines, func() int64 { return slowest() - before }); err != nil {
		return 0, err
	}
	for end := time.Now().Add(60 * time.Second); slowest()-before < int64(o.lines); time.Sleep(time.Millisecond) {
		if time.Now().After(end) || ctx.Err() != nil {
			return 0, fmt.Errorf("%d of %d lines came", slowest()-before, o.lines)
		}
	}
	return float64(o.lines) / time.Since(begun).Seconds(), nil
}

// feed writes lines of 200 bytes, at most ahead of what the slowest client has of
// them. It gives up when nothing more comes for a minute.
func feed(ctx context.Context, f *os.File, lines int, came func() int64) error {
	line := append(bytes.Repeat([]byte("x"), 199), '\n')
	block := bytes.Repeat(line, 500)
	for written, seen, moved := 0, came(), time.Now(); written < lines; {
		if now := came(); now > seen {
			seen, moved = now, time.Now()
		}
		if ctx.Err() != nil || time.Since(moved) > 60*time.Second {
			return fmt.Errorf("%d of %d lines came", seen, lines)
		}
		if int64(written)-seen > ahead {
			time.Sleep(200 * time.Microsecond)
			continue
		}
		if _, err := f.Write(block); err != nil {
			return err
		}
		written += 500
	}
	return nil
}
