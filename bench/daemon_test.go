package bench

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"logwisp/netio"
	"logwisp/netio/access"
	"logwisp/netio/tcp"
	"logwisp/netio/web"
	"logwisp/ring"
	"logwisp/tail"
)

// design is one way from written lines to clients' sockets.
type design interface {
	// address returns where clients connect.
	address() string
	// joined returns how many clients have been taken in.
	joined() int
	// send hands over the block that begins with line n. wire is what clients
	// must receive for it, and does not change before they have.
	send(n uint64, wire []byte) error
	// stop ends every stream in good order and leaves nothing behind. It is
	// called once every client has every line, or after a failure.
	stop() error
	// trailer is what a client receives after the last line.
	trailer() string
}

// server is what the two servers have in common.
type server interface {
	Addr() net.Addr
	Transport() *netio.Transport
	Serve() error
}

// daemon is the product: a file that is written to, tailed into a ring, and
// served by event loops, put together as the program does it.
type daemon struct {
	kind    string
	file    *os.File
	stencil *stencil
	block   []byte
	sent    uint64 // lines
	engine  *netio.Engine
	server  server
	close   func() error // of the server

	endTail context.CancelFunc
	tailed  chan error
	served  chan error
}

// clientOptions are the daemon's defaults.
var clientOptions = netio.ClientOptions{MaxClients: 10000, SlowTimeout: 30, SendBuffer: 256 << 10}

// startDaemon serves clients of kind tcp or sse from a file in dir.
func startDaemon(dir, kind string) (_ *daemon, err error) {
	d := &daemon{kind: kind, stencil: newStencil(fileLine), tailed: make(chan error, 1), served: make(chan error, 1)}
	d.block = make([]byte, len(d.stencil.block))
	path := filepath.Join(dir, "app.log")
	if d.file, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	o := ringOptions
	o.Epoch, o.First = epoch, firstNumber
	r := ring.New(o)
	log := slog.New(slog.DiscardHandler)
	if d.engine, err = netio.New(r, netio.Options{Log: log}); err != nil {
		d.file.Close()
		return nil, err
	}
	watcher, err := tail.New(tail.Options{
		CheckInterval: 100, RotateWait: 5000, PartialFlush: 5000, MaxLineBytes: 1 << 20, MaxFiles: 65536,
		Targets: []tail.Target{{Path: path, IsFile: true}},
	}, r, log)
	if err == nil {
		if err = d.listen(log); err != nil {
			watcher.Close()
		}
	}
	if err != nil {
		d.engine.Close()
		d.file.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.endTail = cancel
	go func() { d.tailed <- watcher.Run(ctx) }()
	go func() { d.served <- d.server.Serve() }()
	return d, nil
}

// listen opens the server that d.kind asks for, without heartbeats: they come
// when they like, and the clients know every byte beforehand.
func (d *daemon) listen(log *slog.Logger) error {
	if d.kind == "tcp" {
		s, err := tcp.New(tcp.Options{Host: "127.0.0.1", ClientOptions: clientOptions}, d.engine, access.Open(), log)
		if err != nil {
			return err
		}
		d.server, d.close = s, s.Close
		return nil
	}
	s, err := web.New(web.Options{Host: "127.0.0.1", ClientOptions: clientOptions, Retry: 3000}, d.engine, access.Open(), "bench", func() any { return nil }, log)
	if err != nil {
		return err
	}
	d.server = s
	d.close = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return s.Close(ctx)
	}
	return nil
}

func (d *daemon) address() string { return d.server.Addr().String() }

func (d *daemon) joined() int { return int(d.server.Transport().Stats().Joined) }

func (d *daemon) trailer() string {
	if d.kind == "tcp" {
		return ""
	}
	return disconnectNotice
}

func (d *daemon) send(n uint64, _ []byte) error {
	d.stencil.fill(d.block, n)
	d.sent = n + blockLines
	_, err := d.file.Write(d.block)
	return err
}

// stop also checks the daemon's own account of the run.
func (d *daemon) stop() error {
	d.endTail()
	err := <-d.tailed
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	d.engine.Drain(ctx)
	d.engine.Close()
	first := func(other error) {
		if err == nil {
			err = other
		}
	}
	first(d.close())
	first(<-d.served)
	first(d.file.Close())
	clients := uint64(d.joined())
	if t := d.engine.Totals(); err == nil && (t.Delivered != d.sent*clients || t.Dropped != 0) {
		err = fmt.Errorf("the daemon counts %d lines delivered and %d dropped, want %d for each of %d clients", t.Delivered, t.Dropped, d.sent, clients)
	}
	return err
}
