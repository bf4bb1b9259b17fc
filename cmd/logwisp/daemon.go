package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"logwisp/netio"
	"logwisp/netio/access"
	"logwisp/netio/ingest"
	"logwisp/netio/nats"
	"logwisp/netio/tcp"
	"logwisp/netio/web"
	"logwisp/ring"
	"logwisp/tail"
)

// drainTime is how long open streams have to take the last entries at a stop.
const drainTime = time.Second

// daemon is the program at work. This file is the only one that knows all
// parts: files -> tail -> ring -> netio -> tcp and web, and what others send ->
// ingest -> ring.
type daemon struct {
	settings   *settings
	log        *slog.Logger
	checkpoint *tail.Checkpoint // nil when none is kept
	gate       *access.Gate
	ring       *ring.Ring
	watcher    *tail.Watcher
	inputs     *ingest.Server
	hubs       []*nats.Hub
	alone      bool // a hub's stream is all there is, its ids are the entries'
	engine     *netio.Engine
	tcp        *tcp.Server // nil when disabled
	web        *web.Server // nil when disabled
	outputs    outputs

	garbage garbage
	reloads reloads
	phase   atomic.Int32
	failure atomic.Pointer[error] // of the part that has ended the daemon
}

// newDaemon builds the parts and binds the listeners; nothing is read or
// served before run. What it has started is stopped when it fails.
func newDaemon(s *settings, log *slog.Logger) (_ *daemon, err error) {
	d := &daemon{settings: s, log: log}
	d.garbage.begin()
	d.reloads.loadedAt, d.reloads.from = s.loadedAt, fileRead{s.file, s.size}
	if d.gate, err = access.NewGate(s.rules()); err != nil {
		return nil, &refusal{code: exitConfig, lines: []string{err.Error()}}
	}
	// From here on the run before has ended: whatever fails leaves its place to the next.
	if d.checkpoint, err = openCheckpoint(s.Monitor.Checkpoint, log); err != nil {
		return nil, err
	}
	o := s.Ring
	o.Entries = s.entries()
	o.Recycle = true // the engine's loops are its Readers
	if epoch, head, ok := d.checkpoint.Continues(); ok {
		o.Epoch, o.First = epoch, head+1
	}
	d.ring = ring.New(o)
	if err = d.newHubs(); err != nil {
		d.closeCheckpoint()
		return nil, err
	}
	if d.engine, err = netio.New(d.ring, netio.Options{
		FromOldest: s.Monitor.ReadFrom == "beginning", Version: buildVersion(), Names: d.names(), Log: log,
	}); err != nil {
		d.closeCheckpoint()
		return nil, err
	}
	defer func() {
		if err != nil {
			d.stop()
		}
	}()
	// The files' positions are taken first: what is written from here on is
	// delivered to whoever connects as soon as a port is open.
	s.Monitor.Filter = s.Filter
	s.Monitor.Reached = func() uint64 { return min(d.engine.Reached(), d.outputs.reached()) }
	if d.watcher, err = tail.Resume(d.checkpoint, s.Monitor, d.ring, log); err != nil {
		return nil, refuseMonitor(err, s.origins.of("monitor.targets"))
	}
	if err = d.newOutputs(); err != nil {
		return nil, err
	}
	d.garbage.suit(d.ring.Stats().CapacityBytes, d.beside())
	if d.inputs, err = ingest.New(s.received(), ingest.Settings{
		Filter: s.Filter, Post: s.HTTP.Enabled && s.HTTP.Ingest, Stdin: os.Stdin, Admit: d.gate.Admits, Log: log,
		Authorize: d.authorizeSender,
	}, d.ring); err != nil {
		return nil, cannotOpen(err)
	}
	if s.TCP.Enabled {
		if d.tcp, err = tcp.New(s.TCP, d.engine, d.gate, log); err != nil {
			return nil, cannotBind(err, "tcp")
		}
	}
	if s.HTTP.Enabled {
		if d.web, err = web.New(s.HTTP, d.engine, d.gate, buildVersion(), func() any { return d.status() }, log); err != nil {
			return nil, cannotBind(err, "http")
		}
		d.web.AnswerSources(func() any { return d.sources() })
		if s.HTTP.Ingest {
			d.web.AnswerIngest(func(p web.Post) (any, error) { return d.inputs.Post(ingest.Batch(p)) })
		}
		m, err := d.monitor()
		if err != nil {
			return nil, err
		}
		d.web.AnswerMonitors(m)
	}
	return d, nil
}

