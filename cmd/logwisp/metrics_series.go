package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"logwisp/netio"
	"logwisp/netio/forward"
	"logwisp/netio/ingest"
	"logwisp/netio/nats"
	"logwisp/ring"
)

// allSeries lists what /metrics shows of the daemon.
func allSeries() []series {
	all := append([]series{buildSeries()}, sourceSeries()...)
	all = append(all,
		labelled("logwisp_config_reloads_total", "Times that the configuration was read again, on SIGHUP.", "result",
			func(r *reading) map[string]uint64 { return r.reloads }),
		single(gauge, "logwisp_config_last_reload_successful", "Whether the configuration that is there is in effect.", func(r *reading) uint64 {
			if r.reloaded {
				return 1
			}
			return 0
		}))
	all = append(all, inputSeries()...)
	all = append(all,
		single(gauge, "logwisp_ring_entries", "Entries that the ring holds.", func(r *reading) uint64 { return r.ring.Entries }),
		single(gauge, "logwisp_ring_bytes", "Memory that the entries held take.", func(r *reading) uint64 { return r.ring.Bytes }))
	return append(append(all, clientSeries()...), outputSeries()...)
}

const (
	gauge   = prometheus.GaugeValue
	counter = prometheus.CounterValue
)

func sourceSeries() []series {
	return []series{
		single(gauge, "logwisp_source_files", "Files that are followed.",
			func(r *reading) uint64 { return uint64(r.sources.Files) }),
		single(counter, "logwisp_source_read_bytes_total", "Bytes read from files.",
			func(r *reading) uint64 { return r.sources.ReadBytes }),
		single(gauge, "logwisp_source_lag_bytes", "Bytes in files that are not read yet, as last seen.",
			func(r *reading) uint64 { return uint64(max(0, r.sources.LagBytes)) }),
		labelled("logwisp_source_rotations_total", "Files that were renamed away, replaced in place or deleted.", "kind",
			func(r *reading) map[string]uint64 {
				s := &r.sources
				return map[string]uint64{"rename": s.Renames, "truncate": s.Truncations, "recreate": s.Recreations}
			}),
		single(counter, "logwisp_source_lost_bytes_total", "Bytes known to have been written and not read.",
			func(r *reading) uint64 { return r.sources.LostBytes }),
		labelled("logwisp_source_errors_total", "Tries to open, read or look at a file, or to write the checkpoint, that failed.", "op",
			func(r *reading) map[string]uint64 { return r.sources.Failures }),
		labelled("logwisp_entries_total", "Lines that became entries.", "level", func(r *reading) map[string]uint64 {
			levels := make(map[string]uint64)
			for level, n := range r.sources.Levels {
				for _, in := range r.inputs {
					n += in.Levels[level]
				}
				for i := range r.streams {
					n += r.streams[i].Became.Levels[level]
				}
				name := ring.Level(level).String()
				if name == "" {
					name = "unknown"
				}
				levels[name] = n
			}
			return levels
		}),
		single(counter, "logwisp_entries_truncated_total", "Entries whose line was cut at max_line_bytes.",
			func(r *reading) uint64 {
				n := r.sources.Truncated
				for _, in := range r.inputs {
					n += in.Truncated
				}
				for i := range r.streams {
					n += r.streams[i].Became.Cut
				}
				return n
			}),
	}
}

