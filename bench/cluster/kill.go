package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// writer appends numbered lines to the log of an edge, and rotates it.
type writer struct {
	name    string
	path    string
	written atomic.Int64
}

const rotateEvery = 7 * time.Second

// appendMessage appends what line n of a writer says.
func appendMessage(dst []byte, name string, n uint64) []byte {
	return fmt.Appendf(dst, "%s %09d a line of about one hundred bytes, as an application writes them when it has something to say", name, n)
}

// warming is what is written until it comes through.
const warming = "warming up"

// run writes at a rate until ctx ends. The rate is kept on the average.
func (w *writer) run(ctx context.Context, rate int) error {
	f, err := os.OpenFile(w.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { f.Close() }()
	begun, rotated := time.Now(), time.Now()
	var b []byte
	for ctx.Err() == nil {
		due := int64(time.Since(begun).Seconds() * float64(rate))
		b = b[:0]
		n := w.written.Load()
		for ; n < due; n++ {
			b = append(appendMessage(b, w.name, uint64(n)), '\n')
		}
		if _, err := f.Write(b); err != nil {
			return err
		}
		w.written.Store(n)
		if time.Since(rotated) > rotateEvery {
			rotated = time.Now()
			f.Close()
			if err := os.Rename(w.path, fmt.Sprintf("%s.%d", w.path, rotated.UnixNano())); err != nil {
				return err
			}
			if f, err = os.OpenFile(w.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// runKill kills one part of each kind while lines flow.
func runKill(ctx context.Context, o *options, round int, dir string) error {
	c, err := newCluster(o, dir, o.servers, 2, 2)
	if err != nil {
		return err
	}
	defer c.stop()
	client := newClient(c.urls)
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		client.run(reading)
	}()
	if err := warm(ctx, c, client); err != nil {
		return fmt.Errorf("%w\n%s", err, c.say())
	}
	writing, stopWriting := context.WithTimeout(ctx, o.duration)
	defer stopWriting()
	writers := make([]*writer, len(c.logs))
	failed := make(chan error, len(writers))
	for i, path := range c.logs {
		writers[i] = &writer{name: filepath.Base(filepath.Dir(path)), path: path}
		go func() { failed <- writers[i].run(writing, o.rate/len(writers)) }()
	}
	err = killEach(writing, o, round, c, client)
	for range writers {
		if e := <-failed; e != nil {
			err = e
		}
	}
	if err != nil {
		return err
	}
	var want int64
	for _, w := range writers {
		want += w.written.Load()
	}
	quiet := 0
	for last := int64(-1); client.lines.Load() < want && quiet < 300; time.Sleep(100 * time.Millisecond) {
		if n := client.lines.Load(); n == last {
			quiet++
		} else {
			last, quiet = n, 0
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	time.Sleep(time.Second) // what came twice would come now
	stopReading()
	<-ended
	lost := want - client.distinct(writers)
	fmt.Printf("round %d: written %d, received %d, lost = %d, duplicated = %d, notices %d, the client went to another hub %d times\n",
		round, want, client.lines.Load(), lost, client.again, client.notices, client.moves)
	if lost != 0 || client.again != 0 || client.notices != 0 {
		return &verdict{fmt.Sprintf("lines were lost or came twice: %s\n%s", client.first, c.say())}
	}
	return nil
}

// warm waits until a line of each edge has come through.
func warm(ctx context.Context, c *cluster, client *client) error {
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end) && ctx.Err() == nil; {
		for _, path := range c.logs {
			f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				return err
			}
			_, _ = f.WriteString(warming + "\n")
			f.Close()
		}
		time.Sleep(250 * time.Millisecond)
		if client.warm(len(c.edges)) {
			return nil
		}
	}
	return fmt.Errorf("nothing comes through the stream")
}

// killEach kills a server, an edge and the hub that the client is at, and starts
// them again.
func killEach(ctx context.Context, o *options, round int, c *cluster, client *client) error {
	step := o.duration / 5
	wait := func(d time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}
	for _, kill := range []func() *process{
		func() *process { return c.servers[round%len(c.servers)] },
		func() *process { return c.edges[round%len(c.edges)] },
		func() *process { return c.hubs[client.at.Load()] },
	} {
		wait(step)
		p := kill()
		p.kill()
		fmt.Printf("  killed %s after %d lines\n", p.name, client.lines.Load())
		wait(step / 3)
		if err := p.start(); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}