// refuseMonitor says what is wrong with the settings of the files to follow.
func refuseMonitor(err error, targets string) error {
	_, directory := errors.AsType[*tail.DirectoryError](err)
	if targets == commandLineOrigin && !directory {
		return &refusal{code: exitUsage, lines: []string{err.Error()}}
	}
	return &refusal{code: exitConfig, lines: []string{fmt.Sprintf("%v (targets from %s)", err, targets)}}
}

// cannotBind says what to do about a listener that cannot be had. name is that
// of the server in flags, as in --tcp-port.
func cannotBind(err error, name string) error {
	hint := fmt.Sprintf("choose an address of this machine with --%s-host", name)
	switch {
	case netio.OfUnixSocket(err):
		hint = fmt.Sprintf("name a path in a directory where this user may create it, and where nobody listens, with %sserver.unix", name)
	case errors.Is(err, syscall.EADDRINUSE):
		hint = fmt.Sprintf("choose another port with --%s-port or %[1]sserver.port; 0 picks a free one", name)
	case errors.Is(err, syscall.EACCES):
		hint = fmt.Sprintf("choose a port above 1023 with --%s-port or %[1]sserver.port", name)
	}
	return &refusal{code: exitUnavailable, lines: []string{fmt.Sprintf("%v (%s)", err, hint)}}
}

// cannotOpen says what to do about an input that cannot be had.
func cannotOpen(err error) error {
	hint := "choose an address of this machine, or another place for the socket"
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		hint = "choose another port or path in the URL; port 0 picks a free one"
	case errors.Is(err, syscall.EACCES):
		hint = "choose a port above 1023, or a directory that can be written to"
	}
	return &refusal{code: exitUnavailable, lines: []string{fmt.Sprintf("%v (%s)", err, hint)}}
}

// run serves until ctx ends, then stops: listeners first, then the inputs and
// the files, then the streams once they have the last entry.
func (d *daemon) run(ctx context.Context) error {
	var servers sync.WaitGroup
	failed := make(chan error, 4+len(d.outputs.sure)+len(d.hubs))
	start := func(serve func() error) {
		servers.Go(func() {
			if err := serve(); err != nil {
				failed <- err
			}
		})
	}
	if d.tcp != nil {
		d.announce("TCP", d.tcp.Listeners())
		start(d.tcp.Serve)
	}
	if d.web != nil {
		d.announce("HTTP", d.web.Listeners())
		start(d.web.Serve)
	}
	start(d.inputs.Serve)
	switch files := d.watcher.Stats().Files; {
	case files > 0:
		d.log.Info("following", "files", files, "targets", d.settings.targets())
	case len(d.settings.Monitor.Targets) > 0:
		d.log.Warn("no file to follow yet, waiting for one", "targets", d.settings.targets())
	}
	d.outputs.start()
	reading, stopReading := context.WithCancel(context.Background())
	defer stopReading()
	var reader sync.WaitGroup
	reader.Go(func() {
		d.awaitClients(reading)
		if err := d.watcher.Run(reading); err != nil {
			failed <- err
		}
	})
	for _, h := range d.hubs {
		reader.Go(func() {
			if err := h.Run(reading); err != nil {
				failed <- err
			}
		})
	}
	for _, g := range d.outputs.sure {
		reader.Go(func() {
			if err := g.read(reading); err != nil {
				failed <- err
			}
		})
	}
	d.phase.Store(running)
	defer d.tellManager()()
	wide := suitProcessors(d.engine.Few)
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		d.failure.Store(&err)
	}
	d.phase.Store(stopping)
	wide()
	d.notify(sd.SdNotifyStopping, "STATUS=stopping")
	d.closeListeners()
	d.inputs.Stop()
	stopReading()
	reader.Wait() // the last lines are in the ring
	d.closeCheckpoint()
	d.stop()
	servers.Wait()
	d.log.Info("stopped")
	return err
}

