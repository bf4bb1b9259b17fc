package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"logwisp/netio"
	"logwisp/netio/forward"
	"logwisp/netio/ingest"
	"logwisp/netio/nats"
	"logwisp/ring"
	"logwisp/tail"
)

var inputKinds = []string{"http", "stdin", "syslog+tcp", "syslog+udp", "tcp", "tls", "unix"}

// allNames are the series of the daemon with their labels but transport, each
// with the values it may have.
var allNames = map[string]map[string][]string{
	"logwisp_build_info":                      {"version": nil, "revision": nil, "goversion": nil},
	"logwisp_source_files":                    {},
	"logwisp_source_read_bytes_total":         {},
	"logwisp_source_lag_bytes":                {},
	"logwisp_source_rotations_total":          {"kind": {"recreate", "rename", "truncate"}},
	"logwisp_source_lost_bytes_total":         {},
	"logwisp_source_errors_total":             {"op": {"checkpoint", "open", "read", "stat"}},
	"logwisp_entries_total":                   {"level": {"debug", "error", "fatal", "info", "trace", "unknown", "warn"}},
	"logwisp_entries_truncated_total":         {},
	"logwisp_input_connections":               {"input": inputKinds},
	"logwisp_input_accepted_total":            {"input": inputKinds},
	"logwisp_input_received_bytes_total":      {"input": inputKinds},
	"logwisp_input_entries_total":             {"input": inputKinds},
	"logwisp_input_refused_connections_total": {"input": inputKinds},
	"logwisp_input_rejected_lines_total":      {"input": inputKinds},
	"logwisp_input_lost_datagrams_total":      {"input": inputKinds},
	"logwisp_stream_messages_total":           {"stream": {"LOGS"}},
	"logwisp_stream_lost_messages_total":      {"stream": {"LOGS"}},
	"logwisp_stream_reconnects_total":         {"stream": {"LOGS"}},
	"logwisp_stream_pending_messages":         {"stream": {"LOGS"}},
	"logwisp_ring_entries":                    {},
	"logwisp_ring_bytes":                      {},
	"logwisp_clients":                         {"transport": {"sse", "tcp"}},
	"logwisp_client_connections_total":        {"transport": {"sse", "tcp"}},
	"logwisp_client_disconnects_total": {
		"transport": {"sse", "tcp"}, "reason": {"closed", "error", "flood", "hello", "kicked", "limit", "server_shutdown", "slow"},
	},
	"logwisp_client_rejections_total": {"transport": {"sse", "tcp"}, "reason": {"acl", "error", "full", "rate", "stopping", "tls", "token"}},
	"logwisp_client_max_lag_entries":  {"transport": {"sse", "tcp"}},

	"logwisp_output_sent_entries_total":     {"output": {"hub"}},
	"logwisp_output_sent_bytes_total":       {"output": {"hub"}},
	"logwisp_output_retries_total":          {"output": {"hub"}},
	"logwisp_output_dropped_entries_total":  {"output": {"hub"}},
	"logwisp_output_filtered_entries_total": {"output": {"hub"}},
	"logwisp_output_lag_entries":            {"output": {"hub"}},
	"logwisp_config_reloads_total":          {"result": {"failure", "success"}},
	"logwisp_config_last_reload_successful": {},
	"logwisp_delivered_entries_total":       {"transport": {"sse", "tcp"}},
	"logwisp_delivered_bytes_total":         {"transport": {"sse", "tcp"}},
	"logwisp_dropped_entries_total":         {"transport": {"sse", "tcp"}, "reason": {"gap", "lagged", "sampled"}},
	"logwisp_filtered_entries_total":        {"transport": {"sse", "tcp"}},
	"logwisp_delivery_latency_seconds":      {"transport": {"sse", "tcp"}},
}

