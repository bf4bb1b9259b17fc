package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

const (
	messageKey = `"message":"`
	timeHead   = `{"time":"`
	timeLayout = "2006-01-02T15:04:05.000000Z"
	timeEnd    = len(timeHead) + len(timeLayout)
)

// envelope is what surrounds the message in the entries of one client. All
// entries of a run differ in time and message only, so an entry is compared
// with the envelope of the one before and decoded only when it differs: that
// keeps the full check at the price of a few memory comparisons.
type envelope struct {
	at   int    // offset of the message; 0 = nothing learned yet
	mid  []byte // from behind the time to the message
	tail []byte // behind the message
}

// message returns the message of an entry that looks like the one before, a
// slice of line, or nil.
func (e *envelope) message(line []byte, length int) []byte {
	at := e.at
	if at == 0 || len(line) != at+length+len(e.tail) ||
		string(line[at-len(messageKey):at]) != messageKey {
		return nil
	}
	return line[at : at+length]
}

// matches reports whether all around the message is as in the entry learned.
// REQUIRES: message(line) was not nil.
func (e *envelope) matches(line []byte, length int) bool {
	return string(line[:len(timeHead)]) == timeHead &&
		isTime(line[len(timeHead):timeEnd]) &&
		bytes.Equal(line[timeEnd:e.at], e.mid) &&
		bytes.Equal(line[e.at+length:], e.tail)
}

// isTime reports whether b has the digits and marks of timeLayout.
func isTime(b []byte) bool {
	if len(b) != len(timeLayout) {
		return false
	}
	for i, c := range b {
		if w := timeLayout[i]; w >= '0' && w <= '9' {
			if c < '0' || c > '9' {
				return false
			}
		} else if c != w {
			return false
		}
	}
	return true
}

// decoded is an object line taken apart: an entry, or a notice if kind is set.
type decoded struct {
	kind    string // top-level "type" of a control line
	message []byte // of an entry, unescaped
}

// decode takes line apart and checks an entry's shape: the keys and their
// order, the time's form, the source's name (source "" = any). The error says
// what is wrong; message is set then too if there is one.
func decode(line []byte, source string) (decoded, error) {
	var d decoded
	var m map[string]json.RawMessage
	if err := json.Unmarshal(line, &m); err != nil {
		return d, fmt.Errorf("not a JSON object: %w", err)
	}
	if t, ok := m["type"]; ok {
		return d, json.Unmarshal(t, &d.kind)
	}
	var text, stamp, name string
	if err := json.Unmarshal(m["message"], &text); err != nil {
		return d, errors.New("no message")
	}
	d.message = []byte(text)
	if json.Unmarshal(m["time"], &stamp) != nil {
		return d, errors.New("no time")
	}
	if _, err := time.Parse(timeLayout, stamp); err != nil {
		return d, fmt.Errorf("time %q is not of the form %s", stamp, timeLayout)
	}
	if json.Unmarshal(m["source"], &name) != nil || source != "" && name != source {
		return d, fmt.Errorf("source %q, want %q", name, source)
	}
	return d, checkKeys(line)
}

// checkKeys checks the names and the order of an entry's keys.
func checkKeys(line []byte) error {
	order := []string{"time", "source", "level", "message", "fields"}
	dec := json.NewDecoder(bytes.NewReader(line))
	if _, err := dec.Token(); err != nil {
		return err
	}
	at := 0
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		for at < len(order) && order[at] != key {
			at++
		}
		if at == len(order) {
			return fmt.Errorf("key %q is unknown, repeated or out of place", key)
		}
		at++
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			return err
		}
	}
	return nil
}

// learn remembers what surrounds the message of a well-formed entry whose
// message has the given length and no escapes; others are not remembered.
func (e *envelope) learn(line []byte, length int) {
	at := bytes.Index(line, []byte(messageKey)) + len(messageKey)
	end := at + length
	if at < timeEnd+len(messageKey) || end >= len(line) || line[end] != '"' ||
		bytes.IndexByte(line[at:end], '\\') >= 0 {
		return
	}
	e.at = at
	e.mid = append(e.mid[:0], line[timeEnd:at]...)
	e.tail = append(e.tail[:0], line[end:]...)
}