func (d *daemon) closeListeners() {
	if d.tcp != nil {
		_ = d.tcp.Close()
	}
	if d.web != nil {
		_ = d.web.CloseListener()
	}
}

// stop ends the streams and releases everything.
func (d *daemon) stop() {
	d.closeListeners()
	if d.inputs != nil {
		d.inputs.Stop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var outputs sync.WaitGroup
	outputs.Go(func() { d.outputs.stop(ctx) })
	d.engine.Drain(ctx)
	outputs.Wait()
	if d.web != nil {
		if err := d.web.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			d.log.Warn("stop the HTTP server", "error", err)
		}
	}
	d.engine.Close()
	for _, l := range d.listeners() {
		l.Flush(ctx)
	}
	if d.watcher != nil {
		d.watcher.Close()
	}
	d.closeCheckpoint()
	d.garbage.end()
}

// listeners are those of the servers that are enabled.
func (d *daemon) listeners() (all []*netio.Listeners) {
	if d.tcp != nil {
		all = append(all, d.tcp.Listeners())
	}
	if d.web != nil {
		all = append(all, d.web.Listeners())
	}
	return all
}

// announce says where a server listens, and warns of what that lets others do.
func (d *daemon) announce(name string, l *netio.Listeners) {
	addr := l.Addr()
	how := ""
	if l.Secure() {
		how = ", with TLS"
	}
	d.log.Info(name+" server listens"+how, "address", addr.String())
	d.warnIfOpen(name, l)
}

// warnAllOpen is warnIfOpen for both servers.
func (d *daemon) warnAllOpen() {
	if d.tcp != nil {
		d.warnIfOpen("TCP", d.tcp.Listeners())
	}
	if d.web != nil {
		d.warnIfOpen("HTTP", d.web.Listeners())
	}
}

// warnIfOpen warns when a server listens for more than this machine and everybody
// may read, or what is read and shown is not encrypted.
func (d *daemon) warnIfOpen(name string, l *netio.Listeners) {
	addr := l.Addr()
	a, ok := addr.(*net.TCPAddr)
	switch {
	case !ok || a.IP.IsLoopback():
	case !d.gate.Restricted() && !l.AsksCertificates():
		d.log.Warn(name+" server: every host that can reach this address can read the logs",
			"address", addr.String(), "hint", "bind to 127.0.0.1 with --tcp-host and --http-host, or set auth.tokens or acl.allow")
	case d.gate.Closed() && !l.Secure():
		d.log.Warn(name+" server: tokens and logs cross the network in the clear",
			"address", addr.String(), "hint", "set tls.enabled, or have a proxy on this machine do it and bind to 127.0.0.1")
	}
}

// beside is what is in use beside the ring and its views, about: outputs have
// batches, those with a guarantee a ring; what a hub has asked its server for is
// on its way through a few buffers.
func (d *daemon) beside() (bytes uint64) {
	for _, o := range d.settings.Outputs {
		bytes += 4 * uint64(o.BatchBytes)
	}
	for _, g := range d.outputs.sure {
		bytes += g.ring.Stats().CapacityBytes * 3 / 2
	}
	return bytes + uint64(len(d.hubs))*4*nats.HubBuffer
}

// authorizeSender is asked about the token of a sender.
func (d *daemon) authorizeSender(token string, from netip.Addr) (who string, still func() bool, err error) {
	grant, err := d.gate.Check(token, access.Ingest, from)
	return grant.Token, d.gate.Right(grant, access.Ingest, from), err
}
