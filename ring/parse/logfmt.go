package parse

import (
	"bytes"
	"math/bits"
	"strings"
	"unicode/utf8"

	"logwisp/ring"
)

// logfmtLine parses a line that consists of key=value pairs throughout: at
// least two of them, one a message or a level. It reports false, with r
// untouched, for any other line.
func (p *Parser) logfmtLine(line []byte, nowMicros int64, r *Result) bool {
	if pairs := p.scanPairs(line); pairs < 2 || p.seen&(logfmtMessageKeys|levelKeys) == 0 {
		return false
	}
	if !utf8.Valid(line) {
		line = p.valid(line)
		p.scanPairs(line) // the places have moved
	}
	r.Message = line
	taken := p.takePairs(line, nowMicros, r)
	r.Fields = p.pairFields(line, taken)
	return true
}

// takePairs fills in message, level and time and returns the keys, as bits,
// that do not go into the fields.
func (p *Parser) takePairs(line []byte, nowMicros int64, r *Result) (taken uint32) {
	if left := p.seen & logfmtMessageKeys; left != 0 {
		k := bits.TrailingZeros32(left)
		taken |= 1 << k
		r.Message = p.logfmtMessage(line, p.found[k])
	}
	for left := p.seen & levelKeys; left != 0; left &= left - 1 {
		k := bits.TrailingZeros32(left)
		value, _ := p.plainValue(line, p.found[k])
		if level, exact := levelValue(key(k), value); level != ring.LevelUnknown {
			r.Level = level
			if exact {
				taken |= 1 << k
			}
			break
		}
	}
	for left := p.seen & timeKeys; left != 0; left &= left - 1 {
		k := bits.TrailingZeros32(left)
		value, _ := p.plainValue(line, p.found[k])
		micros, exact, ok := p.timeValue(value)
		if ok && plausible(micros, nowMicros) {
			r.Micros, r.HasTime = micros, true
			if exact {
				taken |= 1 << k
			}
			break
		}
	}
	return taken
}

// scanPairs returns the number of pairs of a line that consists of nothing
// else, 0 for any other line, and notes where the known keys are.
func (p *Parser) scanPairs(line []byte) (pairs int) {
	p.seen = 0
	for i := 0; i < len(line); i = skipBlank(line, i) {
		m, keyEnd := nextPair(line, i)
		if keyEnd < 0 {
			return 0
		}
		p.remember(keyOf(line[m.start:keyEnd]), m)
		pairs++
		i = m.end
	}
	return pairs
}

// nextPair returns the pair at line[i] and the end of its key, -1 if there is
// no pair.
func nextPair(line []byte, i int) (m member, keyEnd int) {
	m.start = i
	for i < len(line) && keyByte[line[i]] {
		i++
	}
	first := line[m.start]
	if i == len(line) || line[i] != '=' || !isLetter(first) && first != '_' && first != '@' {
		return m, -1
	}
	keyEnd = i
	m.value = i + 1
	if m.end = pairValueEnd(line, m.value); m.end < 0 {
		return m, -1
	}
	return m, keyEnd
}

// keyByte says which bytes a key consists of. All of them can stand in a JSON
// string as they are.
var keyByte = func() (set [256]bool) {
	for c := range set {
		set[c] = isLetter(byte(c)) || isDigit(byte(c)) || strings.IndexByte("_.-@/", byte(c)) >= 0
	}
	return set
}()

// pairValueEnd returns the index behind the value at line[i], which may be
// empty, -1 if it is not one. A blank or the line's end follows a value.
func pairValueEnd(line []byte, i int) int {
	if i == len(line) || line[i] != '"' {
		for i < len(line) && line[i] > ' ' && line[i] != '"' && line[i] != 0x7f {
			i++
		}
		if i < len(line) && !isBlank(line[i]) {
			return -1
		}
		return i
	}
	for i = nextSpecial(line, i+1); i < len(line); i = nextSpecial(line, i) {
		switch line[i] {
		case '"':
			if i+1 < len(line) && !isBlank(line[i+1]) {
				return -1
			}
			return i + 1
		case '\\':
			if i += 2; i > len(line) {
				return -1
			}
		default:
			i++
		}
	}
	return -1
}

func skipBlank(b []byte, i int) int {
	for i < len(b) && isBlank(b[i]) {
		i++
	}
	return i
}

// plainValue returns the text of a pair's value, in the line or, where escapes
// had to be undone, in p.value.
func (p *Parser) plainValue(line []byte, m member) (value []byte, escaped bool) {
	value = unquoted(line[m.value:m.end])
	if len(value) == m.end-m.value || bytes.IndexByte(value, '\\') < 0 {
		return value, false
	}
	p.value = appendUnescaped(p.value[:0], value)
	return p.value, true
}

// logfmtMessage returns the text of the message, in the line or in p.text,
// as valid UTF-8.
func (p *Parser) logfmtMessage(line []byte, m member) []byte {
	value, escaped := p.plainValue(line, m)
	if !escaped {
		return value
	}
	p.text = appendValid(p.text[:0], value)
	return p.text
}

// pairFields returns the pairs that were not taken as a JSON object of
// strings in p.fields, nil if there are none.
func (p *Parser) pairFields(line []byte, taken uint32) []byte {
	b := append(p.fields[:0], '{')
	for i := 0; i < len(line); i = skipBlank(line, i) {
		m, keyEnd := nextPair(line, i)
		i = m.end
		k := keyOf(line[m.start:keyEnd])
		if k != keyNone && taken&(1<<k) != 0 && p.found[k].start == m.start {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, line[m.start:keyEnd]...)
		b = append(b, '"', ':')
		value, _ := p.plainValue(line, m)
		b = appendQuoted(b, value)
	}
	p.fields = append(b, '}')
	if len(p.fields) == 2 {
		return nil
	}
	return p.fields
}

// appendQuoted appends text as a JSON string, bad bytes as U+FFFD.
func appendQuoted(dst, text []byte) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	if !utf8.Valid(text) {
		text = appendValid(nil, text)
	}
	for {
		i := nextSpecial(text, 0)
		dst = append(dst, text[:i]...)
		if i == len(text) {
			return append(dst, '"')
		}
		switch c := text[i]; c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		text = text[i+1:]
	}
}
