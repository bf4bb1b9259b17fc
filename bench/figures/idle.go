package main

import (
	"context"
	"errors"
	"fmt"
	"net"
)

const (
	idleClients = 10_000
	perAddress  = 1000 // clients from one source address: ports do not run out
)

var idleRow = row{
	name: "idle",
	figures: []figure{
		{what: "memory of the daemon per idle SSE client, 10,000 of them", bound: 4096, unit: "bytes"},
		{what: "memory of the daemon per idle TCP client, 10,000 of them", bound: 4096, unit: "bytes"},
	},
	once: func(ctx context.Context, t *tools, i int) ([]value, error) {
		values := make([]value, 2)
		err := inTurns(i, func() error {
			values[0].v, values[0].void = t.idleBytes(ctx, true)
			return ctx.Err()
		}, func() error {
			values[1].v, values[1].void = t.idleBytes(ctx, false)
			return ctx.Err()
		})
		return values, err
	},
}

// idleBytes returns what one idle client costs the daemon.
func (t *tools) idleBytes(ctx context.Context, sse bool) (float64, error) {
	d, err := t.startDaemon(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer d.close()
	before, err := d.settled(ctx)
	if err != nil {
		return 0, err
	}
	clients := make([]net.Conn, 0, idleClients)
	defer func() {
		for _, c := range clients {
			c.Close()
		}
	}()
	for i := range idleClients {
		conn, err := d.idleClient(ctx, sse, byte(2+i/perAddress))
		if err != nil {
			return 0, fmt.Errorf("client %d: %w", i+1, err)
		}
		clients = append(clients, conn)
		if len(clients)%perAddress != 0 {
			continue
		}
		// More would not fit the queue of connections that wait to be accepted, and
		// the question for the status would wait behind them.
		err = d.reaches(ctx, "all clients are subscribed", func(s status) bool {
			return s.Clients.TCP+s.Clients.SSE == len(clients)
		})
		if err != nil {
			return 0, err
		}
	}
	after, err := d.settled(ctx)
	if s, failed := d.status(); failed != nil || s.Clients.TCP+s.Clients.SSE != idleClients {
		err = errors.Join(err, failed, fmt.Errorf("%d of %d clients are there at the end", s.Clients.TCP+s.Clients.SSE, idleClients))
	}
	say("SSE %v: %.1f MiB before, %.1f MiB with %d clients", sse, float64(before)/(1<<20), float64(after)/(1<<20), idleClients)
	return float64(after-before) / idleClients, err
}

// idleClient connects from 127.0.0.source.
func (d *daemon) idleClient(ctx context.Context, sse bool, source byte) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, source)}}
	to := d.tcp
	if sse {
		to = d.http
	}
	conn, err := dialer.DialContext(ctx, "tcp", to)
	if err == nil && sse {
		_, err = fmt.Fprintf(conn, "GET /stream HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", to)
	}
	return conn, err
}
