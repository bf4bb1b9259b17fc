package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"logwisp/netio/ingest"
	"logwisp/ring"
	"logwisp/ring/entry"
	"logwisp/ring/parse"
)

// inputBlock is what a sender writes at once: lines of 200 bytes.
var inputBlock = func() []byte {
	var block []byte
	for i := range 256 {
		line := fmt.Appendf(nil, "2026-01-01T12:00:00.%06dZ INFO request served: GET /api/v1/items, status 200, 5120 bytes in 12.5 ms", i)
		block = append(append(append(block, line...), bytes.Repeat([]byte{'x'}, 199-len(line))...), '\n')
	}
	return block
}()

const inputLines = 256 // of inputBlock

// BenchmarkInput is lines that others send over TCP, until they are in the ring.
// memory is the same lines parsed and encoded into pages by one goroutine, without
// a socket: what no reading can save. Both baselines only find the lines: one with bufio.Scanner, as it is mostly
// written, one with as large a buffer, below which nothing can go.
func BenchmarkInput(b *testing.B) {
	b.Run("memory", parseInMemory)
	for _, connections := range []int{1, 100} {
		var scan, split float64
		b.Run(fmt.Sprintf("connections=%d/scanner", connections), func(b *testing.B) {
			r := startSplitter(b, (*splitter).scan)
			scan = sending(b, connections, r.address, r.found.Load)
		})
		b.Run(fmt.Sprintf("connections=%d/split", connections), func(b *testing.B) {
			r := startSplitter(b, (*splitter).split)
			split = sending(b, connections, r.address, r.found.Load)
		})
		b.Run(fmt.Sprintf("connections=%d/logwisp", connections), func(b *testing.B) {
			r := ring.New(ring.Options{Entries: ringOptions.Entries, Bytes: ringOptions.Bytes, Recycle: true})
			s, err := ingest.New([]ingest.Options{{URL: "tcp://127.0.0.1:0", Source: "app.log"}},
				ingest.Settings{Log: slog.New(slog.DiscardHandler)}, r)
			if err != nil {
				b.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- s.Serve() }()
			own := sending(b, connections, s.Stats()[0].Address, func() uint64 { return s.Stats()[0].Entries })
			s.Stop()
			if err := <-served; err != nil {
				b.Fatal(err)
			}
			times(b, scan, own, "x-scanner")
			times(b, split, own, "x-split")
		})
	}
}

// parseInMemory makes entries of inputBlock b.N times over.
func parseInMemory(b *testing.B) {
	r := ring.New(ring.Options{Entries: ringOptions.Entries, Bytes: ringOptions.Bytes, Recycle: true})
	out, source := entry.NewWriter(r.NewBuilder(), nil), r.Source("app.log")
	p := parse.Parser{Own: true}
	micros := time.Now().UnixMicro()
	var lines entry.Splitter
	emit := func(l entry.Line) {
		d := entry.Draft{Text: l.Text, Micros: micros, Source: "app.log", SourceID: source}
		var parsed parse.Result
		if out.Parse(&p, &d, &parsed) {
			out.Write(&d, &parsed)
		}
	}
	b.SetBytes(int64(len(inputBlock)))
	m := startMeter(b)
	b.ResetTimer()
	for range b.N {
		lines.Feed(inputBlock, 1<<20, emit)
		out.Publish()
	}
	b.StopTimer()
	c := m.stop(b)
	per(b, c.process, uint64(b.N)*inputLines, "cpu-ns/line")
	perLine(b, inputLines)
}

// sending has inputBlock sent b.N times over so many connections, waits until
// all lines were counted, and returns ns/line.
func sending(b *testing.B, connections int, address string, counted func() uint64) float64 {
	conns := make([]net.Conn, connections)
	for i := range conns {
		var err error
		if conns[i], err = net.Dial("tcp", address); err != nil {
			b.Fatal(err)
		}
		defer conns[i].Close()
	}
	b.SetBytes(int64(len(inputBlock)))
	m := startMeter(b)
	b.ResetTimer()
	var senders sync.WaitGroup
	for i, c := range conns {
		senders.Go(func() {
			for n := i; n < b.N; n += connections {
				if _, err := c.Write(inputBlock); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	senders.Wait()
	want := uint64(b.N) * inputLines
	for end := time.Now().Add(time.Minute); counted() < want; time.Sleep(50 * time.Microsecond) {
		if time.Now().After(end) {
			b.Fatalf("%d of %d lines were counted", counted(), want)
		}
	}
	b.StopTimer()
	c := m.stop(b)
	per(b, c.process, want, "cpu-ns/line")
	b.ReportMetric(float64(c.allocs)/float64(want), "allocs/line")
	rate(b, want, b.Elapsed(), "lines/s")
	return perLine(b, inputLines)
}

// splitter accepts connections and counts the lines that come.
type splitter struct {
	address string
	found   atomic.Uint64
}

func startSplitter(b *testing.B, read func(*splitter, io.Reader) error) *splitter {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &splitter{address: ln.Addr().String()}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				if err := read(s, c); err != nil {
					b.Error(err)
				}
			})
		}
	})
	b.Cleanup(func() {
		ln.Close()
		serving.Wait()
	})
	return s
}

func (s *splitter) scan(c io.Reader) error {
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		s.found.Add(1)
	}
	return lines.Err()
}

// split reads to the end. A line that two reads share is one of the second.
func (s *splitter) split(c io.Reader) error {
	buf := make([]byte, splitBytes)
	for {
		n, err := c.Read(buf)
		found := uint64(0)
		for rest := buf[:n]; ; found++ {
			i := bytes.IndexByte(rest, '\n')
			if i < 0 {
				break
			}
			rest = rest[i+1:]
		}
		s.found.Add(found)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
