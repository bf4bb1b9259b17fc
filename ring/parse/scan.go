package parse

import "math/bits"

// maxDepth is how deeply a JSON line may nest, the line's own object included.
// It must fit the bits of containerEnd's stack.
const maxDepth = 64

// What a scan sees besides the members, as bits of Parser.traits. The tops of
// the bytes (mask tops) mean that a byte is not ASCII.
const (
	hasEscape uint64 = 1 << iota // a backslash in a string
	hasBreak                     // a line break between two tokens
	isDeep                       // what nests one level deeper than maxDepth
)

// scanObject checks the JSON object that begins at b[i] and notes where its
// known keys are and what is special about it. It returns the index behind the
// object and the number of its members; the index is -1 when b does not hold a
// valid object there. Whether it is UTF-8 remains to be seen.
func (p *Parser) scanObject(b []byte, i int) (end, members int) {
	p.seen, p.traits = 0, 0
	i = p.skipGap(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1, 0
	}
	place := uint8(0)
	var seen uint64 // all bytes of plain strings, and some beside them
	for i < len(b) && b[i] == '"' {
		m := member{start: i}
		var k key
		last := &p.keys[place]
		if last.begins(b, i+1) {
			k, m.value = last.key, i+1+last.n
		} else if k, m.value = p.keyEnd(b, i, last); m.value < 0 {
			return -1, 0
		}
		place = last.next
		if m.value < len(b) && b[m.value] <= ' ' {
			m.value = p.skipGap(b, m.value)
		}
		if m.value == len(b) {
			return -1, 0
		}
		switch c := b[m.value]; {
		case c == '"':
			// stringEnd for what most values are: a call takes as long as this.
			var at int
			at, seen = plainEnd(b, m.value+1, seen)
			if m.end = at + 1; m.end > len(b) || b[at] != '"' {
				m.end = p.stringEnd(b, m.value)
			}
		case isDigit(c):
			if m.end = shortNumber(b, m.value); m.end < 0 {
				m.end = numberEnd(b, m.value)
			}
		case c == '{' || c == '[':
			m.end = p.containerEnd(b, m.value)
		default:
			m.end = p.scalarEnd(b, m.value)
		}
		if m.end < 0 {
			return -1, 0
		}
		members++
		if k != keyNone {
			p.remember(k, m)
		}
		if i = m.end; i+1 < len(b) && b[i] == ',' && b[i+1] == '"' {
			i++
			continue
		}
		if i = p.skipGap(b, i); i == len(b) || b[i] != ',' {
			break
		}
		i = p.skipGap(b, i+1)
		if i == len(b) || b[i] != '"' {
			return -1, 0
		}
	}
	if i < len(b) && b[i] == '}' && members > 0 {
		p.traits |= seen & tops
		return i + 1, members
	}
	return -1, 0
}

// keyEnd returns the meaning of the key whose quote is at b[i] and the index
// behind its colon, -1 if there is not a valid string and a colon. It makes the
// key the last one.
func (p *Parser) keyEnd(b []byte, i int, last *lastKey) (key, int) {
	end := p.stringEnd(b, i)
	if end < 0 {
		return keyNone, -1
	}
	k := keyOf(b[i+1 : end-1])
	if end < len(b) && b[end] == ':' {
		last.set(b, i+1, end-i, k)
		return k, end + 1
	}
	if end = p.skipGap(b, end); end == len(b) || b[end] != ':' {
		return keyNone, -1
	}
	return k, end + 1
}

// skipGap returns the index of the first byte from i on that is not JSON white
// space, len(b) if there is none.
func (p *Parser) skipGap(b []byte, i int) int {
	if i < len(b) && b[i] <= ' ' {
		return p.skipWhite(b, i)
	}
	return i
}

func (p *Parser) skipWhite(b []byte, i int) int {
	end := skipSpace(b, i)
	for _, c := range b[i:end] {
		if c == '\n' || c == '\r' {
			p.traits |= hasBreak
		}
	}
	return end
}

