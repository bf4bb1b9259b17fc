package main

import (
	"net"
	"time"

	"logwisp/netio"
	"logwisp/netio/forward"
	"logwisp/netio/ingest"
	"logwisp/netio/nats"
	"logwisp/ring"
	"logwisp/tail"
)

// status is the answer of GET /status.
type status struct {
	Service       string       `json:"service"`
	Version       string       `json:"version"`
	UptimeSeconds int64        `json:"uptime_seconds"`
	Epoch         string       `json:"epoch"`
	HTTPServer    serverStatus `json:"http_server"`
	TCPServer     serverStatus `json:"tcp_server"`
	Ring          ring.Stats   `json:"ring"`
	Totals        totalsStatus `json:"totals"`
	Clients       struct {
		TCP      int `json:"tcp"`
		SSE      int `json:"sse"`
		Dropping int `json:"dropping"`
	} `json:"clients"`
	Sources tail.Stats      `json:"sources"`
	Inputs  []ingest.Stats  `json:"inputs"`
	Streams []nats.HubStats `json:"streams,omitempty"` // of NATS, that are inputs
	Outputs []forward.Stats `json:"outputs"`
	Config  struct {
		Path     string `json:"path"`
		LoadedAt string `json:"loaded_at"`
		Reloads  uint64 `json:"reloads"`
		Problem  string `json:"problem,omitempty"` // why the last reload was refused
	} `json:"config"`
}

type serverStatus struct {
	Enabled       bool `json:"enabled"`
	Port          int  `json:"port"`
	ActiveClients int  `json:"active_clients"`
	BufferSize    int  `json:"buffer_size"`
}

type totalsStatus struct {
	Entries uint64 `json:"entries"` // entries appended to the ring
	netio.Totals
	Truncated   uint64 `json:"truncated"`
	ParseErrors uint64 `json:"parse_errors"`
}

// status collects the figures of all parts.
func (d *daemon) status() *status {
	s := &status{
		Service:       "LogWisp",
		Version:       buildVersion(),
		UptimeSeconds: int64(d.engine.Uptime() / time.Second),
		Epoch:         d.engine.Run(),
		Ring:          d.ring.Stats(),
		Sources:       d.watcher.Stats(),
		Outputs:       d.outputs.stats(),
		Inputs:        d.inputs.Stats(),
		Streams:       d.hubStats(),
	}
	o := d.settings
	s.TCPServer = serverStatus{Enabled: o.TCP.Enabled, BufferSize: o.TCP.BufferSize}
	s.HTTPServer = serverStatus{Enabled: o.HTTP.Enabled, BufferSize: o.HTTP.BufferSize}
	if d.tcp != nil {
		stats := d.tcp.Transport().Stats()
		s.TCPServer.Port, s.TCPServer.ActiveClients = port(d.tcp.Addr()), stats.Active
		s.Clients.TCP = stats.Active
		s.Clients.Dropping += stats.Dropping
	}
	if d.web != nil {
		stats := d.web.Transport().Stats()
		s.HTTPServer.Port, s.HTTPServer.ActiveClients = port(d.web.Addr()), stats.Active
		s.Clients.SSE = stats.Active
		s.Clients.Dropping += stats.Dropping
	}
	s.Totals = totalsStatus{
		Entries: d.ring.Appended(), Totals: d.engine.Totals(),
		Truncated: s.Sources.Truncated, ParseErrors: s.Sources.ParseErrors,
	}
	for i := range s.Inputs {
		s.Totals.Truncated += s.Inputs[i].Truncated
		s.Totals.ParseErrors += s.Inputs[i].ParseErrors
	}
	for i := range s.Streams {
		s.Totals.Truncated += s.Streams[i].Became.Cut
		s.Totals.ParseErrors += s.Streams[i].Became.ParseErrors
	}
	d.reloads.mu.Lock()
	defer d.reloads.mu.Unlock()
	s.Config.Path = d.reloads.from.path
	s.Config.LoadedAt = d.reloads.loadedAt.UTC().Format(time.RFC3339)
	s.Config.Reloads, s.Config.Problem = d.reloads.done, d.reloads.problem
	return s
}

// sourcesAnswer is the answer of GET /sources.
type sourcesAnswer struct {
	Sources []tail.Source `json:"sources"`
}

// sources lists the files.
func (d *daemon) sources() *sourcesAnswer {
	a := &sourcesAnswer{Sources: d.watcher.Sources()}
	if a.Sources == nil {
		a.Sources = []tail.Source{} // an array in any case
	}
	return a
}

func port(a net.Addr) int {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.Port
	}
	return 0
}