// emptyReading is that of a daemon that has done nothing.
func emptyReading(t *testing.T) *reading {
	r := ring.New(ring.Options{Entries: 4, Bytes: 1 << 16})
	w, err := tail.New(tail.Options{
		CheckInterval: 100, MaxLineBytes: 1 << 10, MaxFiles: 10, Watch: "poll",
		Targets: []tail.Target{{Path: filepath.Join(t.TempDir(), "none.log"), IsFile: true}},
	}, r, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return &reading{
		w.Stats(), ingest.Sum(nil), r.Stats(),
		[]transportReading{{"tcp", netio.ZeroStats()}, {"sse", netio.ZeroStats()}},
		[]nats.HubStats{{Stream: "LOGS"}},
		[]forward.Stats{{Name: "hub"}},
		map[string]uint64{"success": 0, "failure": 0},
		true,
	}
}

func TestMetricsAreNamedAsIsCustomary(t *testing.T) {
	empty := emptyReading(t)
	registry, err := newRegistry(func() *reading { return empty })
	if err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "logwisp_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestEverySeriesIsThereFromTheStartAndNoOther(t *testing.T) {
	empty := emptyReading(t)
	registry, err := newRegistry(func() *reading { return empty })
	if err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, f := range families {
		name := f.GetName()
		found[name] = true
		want, known := allNames[name]
		if !known {
			if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
				t.Errorf("there is an unknown series %s", name)
			}
			continue
		}
		values, samples := make(map[string][]string), 1
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				values[l.GetName()] = append(values[l.GetName()], l.GetValue())
			}
		}
		for label, all := range want {
			samples *= max(1, len(all))
			got := slices.Compact(slices.Sorted(slices.Values(values[label])))
			if all != nil && !slices.Equal(got, all) {
				t.Errorf("%s: %s is one of %q, want %q", name, label, got, all)
			}
		}
		if len(values) != len(want) || len(f.GetMetric()) != samples {
			t.Errorf("%s has labels %q and %d samples, want %d", name, slices.Collect(maps.Keys(values)), len(f.GetMetric()), samples)
		}
	}
	for name := range allNames {
		if !found[name] {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if !found[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestLatencyIsACumulativeHistogramInSeconds(t *testing.T) {
	r := emptyReading(t)
	l := &r.transports[0].Latency
	l.Counts[0], l.Counts[1], l.Counts[16], l.Sum = 3, 2, 1, 12_500_000_000
	registry, err := newRegistry(func() *reading { return r })
	if err != nil {
		t.Fatal(err)
	}
	m, err := exposition(registry)("")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`_bucket{transport="tcp",le="0.0001"} 3`, `_bucket{transport="tcp",le="0.00025"} 5`,
		`_bucket{transport="tcp",le="10"} 5`, `_bucket{transport="tcp",le="+Inf"} 6`,
		`_sum{transport="tcp"} 12.5`, `_count{transport="tcp"} 6`, `_count{transport="sse"} 0`,
	} {
		if line := "\nlogwisp_delivery_latency_seconds" + want + "\n"; !strings.Contains(string(m.Body), line) {
			t.Errorf("there is no line %q", strings.TrimSpace(line))
		}
	}
	if !strings.HasPrefix(m.ContentType, "text/plain; version=0.0.4") {
		t.Errorf("the type is %s", m.ContentType)
	}
	if text := regexp.MustCompile(`(?m)^logwisp_delivery.*$`).FindAllString(string(m.Body), -1); len(text) != 2*19 {
		t.Errorf("the histograms have %d lines, want 38", len(text))
	}
}

func TestReadinessFollowsThePhaseAndAFailedPartIsNotAlive(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := new(settings)
	s.Monitor = tail.Options{
		CheckInterval: 100, MaxLineBytes: 1 << 10, MaxFiles: 10, Watch: "poll", Checkpoint: "off",
		Targets: []tail.Target{{Path: dir, Pattern: "*.log"}},
	}
	d, err := newDaemon(s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	says := func(ready, alive string) {
		t.Helper()
		if r, a := strings.Join(d.ready(), "; "), strings.Join(d.alive(), "; "); r != ready || a != alive {
			t.Errorf("ready %q, alive %q, want %q and %q", r, a, ready, alive)
		}
	}
	says("the daemon is starting", "")
	d.phase.Store(running)
	says("", "")
	d.failure.Store(new(errors.New("accept: no more")))
	says("accept: no more", "accept: no more")
	if told := strings.Join(d.pulse(), "\n"); told != "STATUS=accept: no more" {
		t.Errorf("the service manager is told %q while a part has failed", told)
	}
	d.failure.Store(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.run(ctx); err != nil {
		t.Fatal(err)
	}
	says("the daemon is stopping", "")
}
