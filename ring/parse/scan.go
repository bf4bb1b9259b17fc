package parse

import (
	"encoding/binary"
	"math/bits"
)

// maxDepth is how deeply a JSON line may nest, the line's own object included.
// It must fit the bits of containerEnd's stack.
const maxDepth = 64

// scanObject checks the JSON object that begins at b[i] and notes where its
// known keys are. It returns the index behind the object and the number of its
// members; the index is -1 when b does not hold a valid object there.
func (p *Parser) scanObject(b []byte, i int) (end, members int) {
	p.seen = 0
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1, 0
	}
	for i < len(b) && b[i] == '"' {
		m := member{start: i}
		if i = stringEnd(b, i); i < 0 {
			return -1, 0
		}
		k := keyOf(b[m.start+1 : i-1])
		i = skipSpace(b, i)
		if i == len(b) || b[i] != ':' {
			return -1, 0
		}
		m.value = skipSpace(b, i+1)
		if i = valueEnd(b, m.value); i < 0 {
			return -1, 0
		}
		m.end = i
		members++
		p.remember(k, m)
		i = skipSpace(b, i)
		if i == len(b) {
			return -1, 0
		}
		if b[i] == '}' {
			return i + 1, members
		}
		if b[i] != ',' {
			return -1, 0
		}
		i = skipSpace(b, i+1)
	}
	return -1, 0
}

// valueEnd returns the index behind the JSON value at b[i], -1 if there is no
// valid one.
func valueEnd(b []byte, i int) int {
	if i < len(b) && (b[i] == '{' || b[i] == '[') {
		return containerEnd(b, i)
	}
	return scalarEnd(b, i)
}

// scalarEnd is valueEnd for strings, numbers and literals.
func scalarEnd(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return stringEnd(b, i)
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

// containerEnd is valueEnd for objects and arrays. It keeps one bit per open
// container instead of recursing, so that depth costs nothing.
func containerEnd(b []byte, i int) int {
	var stack uint64 // 1 for an object, 0 for an array, innermost last
	depth := 0
	for i < len(b) { // b[i] begins a value
		if c := b[i]; c == '{' || c == '[' {
			if depth++; depth >= maxDepth {
				return -1
			}
			stack <<= 1
			if c == '{' {
				stack |= 1
			}
			i = skipSpace(b, i+1)
			if i == len(b) {
				return -1
			}
			if b[i] != closer(stack) {
				if i = elementStart(b, i, stack); i < 0 {
					return -1
				}
				continue
			}
		} else if i = scalarEnd(b, i); i < 0 {
			return -1
		}
		// Behind a value: close what ends here, up to the next comma.
		for {
			i = skipSpace(b, i)
			if i == len(b) {
				return -1
			}
			if b[i] == ',' {
				if i = elementStart(b, skipSpace(b, i+1), stack); i < 0 {
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
func elementStart(b []byte, i int, stack uint64) int {
	if stack&1 == 0 {
		return i
	}
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	if i = stringEnd(b, i); i < 0 {
		return -1
	}
	i = skipSpace(b, i)
	if i == len(b) || b[i] != ':' {
		return -1
	}
	return skipSpace(b, i+1)
}

// stringEnd returns the index behind the JSON string whose quote is at b[i],
// -1 if it is not a valid one. UTF-8 is not its business.
func stringEnd(b []byte, i int) int {
	i++
	for {
		i = nextSpecial(b, i)
		if i == len(b) {
			return -1
		}
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			if i = escapeEnd(b, i); i < 0 {
				return -1
			}
		default:
			return -1
		}
	}
}

// nextSpecial returns the index of the first quote, backslash or control byte
// from i on, len(b) if there is none. It looks at eight bytes at a time: in
// each mask only bytes above a true hit can be false ones, so the lowest hit
// of them all is true.
func nextSpecial(b []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		hits := ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w) & highs
		if hits != 0 {
			return i + bits.TrailingZeros64(hits)>>3
		}
		i += 8
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// escapeEnd returns the index behind the JSON escape whose backslash is at
// b[i], -1 if it is not a valid one.
func escapeEnd(b []byte, i int) int {
	if i+1 >= len(b) {
		return -1
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if _, ok := hex(b, i+2, 4); ok {
			return i + 6
		}
	}
	return -1
}

// hex returns the value of the n hexadecimal digits at b[i].
func hex(b []byte, i, n int) (rune, bool) {
	if i+n > len(b) {
		return 0, false
	}
	var v rune
	for _, c := range b[i : i+n] {
		switch {
		case isDigit(c):
			c -= '0'
		case (c|0x20)-'a' < 6:
			c = (c | 0x20) - 'a' + 10
		default:
			return 0, false
		}
		v = v<<4 | rune(c)
	}
	return v, true
}

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
