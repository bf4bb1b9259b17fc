// Package record holds every JSON form that a client of LogWisp can see: the
// entry, and the control objects sent between entries. An entry is encoded
// once, into the page of the ring from which all subscribers are served.
//
// It is the only room with sonic; AppendJSON lends it to those that have an
// object of their own to send.
package record

import (
	"bytes"
	"math"
	"strconv"
	"time"

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

// Encoder appends entries. It remembers the last source and time, so that a run
// of similar entries is cheap. Not safe for concurrent use; the zero value is
// ready.
type Encoder struct {
	// head is `{"time":"2006-01-02T15:04:05.000000Z","source":"…"` of the last
	// entry; nil = none yet.
	head   []byte
	micros int64
	source string

	second int64 // whose digits are in head
	day    int64 // the same, counted from 1970
}

// Where things stand in head.
const (
	headStart  = `{"time":"`
	dateAt     = len(headStart)
	dateLayout = "2006-01-02T15:04:05"
	clockAt    = dateAt + len("2006-01-02T")
	fractionAt = dateAt + len(dateLayout) + 1
	headTime   = headStart + dateLayout + `.000000Z","source":`
)

// messageKeys is what stands between source and message, by level.
var messageKeys = func() (keys [ring.LevelFatal + 1]string) {
	for l := range keys {
		if name := ring.Level(l).String(); name != "" {
			keys[l] = `,"level":"` + name + `"`
		}
		keys[l] += `,"message":`
	}
	return keys
}()

// Append appends e as one line of JSON, newline included, keys in the order
// time, source, level, message, fields. A level beyond LevelFatal is unknown.
func (c *Encoder) Append(dst []byte, e *Entry) []byte {
	if c.head == nil || c.source != e.Source {
		c.setSource(e.Source)
	}
	if c.micros != e.Micros {
		c.setTime(e.Micros)
	}
	dst = append(dst, c.head...)
	level := e.Level
	if level > ring.LevelFatal {
		level = ring.LevelUnknown
	}
	dst = append(dst, messageKeys[level]...)
	if e.Quoted {
		dst = append(dst, e.Message...)
	} else {
		dst = appendString(dst, e.Message)
	}
	dst = appendFields(dst, e)
	return append(dst, '}', '\n')
}

// setSource puts the source into head, and leaves the time.
func (c *Encoder) setSource(source string) {
	if c.head == nil {
		c.head = append(c.head, headTime...)
		c.micros, c.second, c.day = math.MinInt64, math.MinInt64, math.MinInt64
	}
	c.head = appendString(c.head[:len(headTime)], []byte(source))
	c.source = source
}

// setTime puts the time into head: RFC 3339 in UTC with six fraction digits.
func (c *Encoder) setTime(micros int64) {
	second, fraction := micros/1e6, micros%1e6
	if fraction < 0 {
		second, fraction = second-1, fraction+1e6
	}
	if second != c.second {
		c.setDate(second)
	}
	digits := c.head[fractionAt : fractionAt+6]
	for i := 4; i >= 0; i -= 2 {
		pair := fraction % 100
		fraction /= 100
		digits[i], digits[i+1] = byte('0'+pair/10), byte('0'+pair%10)
	}
	c.micros = micros
}

// setDate puts the whole seconds of the time into head.
func (c *Encoder) setDate(second int64) {
	const perDay = 86400
	day, clock := second/perDay, second%perDay
	if clock < 0 {
		day, clock = day-1, clock+perDay
	}
	if day != c.day {
		var text [len(dateLayout) + 16]byte
		copy(c.head[dateAt:fractionAt-1], time.Unix(second, 0).UTC().AppendFormat(text[:0], dateLayout))
		c.day = day
	}
	digits := c.head[clockAt : clockAt+8]
	for i, n := range [3]int64{clock / 3600, clock / 60 % 60, clock % 60} {
		digits[3*i], digits[3*i+1] = byte('0'+n/10), byte('0'+n%10)
	}
	c.second = second
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

// AppendJSON appends v as one line of JSON without a newline. It is for
// objects that are sent now and then (status, errors), not for entries.
func AppendJSON(dst []byte, v any) ([]byte, error) {
	err := encoder.EncodeInto(&dst, v, encoder.NoEncoderNewline)
	return dst, err
}

// AppendLine appends v, an object of our own, as one line of JSON.
func AppendLine(dst []byte, v any) []byte {
	dst, err := AppendJSON(dst, v)
	if err != nil {
		panic("record: an object of our own cannot fail to encode: " + err.Error())
	}
	return append(dst, '\n')
}

// IDs name the entries of a ring.
type IDs interface {
	// AppendID appends the id of entry seq.
	AppendID(dst []byte, seq uint64) []byte

	// Run names the run of numbers that ids belong to, for people.
	Run() string
}

// Epoch is the IDs of a daemon on its own, <epoch>-<seq>.
type Epoch uint64

// AppendID appends the id of entry seq.
func (e Epoch) AppendID(dst []byte, seq uint64) []byte { return AppendID(dst, uint64(e), seq) }

// Run returns the epoch.
func (e Epoch) Run() string { return strconv.FormatUint(uint64(e), 10) }

// AppendID appends the id of an entry: <epoch>-<seq>.
func AppendID(dst []byte, epoch, seq uint64) []byte {
	dst = strconv.AppendUint(dst, epoch, 10)
	dst = append(dst, '-')
	return strconv.AppendUint(dst, seq, 10)
}
