package main

import (
	"bytes"
	"encoding/json"
)

// logEntry is what is read of an entry. Fields is a JSON object, or nil.
type logEntry struct {
	Time, Source, Level, Message string
	Fields                       json.RawMessage
}

// decode reads an entry; a line that is none is the message. With cut set, its
// opening brace is missing.
func decode(line []byte, cut bool) (e logEntry) {
	if e.scan(line, cut) {
		return e
	}
	e = logEntry{}
	if cut {
		line = append([]byte{'{'}, line...)
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return logEntry{Message: string(line)}
	}
	if !bytes.HasPrefix(e.Fields, []byte("{")) {
		e.Fields = nil
	}
	return e
}

// scan reads an entry of the form that LogWisp gives it, several times as fast
// as what reads any JSON. It returns false for all else, which may be an entry.
func (e *logEntry) scan(line []byte, cut bool) bool {
	s := scanner{rest: line}
	if !cut {
		s.expect('{')
	}
	for name, value := range s.pairs {
		text := (*string)(nil)
		switch string(name) {
		case `"time"`:
			text = &e.Time
		case `"source"`:
			text = &e.Source
		case `"level"`:
			text = &e.Level
		case `"message"`:
			text = &e.Message
		case `"fields"`:
			if value[0] != '{' {
				return false
			}
			e.Fields = value
			continue
		}
		if text == nil || value[0] != '"' {
			return false
		}
		*text = textOf(value)
	}
	return !s.failed && len(s.rest) == 0
}

// textOf is the text of a JSON string; of anything else, the thing itself.
func textOf(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return string(value)
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1])
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return string(value)
	}
	return text
}

// scanner walks over one line of JSON.
type scanner struct {
	rest   []byte
	failed bool // what is there is something else
}

// skip passes over white space: what a log had between the parts of its fields
// is still there.
func (s *scanner) skip() {
	for len(s.rest) > 0 && (s.rest[0] == ' ' || s.rest[0] == '\t') {
		s.rest = s.rest[1:]
	}
}

// ends reports whether an object ends here, and passes over its brace.
func (s *scanner) ends() bool {
	if s.skip(); len(s.rest) == 0 || s.rest[0] != '}' {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) expect(c byte) {
	if s.skip(); len(s.rest) == 0 || s.rest[0] != c {
		s.failed = true
		return
	}
	s.rest = s.rest[1:]
}

// members yields the names and values of an object, names with their quotes.
func (s *scanner) members(yield func(name, value []byte) bool) {
	if len(s.rest) > 0 {
		s.expect('{')
		s.pairs(yield)
	}
}

// pairs is members behind the opening brace.
func (s *scanner) pairs(yield func(name, value []byte) bool) {
	if s.ends() {
		return
	}
	for !s.failed {
		name := s.value()
		s.failed = s.failed || name[0] != '"'
		s.expect(':')
		value := s.value()
		if s.failed || !yield(name, value) {
			return
		}
		if s.ends() {
			return
		}
		s.expect(',')
	}
}

// value cuts off one value. It is never empty unless the scanner has failed.
func (s *scanner) value() []byte {
	s.skip()
	end, depth := 0, 0
	for end < len(s.rest) {
		switch c := s.rest[end]; c {
		case '"':
			size := stringSize(s.rest[end:])
			if size == 0 {
				s.failed = true
				return []byte{0}
			}
			end += size - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if depth < 0 || depth == 0 && (s.rest[end] == ',' || s.rest[end] == ':') {
			break // of a literal
		}
		end++
		if depth == 0 && (s.rest[end-1] == '"' || s.rest[end-1] == '}' || s.rest[end-1] == ']') {
			break
		}
	}
	if end == 0 || depth > 0 {
		s.failed = true
		return []byte{0}
	}
	value := bytes.TrimRight(s.rest[:end], " \t")
	s.rest = s.rest[end:]
	return value
}

// stringSize is the length of the JSON string that text begins with, quotes
// included, 0 when it does not end.
func stringSize(text []byte) int {
	for i := 1; ; {
		quote := bytes.IndexByte(text[i:], '"')
		if quote < 0 {
			return 0
		}
		i += quote + 1
		escapes := 0
		for text[i-2-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i
		}
	}
}
