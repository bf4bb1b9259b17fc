// Package record holds every JSON form that a client of LogWisp can see: the
// entry, and the control objects sent between entries. An entry is encoded
// once, into the page of the ring from which all subscribers are served.
//
// It is the only room with sonic; AppendJSON lends it to those that have an
// object of their own to send.
package record

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/bytedance/sonic/encoder"

	"logwisp/ring"
)

// Entry is one line of one source.
type Entry struct {
	Micros  int64      // time, microseconds since 1970, between the years 0 and 9999
	Source  string     // name of the source
	Level   ring.Level // LevelUnknown is left out
	Message []byte     // the text; bytes that are not UTF-8 become U+FFFD
	Quoted  bool       // Message is a valid JSON string with its quotes and is taken as it is
	Fields  []byte     // nil, or a valid JSON object on one line, taken as it is

	Partial   bool  // the line had no newline: fields._partial
	Truncated int64 // bytes cut off the line, 0 = none: fields._truncated
}

// Encoder appends entries. It remembers the last second, source and time, so
// that a run of similar entries is cheap. Not safe for concurrent use; the zero
// value is ready.
type Encoder struct {
	second int64
	date   [20]byte // second as 2006-01-02T15:04:05 and a dot
	dated  bool

	micros int64
	source string
	head   []byte // `{"time":"…","source":"…"` of micros and source; nil = none yet

	// What sonic is handed addresses of; as fields they cost no allocation.
	buf []byte
	str string
}

// Append appends e as one line of JSON, newline included, keys in the order
// time, source, level, message, fields.
func (c *Encoder) Append(dst []byte, e *Entry) []byte {
	if c.micros != e.Micros || c.source != e.Source || c.head == nil {
		c.makeHead(e.Micros, e.Source)
	}
	dst = append(dst, c.head...)
	if e.Level != ring.LevelUnknown {
		dst = append(dst, `,"level":"`...)
		dst = append(dst, e.Level.String()...)
		dst = append(dst, '"')
	}
	dst = append(dst, `,"message":`...)
	if e.Quoted {
		dst = append(dst, e.Message...)
	} else {
		dst = c.appendString(dst, e.Message)
	}
	dst = appendFields(dst, e)
	return append(dst, '}', '\n')
}

// makeHead makes what is the same for all entries of one source and time.
func (c *Encoder) makeHead(micros int64, source string) {
	head := append(c.head[:0], `{"time":"`...)
	head = c.appendTime(head, micros)
	head = append(head, `Z","source":`...)
	c.head = c.appendString(head, []byte(source))
	c.micros, c.source = micros, source
}

// appendFields appends the fields object with LogWisp's own keys, or nothing
// when it would be empty.
func appendFields(dst []byte, e *Entry) []byte {
	if e.Fields == nil && !e.Partial && e.Truncated == 0 {
		return dst
	}
	dst = append(dst, `,"fields":`...)
	open := byte('{')
	if end := bytes.LastIndexByte(e.Fields, '}'); end > 0 {
		if !e.Partial && e.Truncated == 0 {
			return append(dst, e.Fields...)
		}
		if body := e.Fields[:end]; len(bytes.TrimSpace(body)) > 1 {
			dst = append(dst, body...)
			open = ','
		}
	}
	if e.Partial {
		dst = append(append(dst, open), `"_partial":true`...)
		open = ','
	}
	if e.Truncated > 0 {
		dst = append(append(dst, open), `"_truncated":`...)
		dst = strconv.AppendInt(dst, e.Truncated, 10)
	}
	return append(dst, '}')
}

// appendTime appends RFC 3339 in UTC with six fraction digits, without the Z.
func (c *Encoder) appendTime(dst []byte, micros int64) []byte {
	second, frac := micros/1e6, micros%1e6
	if frac < 0 {
		second, frac = second-1, frac+1e6
	}
	if !c.dated || second != c.second {
		t := time.Unix(second, 0).UTC().AppendFormat(c.date[:0], "2006-01-02T15:04:05.")
		copy(c.date[:], t)
		c.second, c.dated = second, true
	}
	dst = append(dst, c.date[:]...)
	digits := [6]byte{}
	for i := 5; i >= 0; i-- {
		digits[i] = byte('0' + frac%10)
		frac /= 10
	}
	return append(dst, digits[:]...)
}

// appendString appends s as a JSON string. What stands for itself is copied;
// the rest goes through sonic, repaired first where it is not UTF-8.
func (c *Encoder) appendString(dst, s []byte) []byte {
	escape, ascii := inspect(s)
	if !ascii && !utf8.Valid(s) {
		s = bytes.ToValidUTF8(s, []byte("\uFFFD"))
	}
	if !escape {
		dst = append(dst, '"')
		dst = append(dst, s...)
		return append(dst, '"')
	}
	c.buf = dst
	c.str = unsafe.String(unsafe.SliceData(s), len(s)) // only read, and only during the call
	if err := encoder.EncodeInto(&c.buf, &c.str, encoder.NoEncoderNewline); err != nil {
		panic("record: a string cannot fail to encode: " + err.Error())
	}
	dst, c.buf, c.str = c.buf, nil, ""
	return dst
}

// inspect reports whether a byte of s must be escaped in a JSON string, and
// whether all are ASCII. It looks at eight bytes at a time: a byte of a word
// minus n borrows into its top bit when it is below n.
func inspect(s []byte) (escape, ascii bool) {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	var special, high uint64
	for len(s) >= 8 {
		w := binary.LittleEndian.Uint64(s)
		quote, slash := w^('"'*ones), w^('\\'*ones)
		special |= ((w - ' '*ones) | (quote - ones) | (slash - ones)) & ^w & tops
		high |= w
		s = s[8:]
	}
	for _, b := range s {
		if b < ' ' || b == '"' || b == '\\' {
			special = 1
		}
		high |= uint64(b)
	}
	return special != 0, high&tops == 0
}

// AppendJSON appends v as one line of JSON without a newline. It is for
// objects that are sent now and then (status, errors), not for entries.
func AppendJSON(dst []byte, v any) ([]byte, error) {
	err := encoder.EncodeInto(&dst, v, encoder.NoEncoderNewline)
	return dst, err
}

// AppendID appends the id of an entry: <epoch>-<seq>.
func AppendID(dst []byte, epoch, seq uint64) []byte {
	dst = strconv.AppendUint(dst, epoch, 10)
	dst = append(dst, '-')
	return strconv.AppendUint(dst, seq, 10)
}
