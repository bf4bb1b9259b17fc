package nats

import (
	"context"
	"time"

	"logwisp/ring/entry"
)

// stateEvery is how often a Hub asks for the state of its stream.
const stateEvery = 10 * time.Second

// HubStats are the figures of a Hub.
type HubStats struct {
	Stream       string `json:"stream"`
	Server       string `json:"server"` // connected to; "" = none
	IDs          bool   `json:"ids"`    // entries have the stream's ids, which mean the same on every hub
	Sequence     uint64 `json:"sequence"`
	Messages     uint64 `json:"messages"`      // taken
	Lost         uint64 `json:"lost_messages"` // deleted by the stream's limits before they were taken
	Pending      uint64 `json:"pending"`       // in the stream and not taken yet
	Reconnects   uint64 `json:"reconnects"`
	StreamFirst  uint64 `json:"stream_first"`
	StreamLast   uint64 `json:"stream_last"`
	StreamBytes  uint64 `json:"stream_bytes"`
	StreamLimit  int64  `json:"stream_max_bytes"` // -1 = none
	StreamMaxAge int64  `json:"stream_max_age_seconds"`
	Replicas     int    `json:"stream_replicas"`

	Became entry.Counts `json:"-"`
}

// Stats returns the figures. Those of the stream are up to ten seconds old.
func (h *Hub) Stats() HubStats {
	s := HubStats{
		Stream: h.options.Stream, IDs: h.settings.Alone, Sequence: h.sequence.Load(), Messages: h.messages.Load(),
		Lost: h.lost.Load(), Pending: h.pending.Load(), Reconnects: h.reconnects.Load(), Became: h.counts.Load(),
	}
	h.mu.Lock()
	if h.conn != nil && h.conn.IsConnected() {
		s.Server = h.conn.ConnectedUrlRedacted()
	}
	h.mu.Unlock()
	if state, limits := h.held.Load(), h.limits.Load(); state != nil && limits != nil {
		s.StreamFirst, s.StreamLast, s.StreamBytes = state.FirstSeq, state.LastSeq, state.Bytes
		s.StreamLimit, s.StreamMaxAge, s.Replicas = limits.MaxBytes, int64(limits.MaxAge/time.Second), limits.Replicas
	}
	return s
}

// watch asks for the state of the stream until ctx ends.
func (h *Hub) watch(ctx context.Context) {
	ticker := time.NewTicker(stateEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		asking, cancel := context.WithTimeout(ctx, answerTime)
		if stream, err := h.streamNow(asking); err == nil {
			h.note(stream.CachedInfo())
			h.check(stream.CachedInfo())
		}
		cancel()
	}
}
