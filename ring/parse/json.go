package parse

import (
	"bytes"
	"math/bits"
	"unicode/utf8"

	"logwisp/ring"
)

// jsonLine parses a line whose first byte that is not white space is the brace
// at open. It reports false, with r untouched, when the line is not one valid
// JSON object.
func (p *Parser) jsonLine(line []byte, open int, nowMicros int64, r *Result) bool {
	end, members := p.scanObject(line, open)
	if end < 0 || skipSpace(line, end) != len(line) {
		return false
	}
	if p.traits&tops != 0 && !utf8.Valid(line) {
		line = p.repair(line)
		end, members = p.scanObject(line, open) // the places have moved
	}
	own := p.Own && p.isOwn(line, members)
	if p.traits&isDeep != 0 && !own {
		return false
	}
	r.Message = line
	var cuts cutList
	p.takeMessage(line, r, &cuts)
	p.takeLevel(line, r, &cuts)
	p.takeTime(line, nowMicros, r, &cuts)
	if own {
		p.takeOwn(line, r, &cuts)
		return true
	}
	r.Fields = p.remaining(line, open, end, members-cuts.n, &cuts)
	return true
}

// takeMessage makes the preferred string among the message keys the message. The
// fields are without it if its key says nothing else.
func (p *Parser) takeMessage(line []byte, r *Result, cuts *cutList) {
	for left := p.seen & messageKeys; left != 0; left &= left - 1 {
		k := key(bits.TrailingZeros32(left))
		m := p.found[k]
		if line[m.value] != '"' {
			continue
		}
		if k <= keyLog { // an event or a text may be more than that
			cuts.add(m)
		}
		r.Message, r.Quoted = line[m.value:m.end], true
		if p.traits&hasEscape != 0 && hasSurrogate(r.Message) {
			p.text = appendUnescaped(p.text[:0], r.Message[1:len(r.Message)-1])
			r.Message, r.Quoted = p.text, false
		}
		return
	}
}

// takeLevel takes the level from the preferred level key that has a known one.
// A value that says more than the level does stays in the fields as well.
func (p *Parser) takeLevel(line []byte, r *Result, cuts *cutList) {
	for left := p.seen & levelKeys; left != 0; left &= left - 1 {
		k := bits.TrailingZeros32(left)
		m := p.found[k]
		level, exact := p.levelOf(line, key(k), m)
		if level == ring.LevelUnknown {
			continue
		}
		r.Level = level
		if exact {
			cuts.add(m)
		}
		return
	}
}

// takeTime takes the time from the preferred time key that has a plausible
// one. A value finer than a microsecond stays in the fields as well.
func (p *Parser) takeTime(line []byte, nowMicros int64, r *Result, cuts *cutList) {
	for left := p.seen & timeKeys; left != 0; left &= left - 1 {
		m := p.found[bits.TrailingZeros32(left)]
		micros, exact, ok := p.timeValue(unquoted(line[m.value:m.end]))
		if !ok || !plausible(micros, nowMicros) {
			continue
		}
		r.Micros, r.HasTime = micros, true
		if exact {
			cuts.add(m)
		}
		return
	}
}

