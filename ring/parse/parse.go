// Package parse turns one line of a log into the parts of an entry: time,
// level, message and the remaining fields. It knows JSON objects, logfmt, the
// usual leads of text lines and patterns with named groups, and takes the lines
// of container runtimes apart.
//
// What must stay true:
//   - Nothing of a line is lost. A key is taken out of the fields only when
//     the entry says the same elsewhere; a value that would lose precision or
//     meaning is taken and kept. A text line is its own message, whole.
//   - Any doubt makes a line a text line, and a text line without a level: a
//     wrong level is worse than none.
//   - One pass over the line and no allocation in the usual case; time and
//     memory are linear in the line's length whatever it holds.
package parse

import (
	"regexp"
	"time"
	"unicode/utf8"

	"logwisp/ring"
)

// Parser parses lines. The zero value is ready to use. It keeps buffers from
// call to call, so one Parser serves one goroutine at a time.
type Parser struct {
	// Location is the zone of times that name none; nil means time.Local.
	Location *time.Location

	// Format says how lines are read; the zero value is Auto. Pattern belongs to
	// Regex and comes from CompilePattern; a match allocates.
	Format  Format
	Pattern *regexp.Regexp

	// Own has entries in LogWisp's own form understood: what they say of their
	// source is Result.Source, what is in their fields are the fields.
	Own bool

	found  [keyCount]member // the first member of each known key; valid where seen says so
	seen   uint32           // a bit per key in found
	traits uint64           // what the scan of a JSON or logfmt line has seen
	pairs  []pair           // all of a logfmt line

	fields   []byte  // backs Result.Fields when it is not a part of the line
	text     []byte  // backs an unescaped Result.Message
	value    []byte  // an unescaped logfmt value on its way into fields
	repaired []byte  // the line with its bad bytes replaced
	stripped []byte  // the line without escape sequences
	members  []byte  // what a syslog message says beside its text
	docker   *Parser // of the lines of Docker around others; nil until there is one

	// What is remembered of the lines before only saves work.
	keys     keyMemory // of JSON lines
	pairKeys keyMemory // of logfmt lines
	level    lastLevel
	minute   lastMinute
	clfDay   lastDay
	local    localMinute
}

// Result is one parsed line. Its slices point into the line or into the
// Parser: they are valid until the line changes or the Parser's next call.
type Result struct {
	Micros  int64      // the line's own time in microseconds since 1970 UTC; only when HasTime
	HasTime bool       // the line has a time that is understood and plausible
	Level   ring.Level // LevelUnknown when the line does not say
	Message []byte     // the message text; of a text line the whole line, as it is
	Quoted  bool       // Message is a complete, valid JSON string with its quotes, to be written as it stands
	Fields  []byte     // nil, or one JSON object without line breaks: every other key of the line
	Source  []byte     // of an entry in LogWisp's own form, else nil; only with Parser.Own
	ID      []byte     // its id, as it stands between the quotes in the line; nil for none
}

// Line parses one line, which comes without its line end, into r, overwriting
// all of it. Every input has a result. nowMicros, the present in microseconds
// since 1970 UTC, supplies the year where a format has none and rejects times
// before 1990 or more than a day ahead.
//
// Message and Fields of a JSON or logfmt line are valid UTF-8, bad bytes being
// replaced by U+FFFD; a text line is handed over as it is.
func (p *Parser) Line(line []byte, nowMicros int64, r *Result) {
	*r = Result{Message: line}
	p.releaseLarge(len(line))
	i := skipSpace(line, 0)
	if i == len(line) {
		return
	}
	if !p.structured(line, i, nowMicros, r) {
		p.textLine(line, nowMicros, r)
	}
}

// structured parses a line that has parts by its format, the first byte that is
// not white space being that at i. It reports false, with r untouched, for a
// line of text.
func (p *Parser) structured(line []byte, i int, nowMicros int64, r *Result) bool {
	switch p.Format {
	case Auto:
		return line[i] == '{' && p.jsonLine(line, i, nowMicros, r) || p.logfmtLine(line, nowMicros, r)
	case JSON:
		return line[i] == '{' && p.jsonLine(line, i, nowMicros, r)
	case Logfmt:
		return p.logfmtLine(line, nowMicros, r)
	case Regex:
		return p.regexLine(line, nowMicros, r)
	}
	return false
}

// largeBuffer is the capacity in bytes up to which a buffer is always kept.
const largeBuffer = 64 << 10

// releaseLarge drops buffers that a far longer line has left behind, so that
// one huge line does not hold memory for ever.
func (p *Parser) releaseLarge(n int) {
	if cap(p.fields)|cap(p.text)|cap(p.value)|cap(p.repaired)|cap(p.members)|cap(p.pairs) < largeBuffer/pairSize {
		return
	}
	if size := cap(p.pairs) * pairSize; size > largeBuffer && size/8 > n {
		p.pairs = nil
	}
	for _, b := range [...]*[]byte{&p.fields, &p.text, &p.value, &p.repaired, &p.members} {
		if cap(*b) > largeBuffer && cap(*b)/8 > n {
			*b = nil
		}
	}
}

// plausible reports whether a line may carry this time: from 1990 up to a day
// ahead of now.
func plausible(micros, nowMicros int64) bool {
	const since1990, day = 631152000 * 1e6, 86400 * 1e6
	return micros >= since1990 && micros <= nowMicros+day
}

// repair returns a copy of the line with every byte that is not UTF-8 replaced
// by U+FFFD, in p.repaired.
func (p *Parser) repair(line []byte) []byte {
	p.repaired = appendValid(p.repaired[:0], line)
	return p.repaired
}

// appendValid appends b with U+FFFD for each byte that is not UTF-8.
func appendValid(dst, b []byte) []byte {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, "\uFFFD"...)
		} else {
			dst = append(dst, b[:n]...)
		}
		b = b[n:]
	}
	return dst
}

// skipSpace returns the index of the first byte from i on that is not JSON
// white space, len(b) if there is none.
func skipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' {
		if c := b[i]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			break
		}
		i++
	}
	return i
}

func isDigit(c byte) bool { return c-'0' < 10 }

func isLetter(c byte) bool { return (c|0x20)-'a' < 26 }

func isUpper(c byte) bool { return c-'A' < 26 }
