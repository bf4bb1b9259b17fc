package netio

import "time"

// Totals are the sums of one subscriber or of many:
// Delivered + Filtered + Dropped = Offered.
type Totals struct {
	Offered   uint64 `json:"offered"`
	Delivered uint64 `json:"delivered"`
	Filtered  uint64 `json:"filtered"`
	Dropped   uint64 `json:"dropped"`
}

func (t *Totals) add(o Totals) {
	t.Offered += o.Offered
	t.Delivered += o.Delivered
	t.Filtered += o.Filtered
	t.Dropped += o.Dropped
}

// TransportStats are the figures of one transport.
type TransportStats struct {
	Active   int    // subscribers connected
	Joined   uint64 // subscribers that ever joined
	Dropping int    // of them, those that have lost entries
	Totals   Totals // over all subscribers it ever had
	Losses   Losses // what Totals.Dropped consists of
	Writes   uint64 // write calls made for those connected now
	Bytes    uint64 // taken by the sockets of all it ever had, notices and framing included
	MaxLag   uint64 // entries that the one furthest behind has not been offered yet

	Disconnects map[string]uint64 // of those that had joined, by reason; every reason is there
	Rejections  map[string]uint64 // of those that were not taken, likewise
	Latency     Latency
}

// Stats returns the transport's figures.
func (t *Transport) Stats() TransportStats {
	head := t.engine.ring.Head()
	t.mu.Lock()
	defer t.mu.Unlock()
	s := TransportStats{
		Active: int(t.active.Load()), Joined: t.joined.Load(), Totals: t.ended, Losses: t.losses, Bytes: t.bytes,
		Disconnects: t.disconnects.counts(), Rejections: t.rejections.counts(),
	}
	for _, h := range t.latencies {
		h.addTo(&s.Latency)
	}
	for c := range t.live {
		one := c.Totals()
		s.Totals.add(one)
		if one.Dropped > 0 {
			s.Dropping++
		}
		s.Losses.add(c.losses())
		s.Writes += c.writes.Load()
		s.Bytes += c.bytes.Load()
		if next := c.place(); next > 0 && next <= head {
			s.MaxLag = max(s.MaxLag, head+1-next)
		}
	}
	return s
}

// ZeroStats returns the figures of a transport that had no clients.
func ZeroStats() TransportStats {
	return TransportStats{Disconnects: newDisconnects().counts(), Rejections: newRejections().counts()}
}

// Totals returns the sums over all subscribers of all transports, past and
// present.
func (e *Engine) Totals() Totals {
	e.mu.Lock()
	defer e.mu.Unlock()
	var sum Totals
	for _, t := range e.transports {
		sum.add(t.Stats().Totals)
	}
	return sum
}

// Uptime returns the time since the engine was started.
func (e *Engine) Uptime() time.Duration { return time.Since(e.started) }
