package netio

import (
	"time"

	"logwisp/ring/record"
)

// Form is how a stream looks on one kind of wire. The functions append to dst
// and must not keep it; nil means there is no such thing on this wire.
// Subscribers that share a *Form share its views.
type Form struct {
	Name string

	// Entry appends one entry; line is its JSON with the newline. nil: the
	// ring's bytes as they are.
	Entry func(dst []byte, ids record.IDs, seq uint64, line []byte) []byte

	// Batch appends one event of several entries: lines is what Entry has made
	// of them without the last newline, last the seq of the last entry it is
	// done with.
	Batch func(dst []byte, ids record.IDs, last uint64, lines []byte) []byte

	Drop       func(dst []byte, d *record.Drop) []byte
	Gap        func(dst []byte, g *record.Gap) []byte
	Reset      func(dst []byte, reason string) []byte
	Disconnect func(dst []byte, reason string) []byte

	// Heartbeat appends one heartbeat; seq is the last entry scanned for the
	// subscriber, 0 when there was none.
	Heartbeat func(dst []byte, ids record.IDs, seq uint64, h *record.Heartbeat) []byte

	// Probe is sent once when the peer has closed its sending side: bytes that
	// mean nothing to it, but make a peer that is gone answer with a reset.
	Probe []byte
}

// HeartbeatPolicy says when and with what heartbeats are sent.
type HeartbeatPolicy struct {
	Interval  time.Duration // 0 = none
	Timestamp bool
	Stats     bool
}
