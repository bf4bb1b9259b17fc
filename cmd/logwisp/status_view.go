package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"logwisp/netio/ingest"
)

// statusCommand prints GET /status for people.
type statusCommand struct{ queryFlags }

func (c *statusCommand) Run(std *stdio) error {
	var s status
	if show, err := c.read("/status", &s, std); err != nil || !show {
		return err
	}
	return s.print(std.out)
}

// print writes a table of the figures that say whether all is well.
func (s *status) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(t, "%s\t%s\n", name, strings.TrimRight(fmt.Sprintf(format, args...), " "))
	}
	row("service", "%s %s, up %s", escaped(s.Service), escaped(s.Version), time.Duration(s.UptimeSeconds)*time.Second)
	path := escaped(s.Config.Path)
	if path == "" {
		path = "no file"
	}
	row("configuration", "%s, loaded at %s", path, escaped(s.Config.LoadedAt))
	row("files", "%s followed, %s not read yet, %s rotations, %s truncations, %s errors",
		count(s.Sources.Files), amount(s.Sources.LagBytes), count(s.Sources.Rotations), count(s.Sources.Truncations), count(s.Sources.Errors))
	for i := range s.Inputs {
		row("input", "%s", inputText(&s.Inputs[i]))
	}
	row("entries", "%s, %s of them cut, %s not the JSON they look like",
		count(s.Totals.Entries), count(s.Totals.Truncated), count(s.Totals.ParseErrors))
	row("ring", "%s entries in %s of %s, %s to %s",
		count(s.Ring.Entries), amount(s.Ring.Bytes), amount(s.Ring.CapacityBytes), count(s.Ring.Oldest), count(s.Ring.Head))
	row("HTTP server", "%s", s.HTTPServer.text())
	row("TCP server", "%s", s.TCPServer.text())
	row("clients", "%s TCP, %s HTTP, %s have lost entries", count(s.Clients.TCP), count(s.Clients.SSE), count(s.Clients.Dropping))
	row("offered", "%s = %s delivered + %s filtered + %s dropped",
		count(s.Totals.Offered), count(s.Totals.Delivered), count(s.Totals.Filtered), count(s.Totals.Dropped))
	return t.Flush()
}

func inputText(in *ingest.Stats) string {
	text := fmt.Sprintf("%s: %s connections, %s received, %s entries", escaped(in.URL), count(in.Connections), amount(in.Bytes), count(in.Entries))
	for _, loss := range []struct {
		n    uint64
		what string
	}{{in.Rejected, "lines rejected"}, {in.Lost, "datagrams lost"}} {
		if loss.n > 0 {
			text += fmt.Sprintf(", %s %s", count(loss.n), loss.what)
		}
	}
	return text
}

func (s *serverStatus) text() string {
	if !s.Enabled {
		return "off"
	}
	return fmt.Sprintf("port %d, %s clients, buffer of %s entries", s.Port, count(s.ActiveClients), count(s.BufferSize))
}
