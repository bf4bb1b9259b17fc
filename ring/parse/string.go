package parse

import (
	"encoding/binary"
	"math/bits"
)

// stringEnd returns the index behind the JSON string whose quote is at b[i],
// -1 if it is not a valid one.
func (p *Parser) stringEnd(b []byte, i int) int {
	var seen uint64
	for i++; i+wordLen <= len(b); {
		w := load(b, i)
		seen |= w
		hits := special(w)
		if hits == 0 {
			i += wordLen
			continue
		}
		i += bits.TrailingZeros64(hits) >> 3
		if b[i] == '"' {
			p.traits |= seen & tops
			return i + 1
		}
		if i = p.escapeEnd(b, i); i < 0 {
			return -1
		}
	}
	p.traits |= seen & tops
	return p.stringTail(b, i)
}

// stringTail is stringEnd for the last bytes of b, from those of the string
// that begin at b[i].
func (p *Parser) stringTail(b []byte, i int) int {
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\' || c < ' ':
			if i = p.escapeEnd(b, i); i < 0 {
				return -1
			}
		default:
			p.traits |= uint64(c) & tops
			i++
		}
	}
	return -1
}

const (
	ones = 0x0101010101010101
	tops = 0x80 * ones
)

// load returns the eight bytes at b[i], the first one lowest. The third index
// spares the compiler the case of an empty rest.
func load(b []byte, i int) uint64 {
	return binary.LittleEndian.Uint64(b[i : i+wordLen : i+wordLen])
}

// special sets the top bit of the first byte of w, counted from the lowest,
// that is a quote, a backslash or a control byte, and of none when there is
// none. Of the bytes above it nothing is said. A byte minus n borrows into its
// top bit when it is below n; the first exclusive or puts the quote right
// above the control bytes.
func special(w uint64) uint64 {
	return (((w ^ 2*ones) - 33*ones) | ((w ^ '\\'*ones) - ones)) &^ w & tops
}

// plainEnd returns the index of the first quote, backslash or control byte from
// i on, or, if there is none in whole words, of what is left; and seen with the
// bytes that it has looked at.
func plainEnd(b []byte, i int, seen uint64) (int, uint64) {
	for i+wordLen <= len(b) {
		w := load(b, i)
		seen |= w
		if hits := special(w); hits != 0 {
			i += bits.TrailingZeros64(hits) >> 3
			break
		}
		i += wordLen
	}
	return i, seen
}

// nextSpecial returns the index of the first quote, backslash or control byte
// from i on, len(b) if there is none.
func nextSpecial(b []byte, i int) int {
	for i+wordLen <= len(b) {
		if hits := special(load(b, i)); hits != 0 {
			return i + bits.TrailingZeros64(hits)>>3
		}
		i += wordLen
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// escapeEnd returns the index behind the JSON escape at b[i], -1 if there is no
// valid one.
func (p *Parser) escapeEnd(b []byte, i int) int {
	if b[i] != '\\' || i+1 >= len(b) {
		return -1
	}
	p.traits |= hasEscape
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
