package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// control is a line that is no entry; each type has some of the keys.
type control struct {
	Type   string
	ID     string // of the last entry scanned, on a heartbeat
	Head   string
	To     string
	Count  uint64
	Missed uint64
	Reason string

	Error, Suggestion string
	Code              int
}

// control does what a control line says. A type that is not known is none of
// ours.
func (f *follower) control(line []byte, greet func()) error {
	var c control
	if err := json.Unmarshal(line, &c); err != nil {
		return fmt.Errorf("read a control line: %w", err)
	}
	if f.discard && c.Type != "connected" && c.Type != "error" {
		return nil
	}
	switch c.Type {
	case "connected":
		f.discard = false
		greet()
		if f.live() && len(f.lastID) == 0 {
			f.seen(c.Head)
		}
	case "drop":
		f.seen(c.To)
		return f.loss(c.Count)
	case "gap":
		return f.loss(c.Missed)
	case "reset":
		if c.Reason == "expired" { // how many there were, nobody knows
			return f.lossOf("entries lost: those behind the last one are no longer held")
		}
		f.tell("the server was started anew: what follows is from its oldest entry on")
	case "heartbeat":
		f.seen(c.ID)
	case "disconnect":
		return f.disconnect(c.Reason)
	case "error":
		return f.refused(&c)
	}
	return nil
}

// live reports whether the stream was asked for from its live end, or from
// wherever the server begins: it is resumed at its head then, even if it breaks
// before its first entry. Otherwise the same is asked for again.
func (f *follower) live() bool {
	if f.Tail != nil && *f.Tail > 0 || f.Since != "" {
		return false
	}
	if f.server.url == nil {
		return true
	}
	query := f.server.url.Query()
	return !query.Has("from") && !query.Has("tail") && !query.Has("since") && !query.Has("last_event_id")
}

// seen notes that everything up to an id has been dealt with.
func (f *follower) seen(id string) {
	if id != "" {
		f.lastID = append(f.lastID[:0], id...)
	}
}

// loss reports entries that were lost at this place.
func (f *follower) loss(n uint64) error {
	if n == 0 {
		return nil
	}
	f.out.lost += n
	text := count(n) + " entries lost"
	if n == 1 {
		text = "1 entry lost"
	}
	return f.lossOf(text)
}

// lossOf tells a loss, which ends the program where that is asked for.
func (f *follower) lossOf(text string) error {
	if f.FailOnDrop {
		f.mark(text)
		if f.inline {
			return &refusal{code: exitLoss}
		}
		return &refusal{code: exitLoss, lines: []string{text}}
	}
	f.tell(text)
	return nil
}

// tell says something at this place of the stream.
func (f *follower) tell(text string) {
	if f.mark(text); !f.inline {
		f.out.later(text)
	}
}

// mark puts a text between the entries, where that is no entry's place.
func (f *follower) mark(text string) {
	if f.inline {
		f.out.text = append(f.paint.wrap(f.out.text, yellow, "-- "+text+" --"), '\n')
	}
}

// disconnect is the server's last word on a connection.
func (f *follower) disconnect(why string) error {
	switch why {
	case "limit":
		return errDone
	case "kicked":
		return &refusal{code: exitRefused, lines: []string{f.server.String() + ": this client was disconnected there: by hand, or its token or address may read no more"}}
	case "server_shutdown":
		return errors.New("the server has stopped")
	case "slow":
		return errors.New("this client was too slow")
	}
	return io.EOF
}

// refused is the answer to a hello that is not taken.
func (f *follower) refused(c *control) error {
	body, _ := json.Marshal(map[string]string{"error": c.Error, "suggestion": c.Suggestion})
	status := c.Code
	if status == 0 {
		status = http.StatusBadRequest
		if strings.Contains(strings.ToLower(c.Error), "token") {
			status = http.StatusUnauthorized
		}
	}
	return f.server.refusedBy(status, body)
}
