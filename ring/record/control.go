package record

import (
	"strconv"
	"time"
)

// Heartbeat is what a heartbeat says about the server. Which of it is sent is
// for the two switches.
type Heartbeat struct {
	Now           time.Time
	ActiveClients int
	Uptime        time.Duration

	Timestamp bool // include_timestamp
	Stats     bool // include_stats
}

// AppendJSON appends the JSON form, without a newline.
func (h *Heartbeat) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"type":"heartbeat"`...)
	if h.Timestamp {
		dst = append(dst, `,"timestamp":"`...)
		dst = h.Now.UTC().AppendFormat(dst, time.RFC3339)
		dst = append(dst, '"')
	}
	if h.Stats {
		dst = append(dst, `,"active_clients":`...)
		dst = strconv.AppendInt(dst, int64(h.ActiveClients), 10)
		dst = append(dst, `,"uptime_seconds":`...)
		dst = strconv.AppendInt(dst, int64(h.Uptime/time.Second), 10)
	}
	return append(dst, '}')
}

// AppendComment appends the form of an SSE comment line, without a newline.
func (h *Heartbeat) AppendComment(dst []byte) []byte {
	dst = append(dst, `: heartbeat`...)
	if h.Timestamp {
		dst = append(dst, ' ')
		dst = h.Now.UTC().AppendFormat(dst, time.RFC3339)
	}
	if h.Stats {
		dst = append(dst, ` clients=`...)
		dst = strconv.AppendInt(dst, int64(h.ActiveClients), 10)
		dst = append(dst, ` uptime=`...)
		dst = strconv.AppendInt(dst, int64(h.Uptime/time.Second), 10)
		dst = append(dst, 's')
	}
	return dst
}

// Drop is a run of entries that a subscriber did not get.
type Drop struct {
	IDs    IDs
	Count  uint64 // entries lost; 0 = all from From to To
	From   uint64 // seq of the first entry lost
	To     uint64 // seq of the last one, or of a later one up to which the count is
	Reason string // "lagged" or "sampled"
	Total  uint64 // entries this subscriber has lost so far, these included
}

// AppendJSON appends the object, without a newline. withType adds the key that
// marks a control line on TCP and NDJSON.
func (d *Drop) AppendJSON(dst []byte, withType bool) []byte {
	dst = append(dst, '{')
	if withType {
		dst = append(dst, `"type":"drop",`...)
	}
	dst = append(dst, `"count":`...)
	dst = strconv.AppendUint(dst, d.Lost(), 10)
	dst = append(dst, `,"from":"`...)
	dst = d.IDs.AppendID(dst, d.From)
	dst = append(dst, `","to":"`...)
	dst = d.IDs.AppendID(dst, d.To)
	dst = append(dst, `","reason":"`...)
	dst = append(dst, d.Reason...)
	dst = append(dst, `","total":`...)
	dst = strconv.AppendUint(dst, d.Total, 10)
	return append(dst, '}')
}

// Lost returns the number of entries lost.
func (d *Drop) Lost() uint64 {
	if d.Count > 0 {
		return d.Count
	}
	return d.To - d.From + 1
}

// Gap is what a subscriber that resumes did not find held any more.
type Gap struct {
	IDs       IDs
	Requested uint64 // seq of the entry behind which it asked to go on
	Resumed   uint64 // seq of the entry with which it goes on
	Missed    uint64 // entries in between
}

// AppendJSON appends the object, without a newline. withType is as in Drop.
func (g *Gap) AppendJSON(dst []byte, withType bool) []byte {
	dst = append(dst, '{')
	if withType {
		dst = append(dst, `"type":"gap",`...)
	}
	dst = append(dst, `"requested":"`...)
	dst = g.IDs.AppendID(dst, g.Requested)
	dst = append(dst, `","resumed":"`...)
	dst = g.IDs.AppendID(dst, g.Resumed)
	dst = append(dst, `","missed":`...)
	dst = strconv.AppendUint(dst, g.Missed, 10)
	return append(dst, '}')
}

// Connected is what a subscriber is told first.
type Connected struct {
	Type     string `json:"type,omitempty"` // as a control line: connected
	ClientID string `json:"client_id"`
	Epoch    string `json:"epoch"`
	Head     string `json:"head"`                   // id of the newest entry
	Oldest   string `json:"oldest"`                 // id of the oldest entry held
	Resumed  string `json:"resumed_from,omitempty"` // id behind which it goes on, as it asked
	Version  string `json:"version"`
}

// Disconnect is the last thing a subscriber is told.
type Disconnect struct {
	Type   string `json:"type,omitempty"` // as a control line: disconnect
	Reason string `json:"reason"`         // server_shutdown, slow, limit, kicked
}

// Reset tells a subscriber that the stream begins anew.
type Reset struct {
	Type   string `json:"type,omitempty"` // as a control line: reset
	Reason string `json:"reason"`         // epoch
}

// Error is the body of every answer that is not a success.
type Error struct {
	Error      string `json:"error"`
	Code       int    `json:"code"`
	Parameter  string `json:"parameter,omitempty"`
	Suggestion string `json:"suggestion,omitempty"`
}