// unquoted returns a value without its quotes, escapes as they stand.
func unquoted(value []byte) []byte {
	if len(value) >= 2 && value[0] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// cutList holds the members that do not go into the fields, in line order: a
// message, a level and a time at most.
type cutList struct {
	members [3]member
	n       int
}

func (c *cutList) add(m member) {
	i := c.n
	for ; i > 0 && c.members[i-1].start > m.start; i-- {
		c.members[i] = c.members[i-1]
	}
	c.members[i] = m
	c.n++
}

// remaining returns the object line[open:end] without the cut members, of
// which count are left: as it stands where it can, else put together in
// p.fields from the runs between the cuts.
func (p *Parser) remaining(line []byte, open, end, count int, cuts *cutList) []byte {
	if count == 0 {
		return nil
	}
	if count == 1 && p.seen&(1<<keyFields) != 0 {
		if m := p.found[keyFields]; line[m.value] == '{' {
			if line[skipSpace(line, m.value+1)] == '}' {
				return nil
			}
			return p.oneLine(line[m.value:m.end])
		}
	}
	if cuts.n == 0 {
		return p.oneLine(line[open:end])
	}
	b := append(p.fields[:0], '{')
	from := skipSpace(line, open+1)
	for i := range cuts.n {
		m := &cuts.members[i]
		if m.start > from {
			b = appendRun(b, line[from:before(line, m.start)])
		}
		from = after(line, m.end)
	}
	if from < end {
		b = appendRun(b, line[from:end-1])
	}
	p.fields = append(b, '}')
	if p.traits&hasBreak != 0 {
		flatten(p.fields)
	}
	return p.fields
}

// appendRun appends a run of members to the object under construction.
func appendRun(b, run []byte) []byte {
	if len(b) > 1 {
		b = append(b, ',')
	}
	return append(b, run...)
}

// before returns the end of what stands before the comma that precedes i.
func before(line []byte, i int) int {
	for line[i-1] != ',' {
		i--
	}
	return i - 1
}

// after returns the start of the member that follows the one that ended at i,
// len(line) if that was the last.
func after(line []byte, i int) int {
	if line[i] == ',' && line[i+1] == '"' {
		return i + 1
	}
	i = skipSpace(line, i)
	if line[i] != ',' {
		return len(line)
	}
	return skipSpace(line, i+1)
}

// oneLine returns a valid JSON value without line breaks: the value itself if
// the line has none, else a copy in p.fields.
func (p *Parser) oneLine(value []byte) []byte {
	if p.traits&hasBreak == 0 {
		return value
	}
	p.fields = append(p.fields[:0], value...)
	flatten(p.fields)
	return p.fields
}

// flatten replaces the line breaks in a valid JSON value, which can only stand
// between its tokens.
func flatten(value []byte) {
	for _, c := range [...]byte{'\n', '\r'} {
		for rest := value; ; {
			i := bytes.IndexByte(rest, c)
			if i < 0 {
				break
			}
			rest[i] = ' '
			rest = rest[i+1:]
		}
	}
}

// hasSurrogate reports whether a valid JSON string has an escaped surrogate,
// alone or in a pair. Such a string is decoded: a lone one is not text.
func hasSurrogate(s []byte) bool {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 {
			return false
		}
		if s[i+1] == 'u' && s[i+2]|0x20 == 'd' && s[i+3] >= '8' {
			return true
		}
		s = s[i+2:]
	}
}

// AppendUnescaped appends what a text says once the escapes in it are undone, as
// those of quoted values are: what is not an escape stands for itself.
func AppendUnescaped(dst, s []byte) []byte { return appendUnescaped(dst, s) }

// appendUnescaped appends a quoted value's text. It knows the escapes of JSON
// and of quoted logfmt values; what is not an escape stands for itself. Half a
// surrogate pair becomes U+FFFD.
func appendUnescaped(dst, s []byte) []byte {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 || i+1 == len(s) {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		var n int
		dst, n = appendEscape(dst, s[i:])
		s = s[i+n:]
	}
}

// shortEscape holds what the letter behind a backslash stands for, 0 where it
// is not alone or means nothing.
var shortEscape = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'a': '\a', 'v': '\v',
}

// appendEscape appends what the escape at the start of s stands for and
// returns its length in s.
func appendEscape(dst, s []byte) ([]byte, int) {
	if c := shortEscape[s[1]]; c != 0 {
		return append(dst, c), 2
	}
	switch s[1] {
	case 'u':
		if v, ok := hex(s, 2, 4); ok {
			if v>>10 == 0xD800>>10 && len(s) > 7 && s[6] == '\\' && s[7] == 'u' {
				if low, ok := hex(s, 8, 4); ok && low>>10 == 0xDC00>>10 {
					return utf8.AppendRune(dst, 0x10000+(v-0xD800)<<10+(low-0xDC00)), 12
				}
			}
			return utf8.AppendRune(dst, v), 6
		}
	case 'U':
		if v, ok := hex(s, 2, 8); ok {
			return utf8.AppendRune(dst, v), 10
		}
	case 'x':
		if v, ok := hex(s, 2, 2); ok {
			return append(dst, byte(v)), 4
		}
	}
	return append(dst, '\\'), 1
}