// scalarEnd returns the index behind the string, number or literal at b[i], -1
// if there is no valid one.
func (p *Parser) scalarEnd(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return p.stringEnd(b, i)
	case 't':
		return literalEnd(b, i, "true")
	case 'f':
		return literalEnd(b, i, "false")
	case 'n':
		return literalEnd(b, i, "null")
	}
	return numberEnd(b, i)
}

func literalEnd(b []byte, i int, word string) int {
	end := i + len(word)
	if end > len(b) || string(b[i:end]) != word {
		return -1
	}
	return end
}

// containerEnd is scalarEnd for objects and arrays. It keeps one bit per open
// container instead of recursing, so that depth costs nothing.
func (p *Parser) containerEnd(b []byte, i int) int {
	var stack uint64 // 1 for an object, 0 for an array, innermost last
	depth := 0
	for i < len(b) { // b[i] begins a value
		if c := b[i]; c == '{' || c == '[' {
			if depth++; depth >= maxDepth {
				if depth > maxDepth || !p.Own {
					return -1
				}
				p.traits |= isDeep // an entry has what was in its line one level deeper
			}
			stack <<= 1
			if c == '{' {
				stack |= 1
			}
			i = p.skipGap(b, i+1)
			if i == len(b) {
				return -1
			}
			if b[i] != closer(stack) {
				if i = p.elementStart(b, i, stack); i < 0 {
					return -1
				}
				continue
			}
		} else if i = p.scalarEnd(b, i); i < 0 {
			return -1
		}
		// Behind a value: close what ends here, up to the next comma.
		for {
			i = p.skipGap(b, i)
			if i == len(b) {
				return -1
			}
			if b[i] == ',' {
				if i = p.elementStart(b, p.skipGap(b, i+1), stack); i < 0 {
					return -1
				}
				break
			}
			if b[i] != closer(stack) {
				return -1
			}
			i++
			stack >>= 1
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// closer returns the byte that closes the innermost container.
func closer(stack uint64) byte {
	if stack&1 != 0 {
		return '}'
	}
	return ']'
}

// elementStart returns where the value of the element at b[i] begins: behind
// the key in an object, at once in an array. -1 if there is no valid key.
func (p *Parser) elementStart(b []byte, i int, stack uint64) int {
	if stack&1 == 0 {
		return i
	}
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	if i = p.stringEnd(b, i); i < 0 {
		return -1
	}
	i = p.skipGap(b, i)
	if i == len(b) || b[i] != ':' {
		return -1
	}
	return p.skipGap(b, i+1)
}

// shortNumber returns the index behind the number at b[i] whose first byte is
// a digit, if a comma or a brace follows within the word and there is no
// exponent: what most numbers are. -1 says nothing of other values.
func shortNumber(b []byte, i int) int {
	if i+wordLen > len(b) {
		return -1
	}
	d := load(b, i) ^ '0'*ones // of a digit its value
	others := notDigits(d)
	n := bits.TrailingZeros64(others) >> 3
	if n == wordLen || d&0xff == 0 && n > 1 {
		return -1
	}
	c := b[i+n]
	if c == '.' {
		first := n + 1
		if n = bits.TrailingZeros64(others&(others-1)) >> 3; n == wordLen || n == first {
			return -1
		}
		c = b[i+n]
	}
	if c != ',' && c != '}' {
		return -1
	}
	return i + n
}

// notDigits sets the top bit of every byte of d that is above 9, and no other.
func notDigits(d uint64) uint64 { return ((d &^ tops) + (0x80-10)*ones | d) & tops }

// numberEnd returns the index behind the JSON number at b[i], -1 if it is not
// a valid one.
func numberEnd(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	first := i
	if i = digitsEnd(b, i); i == first || b[first] == '0' && i > first+1 {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		first = i + 1
		if i = digitsEnd(b, first); i == first {
			return -1
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		first = i + 1
		if first < len(b) && (b[first] == '+' || b[first] == '-') {
			first++
		}
		if i = digitsEnd(b, first); i == first {
			return -1
		}
	}
	return i
}

func digitsEnd(b []byte, i int) int {
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	return i
}
