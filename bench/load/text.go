package main

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// writeText prints the report for people.
func (r *report) writeText(w io.Writer) error {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	rate := "flat out"
	if r.Rate > 0 {
		rate = fmt.Sprintf("%d lines/s", r.Rate)
	}
	p("run        %s, %d clients (%d stalled, %d more never reading), %s, %d-byte lines, check %s",
		r.Protocol, r.Clients, r.Stalled, r.Never, rate, r.LineBytes, r.Check)
	p("written    %d lines, %d bytes, %d appends in %.3f s: %.0f lines/s", r.Lines, r.Bytes, r.Appends, r.WriteTime, r.LineRate)
	p("delivered  %d lines in %.3f s: %.0f lines/s, %.1f MB/s", r.Delivered, r.Elapsed, r.PerSecond, r.MegaBytes)
	p("per client %d to %d lines", r.Least, r.Most)
	if t := r.Turns; t != nil {
		p("in turns   %.0f lines/s with those that never read, %.0f without, %d turns", t.With, t.Without, t.Count)
	}
	p("dropped    %d lines", r.Dropped)
	for i, c := range r.Lossy {
		if i == shownClients {
			p("           … %d clients more", len(r.Lossy)-i)
			break
		}
		role, ended := "", ""
		if c.Stalled {
			role = " (stalled)"
		}
		if c.Ended != "" {
			ended = ", ended: " + c.Ended
		}
		p("           client %d%s: %d delivered, %d dropped, %d not accounted for%s", c.Client, role, c.Delivered, c.Dropped, c.Short, ended)
	}
	p("faults     %d missing without notice, %d duplicates, %d out of order, %d wrong drop counts, %d wrong content, %d protocol",
		r.Gaps, r.Duplicates, r.Disorder, r.Mismatches, r.Content, r.Protocols)
	l := r.Latency
	p("latency    p50 %.3f  p90 %.3f  p99 %.3f  p99.9 %.3f  max %.3f ms (%d samples, one line in %d)", l.P50, l.P90, l.P99, l.P999, l.Max, l.Samples, l.OneIn)
	if d := r.Daemon; d != nil {
		p("daemon     %.2f CPU s, %.3f per million delivered, peak memory %.1f MiB", d.CPU, d.CPUPerM, float64(d.PeakRSS)/(1<<20))
		if d.Writes >= 0 {
			p("           %d write calls, %.4f per delivered line", d.Writes, d.WritesLine)
		}
	}
	p("generator  %.2f CPU s, %d heartbeats received", r.Generator, r.Heartbeats)
	if t := r.Status; t != nil {
		p("/status    offered %d = delivered %d + filtered %d + dropped %d (since the run began, probe lines too)", t.Offered, t.Delivered, t.Filtered, t.Dropped)
	}
	for _, s := range r.Broken {
		p("BROKEN     %s", s)
	}
	if len(r.Broken) == 0 {
		p("ok         all invariants held")
	}
	_, err := w.Write(b.Bytes())
	return err
}

// showProgress prints a line a second until done is closed.
func showProgress(w io.Writer, b *board, lineBytes int, done <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	start := time.Now()
	var written, delivered uint64
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		nowWritten, nowDelivered := b.written.Load(), b.delivered.Load()
		behind := uint64(0)
		if low := b.slowest(); low < nowWritten {
			behind = (nowWritten - low) * uint64(lineBytes)
		}
		fmt.Fprintf(w, "%4.0fs  written %d (+%d/s)  delivered %d (+%d/s)  slowest %.1f MiB behind\n",
			time.Since(start).Seconds(), nowWritten, nowWritten-written, nowDelivered, nowDelivered-delivered, float64(behind)/(1<<20))
		written, delivered = nowWritten, nowDelivered
	}
}