func inputSeries() []series {
	type stats = ingest.Stats
	return []series{
		perInput(gauge, "logwisp_input_connections", "Connections of senders.",
			func(in *stats) uint64 { return uint64(max(0, in.Connections)) }),
		perInput(counter, "logwisp_input_accepted_total", "Connections, requests or datagrams that were taken.",
			func(in *stats) uint64 { return in.Accepted }),
		perInput(counter, "logwisp_input_received_bytes_total", "Bytes received from senders.",
			func(in *stats) uint64 { return in.Bytes }),
		perInput(counter, "logwisp_input_entries_total", "Lines received that became entries.",
			func(in *stats) uint64 { return in.Entries }),
		perInput(counter, "logwisp_input_refused_connections_total", "Connections that ended because of their hello, or for want of a token.",
			func(in *stats) uint64 { return in.Refused }),
		perInput(counter, "logwisp_input_rejected_lines_total", "Lines received that were answered with an error.",
			func(in *stats) uint64 { return in.Rejected }),
		perInput(counter, "logwisp_input_lost_datagrams_total", "Datagrams that the kernel had no room for.",
			func(in *stats) uint64 { return in.Lost }),
		perStream(counter, "logwisp_stream_messages_total", "Messages taken from a stream of NATS.",
			func(h *nats.HubStats) uint64 { return h.Messages }),
		perStream(counter, "logwisp_stream_lost_messages_total", "Messages that the stream's limits deleted before they were taken.",
			func(h *nats.HubStats) uint64 { return h.Lost }),
		perStream(gauge, "logwisp_stream_pending_messages", "Messages in the stream that are not taken yet.",
			func(h *nats.HubStats) uint64 { return h.Pending }),
		perStream(counter, "logwisp_stream_reconnects_total", "Connections to the servers made again.",
			func(h *nats.HubStats) uint64 { return h.Reconnects }),
	}
}

func clientSeries() []series {
	type stats = netio.TransportStats
	return []series{
		perTransport(gauge, "logwisp_clients", "Clients connected to a stream.",
			func(t *stats) uint64 { return uint64(max(0, t.Active)) }),
		perTransport(counter, "logwisp_client_connections_total", "Clients that have got a stream.",
			func(t *stats) uint64 { return t.Joined }),
		perReason("logwisp_client_disconnects_total", "Streams that have ended.",
			func(t *stats) map[string]uint64 { return t.Disconnects }),
		perReason("logwisp_client_rejections_total", "Clients that were not given a stream.",
			func(t *stats) map[string]uint64 { return t.Rejections }),
		perTransport(gauge, "logwisp_client_max_lag_entries", "Entries that the client furthest behind is behind.",
			func(t *stats) uint64 { return t.MaxLag }),
		perTransport(counter, "logwisp_delivered_entries_total", "Entries written whole, once for each client.",
			func(t *stats) uint64 { return t.Totals.Delivered }),
		perTransport(counter, "logwisp_delivered_bytes_total", "Bytes taken by the sockets of clients, framing and notices included.",
			func(t *stats) uint64 { return t.Bytes }),
		perReason("logwisp_dropped_entries_total", "Entries that a client was too slow for, asked to be spared or came too late for, once for each client.",
			func(t *stats) map[string]uint64 {
				return map[string]uint64{"lagged": t.Losses.Lagged, "sampled": t.Losses.Sampled, "gap": t.Losses.Missed}
			}),
		perTransport(counter, "logwisp_filtered_entries_total", "Entries that a client's filter kept back, once for each client.",
			func(t *stats) uint64 { return t.Totals.Filtered }),
		latencySeries("logwisp_delivery_latency_seconds",
			"Time from the publication of the newest entry of a write, right after it was read, to the end of the write; what was held before the client came is left out."),
	}
}

func outputSeries() []series {
	type stats = forward.Stats
	return []series{
		perOutput(counter, "logwisp_output_sent_entries_total", "Entries that the counterpart has, as far as can be known.",
			func(o *stats) uint64 { return o.SentEntries }),
		perOutput(counter, "logwisp_output_sent_bytes_total", "Bytes of these entries, before they are encoded.",
			func(o *stats) uint64 { return o.SentBytes }),
		perOutput(counter, "logwisp_output_retries_total", "Tries to send that followed a failed one.",
			func(o *stats) uint64 { return o.Retries }),
		perOutput(counter, "logwisp_output_dropped_entries_total", "Entries that were overwritten before they could be sent, or that the counterpart refuses.",
			func(o *stats) uint64 { return o.Dropped }),
		perOutput(counter, "logwisp_output_filtered_entries_total", "Entries that the output's filter kept back.",
			func(o *stats) uint64 { return o.Filtered }),
		perOutput(gauge, "logwisp_output_lag_entries", "Entries that the output is behind.",
			func(o *stats) uint64 { return o.LagEntries }),
	}
}
