package netio

import (
	"slices"
	"strings"
	"time"
)

// Client describes a subscriber that is connected.
type Client struct {
	ID          string    `json:"id"`
	Transport   string    `json:"transport"`
	Address     string    `json:"address"`
	Name        string    `json:"name"`   // as the client says
	Filter      string    `json:"filter"` // as a query
	ConnectedAt time.Time `json:"connected_at"`
	Totals
	LagEntries uint64 `json:"lag_entries"`
	LagBytes   uint64 `json:"lag_bytes"` // estimated from the size of the entries held
}

// Clients describes the subscribers of all transports, in the order in which
// they came.
func (e *Engine) Clients() []Client {
	stats := e.ring.Stats()
	e.mu.Lock()
	defer e.mu.Unlock()
	clients := []Client{}
	for _, t := range e.transports {
		t.mu.Lock()
		for s := range t.live {
			c := Client{
				ID: s.id, Transport: t.Name, Address: s.address, Name: s.name, Filter: s.filter,
				ConnectedAt: s.joined.UTC(), Totals: s.Totals(),
			}
			if next := s.place(); next > 0 && next <= stats.Head {
				c.LagEntries = stats.Head + 1 - next
			}
			if stats.Entries > 0 {
				share := float64(min(c.LagEntries, stats.Entries)) / float64(stats.Entries)
				c.LagBytes = uint64(share * float64(stats.Bytes))
			}
			clients = append(clients, c)
		}
		t.mu.Unlock()
	}
	slices.SortFunc(clients, func(a, b Client) int {
		if c := a.ConnectedAt.Compare(b.ConnectedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return clients
}

// Recheck disconnects the subscribers whose right to be here has ended: those
// whose Subscription.Still says no.
func (e *Engine) Recheck() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range e.transports {
		t.mu.Lock()
		for s := range t.live {
			if s.still != nil && !s.still() {
				s.kick.Store(true)
			}
		}
		t.mu.Unlock()
	}
	e.kicks.Add(1)
	for _, l := range e.loops {
		l.ring()
	}
}

// Kick disconnects the subscriber with an id and reports whether there is one.
// It is told so if it reads.
func (e *Engine) Kick(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range e.transports {
		t.mu.Lock()
		for s := range t.live {
			if s.id != id {
				continue
			}
			s.kick.Store(true)
			t.mu.Unlock()
			e.kicks.Add(1)
			for _, l := range e.loops {
				l.ring()
			}
			return true
		}
		t.mu.Unlock()
	}
	return false
}

// takeKicks looks for those that are to be disconnected. Who stands still is
// at once, the others are told first.
func (l *loop) takeKicks() {
	n := l.engine.kicks.Load()
	if n == l.kicks {
		return
	}
	l.kicks, l.busy = n, true
	l.each(func(s *Subscriber) {
		if !s.kick.Load() {
			return
		}
		s.kicked = true
		l.takeBack(s)
		if s.blocked {
			l.leave(s, leftKicked)
		}
	})
}
