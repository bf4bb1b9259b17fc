package main

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"logwisp/netio"
	"logwisp/netio/forward"
	"logwisp/netio/ingest"
	"logwisp/netio/nats"
	"logwisp/netio/web"
	"logwisp/ring"
	"logwisp/tail"
)

// reading is the Stats of all parts, taken for one answer of /metrics.
type reading struct {
	sources    tail.Stats
	inputs     map[string]ingest.Stats // by kind, all of one together
	ring       ring.Stats
	transports []transportReading
	streams    []nats.HubStats // of NATS
	outputs    []forward.Stats
	reloads    map[string]uint64 // of the configuration, by result
	reloaded   bool              // the last of them went well, or there was none
}

type transportReading struct {
	name string
	netio.TransportStats
}

// reading takes the figures of all parts. A server that is disabled has zeros,
// so that no series depends on the configuration.
func (d *daemon) reading() *reading {
	r := &reading{
		sources: d.watcher.Stats(), inputs: ingest.Sum(d.inputs.Stats()), ring: d.ring.Stats(), outputs: d.outputs.stats(), streams: d.hubStats(),
	}
	d.reloads.mu.Lock()
	r.reloads = map[string]uint64{"success": d.reloads.done, "failure": d.reloads.failed}
	r.reloaded = d.reloads.problem == ""
	d.reloads.mu.Unlock()
	tcp, sse := netio.ZeroStats(), netio.ZeroStats()
	if d.tcp != nil {
		tcp = d.tcp.Transport().Stats()
	}
	if d.web != nil {
		sse = d.web.Transport().Stats()
	}
	r.transports = []transportReading{{"tcp", tcp}, {"sse", sse}}
	return r
}

// series is one name of /metrics: what it is called, and where its samples come
// from. Labels are of small, fixed sets only: no ids, addresses or paths.
type series struct {
	desc    *prometheus.Desc
	collect func(s *series, r *reading, to chan<- prometheus.Metric)
}

// single is a series without labels.
func single(kind prometheus.ValueType, name, help string, value func(r *reading) uint64) series {
	return series{
		desc: prometheus.NewDesc(name, help, nil, nil),
		collect: func(s *series, r *reading, to chan<- prometheus.Metric) {
			to <- prometheus.MustNewConstMetric(s.desc, kind, float64(value(r)))
		},
	}
}

// labelled is a series with a sample for each value of one label.
func labelled(name, help, label string, values func(r *reading) map[string]uint64) series {
	return series{
		desc: prometheus.NewDesc(name, help, []string{label}, nil),
		collect: func(s *series, r *reading, to chan<- prometheus.Metric) {
			for value, n := range values(r) {
				to <- prometheus.MustNewConstMetric(s.desc, prometheus.CounterValue, float64(n), value)
			}
		},
	}
}

// per makes series with a sample for each of the parts that visit shows, under
// the name it shows it with.
func per[T any](label string, visit func(r *reading, show func(name string, part *T))) func(kind prometheus.ValueType, name, help string, value func(*T) uint64) series {
	return func(kind prometheus.ValueType, name, help string, value func(*T) uint64) series {
		return series{
			desc: prometheus.NewDesc(name, help, []string{label}, nil),
			collect: func(s *series, r *reading, to chan<- prometheus.Metric) {
				visit(r, func(name string, part *T) {
					to <- prometheus.MustNewConstMetric(s.desc, kind, float64(value(part)), name)
				})
			},
		}
	}
}

var (
	// By the kind of input, all of one together.
	perInput = per("input", func(r *reading, show func(string, *ingest.Stats)) {
		for name, in := range r.inputs {
			show(name, &in)
		}
	})
	// By the streams of NATS that are inputs.
	perStream = per("stream", func(r *reading, show func(string, *nats.HubStats)) {
		seen := make(map[string]int)
		for i := range r.streams {
			name := r.streams[i].Stream
			if seen[name]++; seen[name] > 1 { // of another cluster
				name += "#" + strconv.Itoa(seen[name])
			}
			show(name, &r.streams[i])
		}
	})
	perTransport = per("transport", func(r *reading, show func(string, *netio.TransportStats)) {
		for i := range r.transports {
			show(r.transports[i].name, &r.transports[i].TransportStats)
		}
	})
	// By the names of outputs.
	perOutput = per("output", func(r *reading, show func(string, *forward.Stats)) {
		for i := range r.outputs {
			show(r.outputs[i].Name, &r.outputs[i])
		}
	})
)

// perReason is a series with a sample for each transport and reason.
func perReason(name, help string, values func(t *netio.TransportStats) map[string]uint64) series {
	return series{
		desc: prometheus.NewDesc(name, help, []string{"transport", "reason"}, nil),
		collect: func(s *series, r *reading, to chan<- prometheus.Metric) {
			for i := range r.transports {
				t := &r.transports[i]
				for reason, n := range values(&t.TransportStats) {
					to <- prometheus.MustNewConstMetric(s.desc, prometheus.CounterValue, float64(n), t.name, reason)
				}
			}
		},
	}
}

// latencySeries is the histogram.
func latencySeries(name, help string) series {
	return series{
		desc: prometheus.NewDesc(name, help, []string{"transport"}, nil),
		collect: func(s *series, r *reading, to chan<- prometheus.Metric) {
			for i := range r.transports {
				t := &r.transports[i]
				buckets, sum := make(map[float64]uint64), uint64(0)
				for b, bound := range netio.LatencyBounds {
					sum += t.Latency.Counts[b]
					buckets[bound.Seconds()] = sum
				}
				sum += t.Latency.Counts[len(netio.LatencyBounds)]
				to <- prometheus.MustNewConstHistogram(s.desc, sum, t.Latency.Sum.Seconds(), buckets, t.name)
			}
		},
	}
}

// buildSeries is a constant 1 whose labels say what is running.
func buildSeries() series {
	revision := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return series{
		desc: prometheus.NewDesc("logwisp_build_info", "What is running; the value is always 1.",
			[]string{"version", "revision", "goversion"}, nil),
		collect: func(s *series, _ *reading, to chan<- prometheus.Metric) {
			to <- prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, 1, buildVersion(), revision, runtime.Version())
		},
	}
}

// collector is a prometheus.Collector of the daemon's series.
type collector struct {
	read   func() *reading
	series []series
}

func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for i := range c.series {
		to <- c.series[i].desc
	}
}

// Collect reads all parts once, so that the figures of one answer are of one
// moment.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	r := c.read()
	for i := range c.series {
		c.series[i].collect(&c.series[i], r, to)
	}
}

// newRegistry returns all that /metrics shows: the daemon's figures, and those
// of the Go runtime and the process.
func newRegistry(read func() *reading) (*prometheus.Registry, error) {
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		&collector{read, allSeries()},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return registry, nil
}

// exposition returns what answers GET /metrics.
func exposition(g prometheus.Gatherer) func(accept string) (web.Metrics, error) {
	return func(accept string) (web.Metrics, error) {
		families, err := g.Gather()
		if err != nil {
			return web.Metrics{}, err
		}
		format := expfmt.NegotiateAccept(http.Header{"Accept": {accept}}, expfmt.DefaultAcceptedFormats()...)
		var body bytes.Buffer
		e := expfmt.NewEncoder(&body, format)
		for _, f := range families {
			if err := e.Encode(f); err != nil {
				return web.Metrics{}, fmt.Errorf("encode %s: %w", f.GetName(), err)
			}
		}
		return web.Metrics{Body: body.Bytes(), ContentType: string(format)}, nil
	}
}
