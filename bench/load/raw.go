package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// sampleBytes is the size of a sample of the stream: more than fits any cache.
const sampleBytes = 64 << 20

// emitSample writes what a daemon would send of numbered lines, for a server
// that does nothing but send.
func emitSample(o *options) error {
	form := newLineForm(o.lineBytes)
	var out, line []byte
	head := ""
	if o.sse {
		head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
	}
	epoch := time.Now().UnixMilli()
	for seq := uint64(1); len(out) < sampleBytes; seq++ {
		line = form.append(line[:0], seq, 1, time.Now().UnixNano())
		if o.sse {
			out = fmt.Appendf(out, "id: %d-%d\ndata: ", epoch, seq)
		}
		out = appendEntry(entryHead(out, "app.log"), nil, line[:len(line)-1])
		out = append(out, '\n')
		if o.sse {
			out = append(out, '\n')
		}
	}
	if err := os.WriteFile(o.emit, out, 0o644); err != nil {
		return fmt.Errorf("write the sample: %w", err)
	}
	if err := os.WriteFile(o.emit+".head", []byte(head), 0o644); err != nil {
		return fmt.Errorf("write the sample's head: %w", err)
	}
	return nil
}

// measureRaw counts what arrives in -duration once every client has got
// something.
func (b *bench) measureRaw(ctx context.Context) (*report, error) {
	deadline := time.Now().Add(b.o.settle)
	for {
		n := 0
		for i := range b.board.accounted {
			if b.board.accounted[i].Load() > 0 {
				n++
			}
		}
		if n == len(b.board.accounted) {
			break
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return nil, fmt.Errorf("only %d of %d clients have got anything within %v%s", n, b.o.clients, b.o.settle, b.firstFault())
		}
		nap(watchEvery)
	}
	r := &report{
		Protocol: "tcp", Check: "none", Clients: b.o.clients, LineBytes: b.o.lineBytes, Broken: []string{},
	}
	if b.o.sse {
		r.Protocol = "sse"
	}
	if err := b.meter(0); err != nil {
		return nil, err
	}
	b.own = ownCPU()
	delivered, bytes, begin := b.board.delivered.Load(), b.board.bytes.Load(), time.Now()
	for time.Since(begin) < b.o.duration && ctx.Err() == nil {
		nap(b.o.duration - time.Since(begin))
	}
	r.Elapsed = time.Since(begin).Seconds()
	r.Delivered = b.board.delivered.Load() - delivered
	r.Received = b.board.bytes.Load() - bytes
	r.Generator = ownCPU() - b.own
	if err := b.meter(1); err != nil {
		return nil, err
	}
	b.stopReaders()
	r.PerSecond, r.MegaBytes = perSecond(r.Delivered, r.Elapsed), perSecond(r.Received, r.Elapsed)/1e6
	if b.pid != 0 {
		r.addDaemon(b)
	}
	for _, c := range b.clients {
		if c.protocol+c.content > 0 || c.closed {
			r.breaks("client %d: %s %s", c.index, c.firstFault, c.reason)
		}
	}
	return r, nil
}
