package main

import (
	"fmt"
	"time"

	"logwisp/netio/web"
)

// monitor is what the HTTP server asks for monitors.
func (d *daemon) monitor() (web.Monitor, error) {
	registry, err := newRegistry(d.reading)
	if err != nil {
		return web.Monitor{}, err
	}
	return web.Monitor{Metrics: exposition(registry), Alive: d.alive, Ready: d.ready}, nil
}

// phase is how far the daemon has got.
type phase = int32

const (
	starting phase = iota
	running
	stopping
)

// stallLimit is how long a part may do nothing before the daemon counts as not
// at work. A file system or a machine under pressure may take seconds.
const stallLimit = 10 * time.Second

// alive returns why the daemon is not at work.
func (d *daemon) alive() (reasons []string) {
	if err := d.failure.Load(); err != nil {
		reasons = append(reasons, (*err).Error())
	}
	if t := d.watcher.Stalled(); t > stallLimit {
		reasons = append(reasons, fmt.Sprintf("files have not been looked at for %v", t.Round(time.Second)))
	}
	if t := d.engine.Stalled(); t > stallLimit {
		reasons = append(reasons, fmt.Sprintf("clients have not been served for %v", t.Round(time.Second)))
	}
	return reasons
}

// ready returns why clients should not be sent here. A target that does not
// exist yet is no reason: it is waited for.
func (d *daemon) ready() (reasons []string) {
	switch d.phase.Load() {
	case starting:
		reasons = append(reasons, "the daemon is starting")
	case stopping:
		reasons = append(reasons, "the daemon is stopping")
	}
	return append(reasons, d.alive()...)
}
