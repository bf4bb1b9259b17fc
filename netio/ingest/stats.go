package ingest

import (
	"sync/atomic"

	"logwisp/ring"
	"logwisp/ring/entry"
)

// Stats is what one input has done.
type Stats struct {
	URL          string `json:"url"`           // as configured; of POST /ingest, /ingest
	Address      string `json:"address"`       // what is listened on, "" for nothing
	Connections  int    `json:"connections"`   // now
	Accepted     uint64 `json:"accepted"`      // connections, or requests, so far
	Bytes        uint64 `json:"bytes"`         // received
	Entries      uint64 `json:"entries"`       // sent to the ring
	Rejected     uint64 `json:"rejected"`      // lines that were answered with an error, datagrams from where none may come
	Truncated    uint64 `json:"truncated"`     // entries whose line was cut
	ParseErrors  uint64 `json:"parse_errors"`  // entries that are not in the form they look like or should have
	Filtered     uint64 `json:"filtered"`      // lines that [filter] kept out
	OtherSources uint64 `json:"other_sources"` // entries whose source is other because there are too many
	Lost         uint64 `json:"lost"`          // datagrams that the kernel had no room for
	Refused      uint64 `json:"refused"`       // connections that ended because of their hello, for want of a token, or as one too many of their address

	Scheme string                      `json:"-"` // one of Schemes, or http
	Levels [ring.LevelFatal + 1]uint64 `json:"-"` // of Entries, by ring.Level
}

// counters are written by many goroutines and read by any.
type counters struct {
	open             atomic.Int64
	accepted, bytes  atomic.Uint64
	became           entry.Totals // of lines
	other, malformed atomic.Uint64
	rejected         atomic.Uint64
	refused          atomic.Uint64
}

// Stats returns the figures of all inputs, in the order of the configuration;
// that of POST /ingest, if there is one, is the last.
func (s *Server) Stats() []Stats {
	all := make([]Stats, len(s.inputs))
	for i, in := range s.inputs {
		all[i] = in.figures()
	}
	return all
}

// kinds are what Sum names inputs.
var kinds = map[string]string{
	"-": "stdin", "tcp": "tcp", "tls": "tls", "unix": "unix", "syslog+tcp": "syslog+tcp", "syslog+udp": "syslog+udp", "http": "http",
}

// Sum returns the figures of all inputs of each kind: stdin, http, or the
// scheme. Every kind is there.
func Sum(all []Stats) map[string]Stats {
	sums := make(map[string]Stats, len(kinds))
	for _, kind := range kinds {
		sums[kind] = Stats{}
	}
	for i := range all {
		in, sum := &all[i], sums[kinds[all[i].Scheme]]
		sum.Connections += in.Connections
		sum.Accepted += in.Accepted
		sum.Bytes += in.Bytes
		sum.Entries += in.Entries
		sum.Refused += in.Refused
		sum.Rejected += in.Rejected
		sum.Truncated += in.Truncated
		sum.Lost += in.Lost
		for level, n := range in.Levels {
			sum.Levels[level] += n
		}
		sums[kinds[in.Scheme]] = sum
	}
	return sums
}

func (in *input) figures() Stats {
	c := &in.stats
	became := c.became.Load()
	s := Stats{
		URL: in.url, Scheme: in.scheme,
		Connections: int(c.open.Load()), Accepted: c.accepted.Load(), Bytes: c.bytes.Load(),
		Entries: became.Lines, Refused: c.refused.Load(), Rejected: c.rejected.Load(), Truncated: became.Cut,
		ParseErrors: became.ParseErrors + c.malformed.Load(), Filtered: became.Filtered, OtherSources: c.other.Load(),
		Levels: became.Levels,
	}
	if in.address != nil {
		s.Address = in.address.String()
	}
	if in.socket != nil {
		s.Lost = in.socket.drops()
	}
	return s
}
