package main

import (
	"bytes"
	"strings"
)

// sseState is what an event stream carries from one event to the next.
type sseState struct {
	header   bool   // the response header has been read
	lastID   uint64 // number of the last entry's id; 0 = none yet
	comments uint64
}

// sseEvent is one event; its slices point into the read buffer.
type sseEvent struct {
	name, data, id []byte
	lines          int // data lines
}

// scanSSE takes the complete events off buf and returns how many bytes they
// were. The body must be close-delimited, as the contract has it.
func (c *client) scanSSE(buf []byte) int {
	start := 0
	if !c.sse.header {
		n := bytes.Index(buf, []byte("\r\n\r\n"))
		if n < 0 {
			return 0
		}
		if !c.header(string(buf[:n])) {
			return len(buf)
		}
		start = n + 4
	}
	var ev sseEvent
	for pos := start; ; {
		i := bytes.IndexByte(buf[pos:], '\n')
		if i < 0 {
			return start
		}
		line := buf[pos : pos+i]
		pos += i + 1
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		if len(line) > 0 {
			c.field(&ev, line)
			continue
		}
		c.event(&ev)
		ev = sseEvent{}
		start = pos
	}
}

// header checks the response header and reports whether a stream follows.
func (c *client) header(h string) bool {
	c.sse.header = true
	status, _, _ := strings.Cut(h, "\r\n")
	low := strings.ToLower(h)
	switch {
	case !strings.HasPrefix(status, "HTTP/1.1 200"):
		c.fault("GET /stream: %s", status)
	case !strings.Contains(low, "\r\ncontent-type: text/event-stream"):
		c.fault("GET /stream: not an event stream: %.300q", h)
	case strings.Contains(low, "\r\ntransfer-encoding:"):
		c.fault("GET /stream: a transfer encoding, want a close-delimited body")
	default:
		c.phase = probing
		return true
	}
	c.protocol++
	c.end("refused: " + status)
	return false
}

// field takes one line of an event.
func (c *client) field(ev *sseEvent, line []byte) {
	if line[0] == ':' {
		c.sse.comments++
		if bytes.HasPrefix(line, []byte(": heartbeat")) {
			c.heartbeats++
		}
		return
	}
	i := bytes.IndexByte(line[:min(len(line), 8)], ':')
	if i < 0 {
		c.protocol++
		c.fault("not a field of an event: %.200q", line)
		return
	}
	value := line[i+1:]
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	switch string(line[:i]) {
	case "data":
		ev.data = value
		ev.lines++
	case "id":
		ev.id = value
	case "event":
		ev.name = value
	case "retry":
	default:
		c.protocol++
		c.fault("unknown field of an event: %.200q", line)
	}
}

// event takes one complete event.
func (c *client) event(ev *sseEvent) {
	switch {
	case ev.lines == 0: // a comment, a lone id or retry
	case ev.lines > 1:
		c.protocol++
		c.fault("an event with %d data lines: %.200q", ev.lines, ev.data)
	case len(ev.name) > 0:
		c.notice(string(ev.name), ev.data)
	default:
		before := c.entries
		c.object(ev.data)
		if c.run.full && !c.run.nchan && c.entries > before {
			c.checkID(ev.id)
		}
	}
}

// checkID checks that an entry has an id and that ids grow: one that repeats
// or goes back would make a client that reconnects lose or repeat lines.
func (c *client) checkID(id []byte) {
	dash := bytes.LastIndexByte(id, '-')
	n, ok := parseDigits(id[dash+1:])
	if dash < 0 || !ok || len(id)-dash > 21 {
		c.protocol++
		c.fault("id %.60q is not of the form <epoch>-<seq>", id)
		return
	}
	if n <= c.sse.lastID {
		c.protocol++
		c.fault("id %s does not follow %d", id, c.sse.lastID)
	}
	c.sse.lastID = n
}
