package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// role is how a client behaves.
type role uint8

const (
	steady  role = iota // reads all the time
	stalled             // stops reading for a while after its first line
)

// phase is how far a client is.
type phase uint8

const (
	greeting phase = iota // waits for the header or the connected notice
	probing               // waits for its first probe line
	counting              // every numbered line counts
)

// client is one connection and all that is known about it. A reader thread
// owns it while the run lasts; others look at it when the readers have ended.
type client struct {
	index int
	fd    int
	role  role
	phase phase
	run   *session

	rest     []byte // the unfinished line or event of the last read
	env      envelope
	sse      sseState
	received int64 // time of the current read, ns since the epoch
	sample   func(writtenNano int64)

	ledger     ledger
	entries    uint64 // all entries, probes and earlier lines too
	content    uint64 // entries that are not what was written
	protocol   uint64 // bytes that are not the protocol
	heartbeats uint64

	closed     bool
	reason     string // why the connection ended, as far as known
	firstFault string
	resumeAt   time.Time // of a stalled client, while it is stopped
	hasStalled bool
}

// session is what all clients of a run share, read-only for them.
type session struct {
	form     *lineForm
	full     bool
	sse      bool
	notices  bool
	nats     bool   // entries come as messages of a NATS server
	nchan    bool   // entries come as messages of nchan, which has ids of its own
	bare     bool   // lines come as they were written
	raw      bool   // entries are counted only
	others   bool   // entries of other sources are left alone
	source   string // base name of the file
	started  int64  // ns since the epoch; older probes belong to other runs
	every    uint64 // one line in so many has its latency recorded
	stallFor time.Duration
}

// fault keeps the first fault's description; the counters hold how many.
func (c *client) fault(format string, args ...any) {
	if c.firstFault == "" {
		c.firstFault = fmt.Sprintf(format, args...)
	}
}

// scan takes the complete lines or events off buf and returns how many bytes
// they were.
func (c *client) scan(buf []byte) int {
	if c.run.sse {
		return c.scanSSE(buf)
	}
	pos := 0
	for {
		i := bytes.IndexByte(buf[pos:], '\n')
		if i < 0 {
			return pos
		}
		line := buf[pos : pos+i]
		pos += i + 1
		if c.run.bare {
			c.entry(line, line)
			continue
		}
		if c.run.nats {
			if line = natsPayload(line); line == nil {
				continue
			}
		}
		c.object(line)
	}
}

// object takes one JSON object: an entry, or on TCP a control line.
func (c *client) object(line []byte) {
	length := c.run.form.message
	msg := c.env.message(line, length)
	if msg == nil || c.run.full && c.phase == counting && !c.env.matches(line, length) {
		c.unfamiliar(line)
		return
	}
	c.entry(msg, line)
}

// unfamiliar decodes an object that is not like the entry before.
func (c *client) unfamiliar(line []byte) {
	if c.foreign(line) {
		return
	}
	d, err := decode(line, c.run.source)
	if err == nil && d.kind != "" {
		c.notice(d.kind, line)
		return
	}
	if c.phase == greeting && c.run.notices {
		return
	}
	if d.message == nil {
		c.protocol++
		c.fault("%v: %.200q", err, line)
		return
	}
	if err != nil && c.phase == counting {
		c.content++
		c.fault("entry with %v: %.200q", err, line)
		// The message may still be right: book its sequence, count it once.
		_ = c.book(d.message)
		return
	}
	if err == nil && len(d.message) == c.run.form.message {
		c.env.learn(line, c.run.form.message)
	}
	c.entry(d.message, line)
}

// entry takes the message of a well-formed entry.
func (c *client) entry(msg, line []byte) {
	if c.phase != counting {
		c.entries++
		c.probe(msg)
		if c.run.raw {
			c.phase = counting
		}
		return
	}
	whole := !c.run.full || c.run.form.check(msg)
	if !c.book(msg) || !whole {
		c.content++
		c.fault("content differs from what was written: %.300q", line)
	}
}

// book books the message's sequence and its latency, and reports whether it
// has a sequence.
func (c *client) book(msg []byte) bool {
	c.entries++
	seq, ok := lineSeq(msg)
	switch {
	case !ok:
		c.ledger.blind()
		return false
	case c.run.raw:
		c.ledger.received++
		return true
	case seq == 0 && c.ledger.next == 1:
		return true // a probe that other clients still needed
	}
	if !c.ledger.accept(seq) {
		c.fault("%s", c.ledger.irregular(seq))
	}
	if seq%c.run.every == 0 && c.role == steady {
		if nano, ok := lineNano(msg); ok {
			c.sample(nano)
		}
	}
	return true
}

// probe looks for the first probe of this run. What comes before it, lines of
// an earlier run from a daemon that replays, is not accounted for.
func (c *client) probe(msg []byte) {
	seq, ok := lineSeq(msg)
	nano, ok2 := lineNano(msg)
	if c.phase == probing && ok && ok2 && seq == 0 && nano >= c.run.started {
		c.phase = counting
		c.ledger.next = 1
	}
}

// notice takes a control line or a named event. Kinds it does not know are
// left alone: the contract may grow.
func (c *client) notice(kind string, data []byte) {
	var n struct {
		Count, Missed uint64
		Reason, Error string
	}
	if kind != "heartbeat" {
		if err := json.Unmarshal(data, &n); err != nil {
			c.protocol++
			c.fault("%s notice is not JSON: %v: %.200q", kind, err, data)
			return
		}
	}
	switch kind {
	case "connected":
		if c.phase == greeting {
			c.phase = probing
		}
	case "heartbeat":
		c.heartbeats++
	case "drop", "gap":
		if c.phase == counting {
			c.ledger.announce(n.Count + n.Missed)
		}
	case "disconnect":
		c.reason = "disconnect: " + n.Reason
	case "error":
		c.protocol++
		c.fault("the daemon says: %s", n.Error)
	}
}
