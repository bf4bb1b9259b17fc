package parse

import (
	"bytes"

	"logwisp/ring"
)

// accessWindow is how far into an access line its time may begin, in bytes.
const accessWindow = 256

// accessLine parses an access line in the common log format or one that begins
// like it. Its level is that of its status.
func (p *Parser) accessLine(line []byte, nowMicros int64, r *Result) bool {
	s, end := p.accessStamp(line)
	if s.n == 0 {
		return false
	}
	r.setTime(s, nowMicros)
	r.Level = statusLevel(line[end:])
	return true
}

// accessStamp finds the time of an access line: in brackets behind host,
// identity and user, with a virtual host before them perhaps. It returns the
// index behind the bracket as well.
func (p *Parser) accessStamp(line []byte) (s stamp, end int) {
	i := bytes.IndexByte(line[:min(len(line), accessWindow)], '[')
	if i < 0 {
		return stamp{}, 0
	}
	s = p.clfStamp(line[i+1:])
	end = i + 1 + s.n
	if s.n == 0 || end == len(line) || line[end] != ']' {
		return stamp{}, 0
	}
	if words := singleSpaces(line[:i]); words != 3 && words != 4 {
		return stamp{}, 0
	}
	return s, end + 1
}

// statusLevel returns the level of the status behind the request, which is in
// quotes: error for 5xx, warn for 4xx, else info. It is unknown unless a size
// follows, a number or a dash.
func statusLevel(b []byte) ring.Level {
	if len(b) < 2 || b[0] != ' ' || b[1] != '"' {
		return ring.LevelUnknown
	}
	i := nextSpecial(b, 2)
	for i < len(b) && b[i] != '"' {
		if b[i] == '\\' {
			i++ // what it escapes
		}
		i = nextSpecial(b, min(i+1, len(b)))
	}
	const status, size = len(`" `), len(`" 200 `)
	if len(b) <= i+size || b[i+1] != ' ' || b[i+size-1] != ' ' {
		return ring.LevelUnknown
	}
	code := b[i+status : i+size-1]
	if next := b[i+size]; twoDigits(code, 1) < 0 || next != '-' && !isDigit(next) {
		return ring.LevelUnknown
	}
	switch code[0] {
	case '1', '2', '3':
		return ring.LevelInfo
	case '4':
		return ring.LevelWarn
	case '5':
		return ring.LevelError
	}
	return ring.LevelUnknown
}

// singleSpaces returns the number of spaces in b, -1 when it begins with one or
// has two in a row.
func singleSpaces(b []byte) (n int) {
	before := byte(' ')
	for _, c := range b {
		if c == ' ' {
			if before == ' ' {
				return -1
			}
			n++
		}
		before = c
	}
	return n
}

// apacheErrorLine parses a line of Apache's error log, as in
// [Fri Jan 02 15:04:05.000000 2006] [core:error] [pid 1:tid 2] text.
func (p *Parser) apacheErrorLine(line []byte, nowMicros int64, r *Result) bool {
	s := p.weekdayStamp(line[1:])
	if s.n == 0 || !bytes.HasPrefix(line[1+s.n:], []byte("] [")) {
		return false
	}
	r.setTime(s, nowMicros)
	word := line[1+s.n+len("] ["):]
	if end := bytes.IndexByte(word[:min(len(word), levelWindow)], ']'); end >= 0 {
		word = word[:end]
		word = word[bytes.LastIndexByte(word, ':')+1:]
		r.Level, _ = levelWord(word)
	}
	return true
}
