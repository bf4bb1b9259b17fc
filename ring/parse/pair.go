package parse

import (
	"math/bits"
	"slices"
	"strings"
)

// scanPairs reports whether a line consists of pairs and nothing else, and
// notes them in p.pairs and the known keys among them.
func (p *Parser) scanPairs(line []byte) bool {
	p.seen, p.traits = 0, 0
	if len(line) > maxLogfmt {
		return false
	}
	p.pairs = p.pairs[:0]
	place := uint8(0)
	for i := 0; i < len(line); i = skipBlank(line, i) {
		var k key
		m := member{start: i}
		last := &p.pairKeys[place]
		if last.begins(line, i) {
			k, m.value = last.key, i+last.n
		} else if k, m.value = pairKey(line, i, last); m.value < 0 {
			return false
		}
		place = last.next
		var kind pairKind
		if m.end, kind = p.pairValue(line, m.value); m.end < 0 {
			return false
		}
		if k != keyNone && !p.remember(k, m) {
			k = keyNone
		}
		p.note(m, kind, k)
		i = m.end
	}
	return true
}

// note adds a pair to p.pairs. It is filled in where it will be: to put it
// together elsewhere and to copy it takes far longer.
func (p *Parser) note(m member, kind pairKind, k key) {
	n := len(p.pairs)
	if n == cap(p.pairs) {
		p.pairs = slices.Grow(p.pairs, n+16)
	}
	p.pairs = p.pairs[:n+1]
	pair := &p.pairs[n]
	pair.start, pair.value, pair.end = uint32(m.start), uint32(m.value), uint32(m.end)
	pair.kind, pair.key = kind, k
}

// pairKey returns the meaning of the key at line[i] and the index of its value,
// -1 if there is no key, and makes the key the last one.
func pairKey(line []byte, i int, last *lastKey) (k key, value int) {
	if first := line[i]; !isLetter(first) && first != '_' && first != '@' {
		return keyNone, -1
	}
	end := i + 1
	for end < len(line) && keyByte[line[end]] {
		end++
	}
	if end == len(line) || line[end] != '=' {
		return keyNone, -1
	}
	k = keyOf(line[i:end])
	last.set(line, i, end+1-i, k)
	return k, end + 1
}

// keyByte says which bytes a key consists of. All of them can stand in a JSON
// string as they are.
var keyByte = func() (set [256]bool) {
	for c := range set {
		set[c] = isLetter(byte(c)) || isDigit(byte(c)) || strings.IndexByte("_.-@/", byte(c)) >= 0
	}
	return set
}()

// pairValue returns the index behind the value at line[i], which may be empty,
// -1 if it is not one, and what it needs. A blank or the line's end follows a
// value.
func (p *Parser) pairValue(line []byte, i int) (end int, kind pairKind) {
	if i < len(line) && line[i] == '"' {
		end, kind = p.quotedValue(line, i+1)
	} else {
		end, kind = p.bareValue(line, i)
	}
	if end >= 0 && end < len(line) && !isBlank(line[end]) {
		return -1, kind
	}
	return end, kind
}

// bareValue is pairValue for a value without quotes.
func (p *Parser) bareValue(line []byte, i int) (end int, kind pairKind) {
	var seen uint64
	for i < len(line) {
		if i+wordLen <= len(line) {
			w := load(line, i)
			seen |= w
			hits := bareSpecial(w)
			if hits == 0 {
				i += wordLen
				continue
			}
			i += bits.TrailingZeros64(hits) >> 3
		}
		c := line[i]
		if c <= ' ' || c == '"' || c == 0x7f {
			break
		}
		if c == '\\' {
			kind = escaped
		}
		seen |= uint64(c)
		i++
	}
	p.traits |= seen & tops
	return i, kind
}

// bareSpecial sets the top bit of the first byte of w, counted from the lowest,
// that is not above the space, or a quote, a backslash or DEL. It may set one
// before that, but sets none when there is no such byte and all are ASCII.
func bareSpecial(w uint64) uint64 {
	return ((w - 33*ones) | ((w ^ '"'*ones) - ones) | ((w ^ '\\'*ones) - ones) | (w + ones)) &^ w & tops
}

// quotedValue is pairValue for a value whose quote is behind line[i-1].
func (p *Parser) quotedValue(line []byte, i int) (end int, kind pairKind) {
	kind = quoted
	var seen uint64
	for {
		if i, seen = plainEnd(line, i, seen); i >= len(line) {
			return -1, kind
		}
		switch c := line[i]; {
		case c == '"':
			p.traits |= seen & tops
			return i + 1, kind
		case c == '\\':
			i++
			kind = escaped
		case c < ' ':
			kind = escaped
		}
		if i < len(line) {
			seen |= uint64(line[i])
		}
		i++
	}
}
