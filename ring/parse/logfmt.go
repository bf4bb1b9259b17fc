package parse

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf8"

	"logwisp/ring"
)

// pair is one key=value, as places in the line. The key ends before the byte
// in front of the value.
type pair struct {
	start      uint32 // of the key
	value, end uint32 // of the value, quotes included
	kind       pairKind
	key        key // what the pair was remembered as, else keyNone
}

// pairSize is the size of a pair in bytes.
const pairSize = 16

// pairKind says what a value needs to become a JSON string.
type pairKind uint8

const (
	bare    pairKind = iota // quotes around it
	quoted                  // nothing, it has its quotes
	escaped                 // each byte to be looked at
)

// maxLogfmt is the length in bytes of the longest line that is looked at: the
// places in it fit a pair.
const maxLogfmt = math.MaxInt32

// logfmtLine parses a line that consists of key=value pairs throughout: at
// least two of them, one a message or a level, unless the format is given. It
// reports false, with r untouched, for any other line.
func (p *Parser) logfmtLine(line []byte, nowMicros int64, r *Result) bool {
	if !p.scanPairs(line) {
		return false
	}
	if p.Format != Logfmt && (len(p.pairs) < 2 || p.seen&(logfmtMessageKeys|levelKeys) == 0) {
		return false
	}
	if p.traits&tops != 0 && !utf8.Valid(line) {
		line = p.repair(line)
		if !p.scanPairs(line) { // the places have moved
			return false // too long by now
		}
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
		if level, exact := p.pairLevel(line, key(k)); level != ring.LevelUnknown {
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

func skipBlank(b []byte, i int) int {
	for i < len(b) && isBlank(b[i]) {
		i++
	}
	return i
}

// pairLevel returns the level that the pair remembered as k stands for.
func (p *Parser) pairLevel(line []byte, k key) (level ring.Level, exact bool) {
	m := p.found[k]
	value, escaped := p.plainValue(line, m)
	if escaped {
		return levelValue(k, value)
	}
	return p.levelOf(line, k, m)
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
	for i := range p.pairs {
		pair := &p.pairs[i]
		if pair.key != keyNone && taken&(1<<pair.key) != 0 {
			continue
		}
		b = append(b, '"')
		b = appendPart(b, line, int(pair.start), int(pair.value-1))
		switch pair.kind {
		case bare:
			b = append(b, `":"`...)
			b = appendPart(b, line, int(pair.value), int(pair.end))
			b = append(b, `",`...)
		case quoted:
			b = append(b, `":`...)
			b = append(b, line[pair.value:pair.end]...)
			b = append(b, ',')
		default:
			b = append(b, `":`...)
			value, _ := p.plainValue(line, member{value: int(pair.value), end: int(pair.end)})
			b = append(appendQuoted(b, value), ',')
		}
	}
	p.fields = b
	if len(b) == 1 {
		return nil
	}
	b[len(b)-1] = '}'
	return b
}

// appendPart appends line[from:to], which is short as a rule: two words that
// reach beyond it are faster than a copy of its length.
func appendPart(b, line []byte, from, to int) []byte {
	n, room := len(b), len(b)+2*wordLen
	if to-from > 2*wordLen || from+2*wordLen > len(line) || room > cap(b) {
		return append(b, line[from:to]...)
	}
	b = b[:room]
	binary.LittleEndian.PutUint64(b[n:room:room], load(line, from))
	binary.LittleEndian.PutUint64(b[n+wordLen:room:room], load(line, from+wordLen))
	return b[:n+to-from]
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
