package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"logwisp/ring/entry"
)

// A sender may begin with a line of its own, and then learns what was published:
//
//	{"hello":1,"acks":true,"host":"web1","token":"lw_…"}
//	{"ack":"1795361890502-7"}
//
// Behind each turn it is told the id of the last entry that had one, or how many
// lines have come where none has. What comes before it is in the ring, or was
// kept out by [filter]; a line without an end is not. The host, if there is one,
// becomes a field of entries that have none of that name.

// answerTime is how long a sender may take no answer.
const answerTime = 30 * time.Second

// maxHost is the length in bytes of the longest host.
const maxHost = 255

// talking is what was said between a sender and the server.
type talking struct {
	conn    net.Conn
	socket  net.Conn // below TLS
	limited *socket  // it is waited for the hello only so long; nil: for ever
	greeted bool
	acks    bool
	inside  bool   // the line that came last had no end: what comes is the rest of it
	pending []byte // its id
	lines   uint64 // that have come
	told    uint64 // of lines, in the last answer
}

// hello is what a sender may say first. What else there is in it is for others.
type hello struct {
	Hello int    `json:"hello"`
	Host  string `json:"host"`
	Acks  bool   `json:"acks"`
	Token string `json:"token"`
}

// hear takes note of a line. It reports true for one that becomes no entry: a
// hello, and all that follows one that is not right.
func (st *stream) hear(l *entry.Line) bool {
	t := st.talk
	if !t.greeted {
		t.greeted = true
		if t.limited != nil {
			t.limited.until = time.Time{}
		}
		if isHello(l.Text) {
			st.begun = true
			st.refused = st.greet(l.Text)
			return true
		}
		st.refused = st.enter("")
	}
	if !l.Partial { // what it begins has not come before its end
		t.lines++
	}
	st.named = false
	if id := t.idOf(l); len(id) > 0 {
		st.lastID, st.named = append(st.lastID[:0], id...), true
	}
	return st.refused != nil
}

// maxID is the length in bytes of the longest id.
const maxID = 128

var idPrefix = []byte(`{"id":"`)

// idOf returns the id that a line begins with, once the line has ended. It is taken
// from the line as it came: what is cut, redacted or parsed as another format has it
// no more, and the sender would wait for it for ever.
func (t *talking) idOf(l *entry.Line) (id []byte) {
	switch rest, ok := bytes.CutPrefix(l.Text, idPrefix); {
	case t.inside:
		id = t.pending
	case ok:
		if i := bytes.IndexByte(rest[:min(len(rest), maxID+1)], '"'); i > 0 && bytes.IndexByte(rest[:i], '\\') < 0 {
			id = rest[:i]
		}
	}
	if l.Partial && !t.inside {
		t.pending = append(t.pending[:0], id...)
	}
	if t.inside = l.Partial; t.inside {
		return nil
	}
	return id
}

var (
	helloPrefix = []byte(`{"hello":`)

	errHelloAstray = errors.New("a hello comes first, and to an input of lines: its token is not for those who read")
	errHTTP        = errors.New("this port takes lines, not HTTP: POST /ingest is at the HTTP server")
)

// astray reports whether a line, and what follows it, is not to become an entry,
// since the sender takes this for another port: a hello with a token, which all who
// read would see, or a request that a page of any site has a browser send.
func (st *stream) astray(line []byte) bool {
	first := !st.begun
	st.begun = true
	switch {
	case st.refused != nil:
	case first && st.in.port != "" && isRequest(line):
		st.refused = errHTTP
	case bytes.HasPrefix(line, helloPrefix), first && isHello(line):
		var h hello
		if json.Unmarshal(line, &h) == nil && h.Hello > 0 && h.Token != "" {
			st.refused = errHelloAstray
		}
	}
	return st.refused != nil
}

// isRequest reports whether a line begins a request of HTTP/1 (RFC 9112, 3).
func isRequest(line []byte) bool {
	line = bytes.TrimSuffix(line, []byte("\r"))
	method, _, ok := bytes.Cut(line, []byte(" "))
	return ok && (bytes.HasSuffix(line, []byte(" HTTP/1.1")) || bytes.HasSuffix(line, []byte(" HTTP/1.0"))) &&
		len(bytes.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) == 0
}

// isHello reports whether a first line is a hello: it begins as one, or is an object
// that has the keys of one and no others, in any order.
func isHello(line []byte) bool {
	if bytes.HasPrefix(line, helloPrefix) {
		return true
	}
	if len(line) == 0 || line[0] != '{' || !bytes.Contains(line, []byte(`"hello"`)) {
		return false
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(line, &members) != nil || members["hello"] == nil {
		return false
	}
	for name := range members {
		if !slices.Contains([]string{"hello", "name", "host", "acks", "token"}, name) {
			return false
		}
	}
	return true
}

// greet takes a hello. Its error is for the sender.
func (st *stream) greet(line []byte) error {
	var h hello
	switch err := json.Unmarshal(line, &h); {
	case err != nil:
		return fmt.Errorf("the hello is not right: %w", err)
	case h.Hello != 1:
		return fmt.Errorf("hello is %d: this daemon speaks 1", h.Hello)
	case len(h.Host) > maxHost:
		return fmt.Errorf("host has %d bytes: at most %d", len(h.Host), maxHost)
	}
	if err := st.enter(h.Token); err != nil {
		return err
	}
	st.talk.acks, st.ids = h.Acks, h.Acks
	if h.Host != "" {
		host, err := entry.Members(map[string]string{"host": h.Host})
		if err != nil {
			return err
		}
		tags := append(append([]byte{'{'}, st.tags...), '}')
		merged := entry.Merge(nil, tags, host)
		st.tags = merged[1 : len(merged)-1]
	}
	return nil
}

// answer tells the sender what there is to tell (G6). Its error ends the
// connection.
func (st *stream) answer() error {
	t := st.talk
	switch {
	case st.refused != nil:
		line, _ := json.Marshal(map[string]string{"type": "error", "error": st.refused.Error()})
		return errors.Join(st.refused, st.say(line))
	case t.greeted && !t.acks:
		st.talk = nil
		return nil
	case t.lines == t.told:
		return nil
	}
	t.told = t.lines
	line := []byte(`{"ack":"`)
	if len(st.lastID) > 0 {
		line = append(line, st.lastID...)
	} else {
		line = strconv.AppendUint(line, t.lines, 10)
	}
	return st.say(append(line, `"}`...))
}

// say writes a line. No worker is held meanwhile (G1).
func (st *stream) say(line []byte) error {
	c := st.talk.conn
	_ = c.SetWriteDeadline(time.Now().Add(answerTime))
	if st.server.stopping() {
		_ = c.SetWriteDeadline(st.server.deadline())
	}
	_, err := c.Write(append(line, '\n'))
	_ = c.SetWriteDeadline(time.Unix(1, 0)) // as newSecure has it
	return err
}
