package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const shownClients = 20 // in the text report; JSON has them all

// report is the result of a run; its JSON form is what -json prints. Times
// are seconds unless the name says otherwise.
type report struct {
	Protocol  string `json:"protocol"`
	Check     string `json:"check"`
	Clients   int    `json:"clients"`
	Never     int    `json:"clients_never_reading"`
	Stalled   int    `json:"clients_stalled"`
	Rate      int    `json:"rate_wanted"` // lines/s, 0 = flat out
	LineBytes int    `json:"line_bytes"`

	Lines      uint64  `json:"lines_written"`
	Appends    uint64  `json:"appends"`
	Bytes      uint64  `json:"bytes_written"`
	WriteTime  float64 `json:"write_seconds"`
	LineRate   float64 `json:"lines_written_per_second"`
	Elapsed    float64 `json:"elapsed_seconds"` // first line written to last line received
	Delivered  uint64  `json:"delivered"`
	PerSecond  float64 `json:"delivered_per_second"`
	Received   uint64  `json:"bytes_received"`
	MegaBytes  float64 `json:"megabytes_per_second"` // received, 10^6
	Least      uint64  `json:"delivered_min_per_client"`
	Most       uint64  `json:"delivered_max_per_client"`
	Dropped    uint64  `json:"dropped"`             // announced, or on plain TCP missing
	Gaps       uint64  `json:"missing_unannounced"` // lines lost without a notice
	Duplicates uint64  `json:"duplicates"`
	Disorder   uint64  `json:"order_errors"`
	Mismatches uint64  `json:"drop_count_errors"`
	Content    uint64  `json:"content_errors"`
	Protocols  uint64  `json:"protocol_errors"`
	Heartbeats uint64  `json:"heartbeats"`

	Turns     *turns         `json:"never_reading_in_turns,omitempty"`
	Latency   latency        `json:"latency_ms"`
	Lossy     []clientReport `json:"clients_with_losses,omitempty"`
	Daemon    *daemonReport  `json:"daemon,omitempty"`
	Generator float64        `json:"generator_cpu_seconds"`
	Status    *totals        `json:"status_totals,omitempty"` // since the run began

	Broken []string `json:"broken"`
}

// latency is from write to receipt, in ms; steady clients only.
type latency struct {
	Samples int64   `json:"samples"`
	OneIn   uint64  `json:"one_in"`
	P50     float64 `json:"p50"`
	P90     float64 `json:"p90"`
	P99     float64 `json:"p99"`
	P999    float64 `json:"p99_9"`
	Max     float64 `json:"max"`
}

// clientReport is a client that did not get everything.
type clientReport struct {
	Client    int    `json:"client"`
	Stalled   bool   `json:"stalled,omitempty"`
	Delivered uint64 `json:"delivered"`
	Dropped   uint64 `json:"dropped"`
	Short     uint64 `json:"not_accounted,omitempty"` // lines at the end neither received nor announced
	Ended     string `json:"ended,omitempty"`
}

// daemonReport is what the run cost the daemon.
type daemonReport struct {
	CPU        float64 `json:"cpu_seconds"`
	CPUPerM    float64 `json:"cpu_seconds_per_million_delivered"`
	PeakRSS    uint64  `json:"peak_rss_bytes"`
	Writes     int64   `json:"write_calls"` // -1 = not readable
	WritesLine float64 `json:"write_calls_per_delivered_line"`
}

func (r *report) breaks(format string, args ...any) {
	r.Broken = append(r.Broken, fmt.Sprintf(format, args...))
}

// newReport sums up a run whose readers have ended.
func newReport(b *bench, after status) *report {
	o := &b.o
	r := &report{
		Protocol: "tcp", Check: "seq",
		Clients: o.clients, Never: o.never, Stalled: o.stall, Rate: o.rate, LineBytes: o.lineBytes,
		Lines: b.out.written, Appends: b.out.appends, Bytes: b.out.written * uint64(o.lineBytes),
		WriteTime: b.last.Sub(b.first).Seconds(),
		Received:  b.board.bytes.Load(),
		Generator: b.own,
		Turns:     b.turns,
		Broken:    []string{},
	}
	if o.sse {
		r.Protocol = "sse"
	}
	if o.full {
		r.Check = "full"
	}
	r.Elapsed = max(r.WriteTime, time.Unix(0, b.board.lastRead.Load()).Sub(b.first).Seconds())
	r.LineRate = perSecond(r.Lines, r.WriteTime)
	r.addClients(b)
	r.PerSecond = perSecond(r.Delivered, r.Elapsed)
	r.MegaBytes = perSecond(r.Received, r.Elapsed) / 1e6
	r.addLatency(b)
	if b.pid != 0 {
		r.addDaemon(b)
	}
	r.judge(b)
	if b.http {
		r.judgeStatus(b, after)
	}
	return r
}

func perSecond(n uint64, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return float64(n) / seconds
}

func (r *report) addClients(b *bench) {
	r.Least = ^uint64(0)
	for _, c := range b.clients {
		l := &c.ledger
		r.Delivered += l.received
		r.Least = min(r.Least, l.received)
		r.Most = max(r.Most, l.received)
		r.Dropped += l.dropped
		if b.o.announced() {
			r.Gaps += l.lost
		} else {
			r.Dropped += l.lost
		}
		r.Duplicates += l.duplicates
		r.Disorder += l.disorder
		r.Mismatches += l.mismatches
		r.Content += c.content
		r.Protocols += c.protocol
		r.Heartbeats += c.heartbeats
		short := c.short(r.Lines)
		if l.dropped+l.lost+short > 0 || c.closed {
			r.Lossy = append(r.Lossy, clientReport{
				Client: c.index, Stalled: c.role == stalled, Delivered: l.received,
				Dropped: l.dropped + l.lost, Short: short, Ended: c.reason,
			})
		}
	}
}

// short is how many of the lines 1 … n at the end are not accounted for.
func (c *client) short(n uint64) uint64 {
	if done := c.ledger.accounted(); done < n {
		return n - done
	}
	return 0
}

func (r *report) addLatency(b *bench) {
	all := hdrhistogram.New(latencyLow, latencyHigh, 3)
	for _, rd := range b.readers {
		all.Merge(rd.latency)
	}
	ms := func(q float64) float64 { return float64(all.ValueAtQuantile(q)) / 1e6 }
	r.Latency = latency{
		Samples: all.TotalCount(), OneIn: b.session.every,
		P50: ms(50), P90: ms(90), P99: ms(99), P999: ms(99.9), Max: float64(all.Max()) / 1e6,
	}
}

func (r *report) addDaemon(b *bench) {
	d := &daemonReport{CPU: b.usage[1].cpu - b.usage[0].cpu, PeakRSS: b.usage[1].peak, Writes: -1}
	if b.usage[1].writes >= 0 && b.usage[0].writes >= 0 {
		d.Writes = b.usage[1].writes - b.usage[0].writes
	}
	if n := float64(r.Delivered); n > 0 {
		d.CPUPerM = d.CPU / n * 1e6
		d.WritesLine = float64(max(d.Writes, 0)) / n
	}
	r.Daemon = d
}

// writeJSON prints the report as one indented JSON object.
func (r *report) writeJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
