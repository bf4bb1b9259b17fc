package tail

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// encoding is how a file's text is written down. The first bytes decide, anew
// after a truncation.
type encoding uint8

const (
	plain encoding = iota // UTF-8, or any other that has ASCII in it
	wideLittle
	wideBig
)

const (
	littleMark = "\xff\xfe"
	bigMark    = "\xfe\xff"
	// So many bytes tell UTF-16 that has no byte order mark, and so few do.
	tellingMost   = 64
	tellingFewest = 4
)

// encodingOf tells by the beginning of a file how the rest is written. Without
// a byte order mark it is UTF-16 when at least every other unit is an ASCII
// character in one order, and none in the other: no other text has zeros in it.
// ok is false when that cannot be told yet. A hole, as a truncation below a
// writer that does not append leaves, says nothing: then it is what it was.
func encodingOf(head []byte, was encoding) (e encoding, ok bool) {
	switch {
	case bytes.HasPrefix(head, []byte(littleMark)):
		return wideLittle, true
	case bytes.HasPrefix(head, []byte(bigMark)):
		return wideBig, true
	case len(head) == 1:
		return plain, head[0] != littleMark[0] && head[0] != bigMark[0] && head[0] != 0
	case len(head) == 0 || head[0] == 0 && head[1] == 0:
		return was, true
	}
	head = head[:min(len(head), tellingMost)&^1]
	little, big := 0, 0
	for i := 0; i < len(head); i += 2 {
		switch a, b := head[i], head[i+1]; {
		case b == 0 && isText(a):
			little++
		case a == 0 && isText(b):
			big++
		}
	}
	switch {
	case big == 0 && 4*little >= len(head):
		return wideLittle, len(head) >= tellingFewest
	case little == 0 && 4*big >= len(head):
		return wideBig, len(head) >= tellingFewest
	}
	return plain, true
}

// isText reports whether c is a character of ASCII that lines are made of.
func isText(c byte) bool { return c >= ' ' && c < 0x7f || c == '\t' || c == '\n' || c == '\r' }

// order returns the order of a unit's bytes.
func (e encoding) order() binary.ByteOrder {
	if e == wideBig {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// floor returns the last offset up to this at which a unit begins.
func (e encoding) floor(offset int64) int64 {
	if e == plain {
		return offset
	}
	return offset &^ 1
}

// whole returns how many of the bytes are whole characters: an odd byte or half
// a surrogate pair at the end waits for the rest.
func (e encoding) whole(data []byte) int {
	if e == plain {
		return len(data)
	}
	n := len(data) &^ 1
	if n > 0 && isHigh(e.order().Uint16(data[n-2:])) {
		n -= 2
	}
	return n
}

func isHigh(unit uint16) bool { return unit >= 0xd800 && unit < 0xdc00 }

// decode appends the UTF-8 of whole characters. What is no character becomes
// U+FFFD.
func (e encoding) decode(dst, data []byte) []byte {
	order := e.order()
	for len(data) >= 2 {
		r := rune(order.Uint16(data))
		data = data[2:]
		if utf16.IsSurrogate(r) && len(data) >= 2 {
			if pair := utf16.DecodeRune(r, rune(order.Uint16(data))); pair != utf8.RuneError {
				r, data = pair, data[2:]
			}
		}
		dst = utf8.AppendRune(dst, r) // of half a pair this is U+FFFD
	}
	return dst
}

// lineEnd returns how many of the bytes, which begin with a whole character,
// are whole lines.
func (e encoding) lineEnd(data []byte) int {
	if e == plain {
		return bytes.LastIndexByte(data, '\n') + 1
	}
	for end := len(data) &^ 1; end > 0; {
		i := bytes.LastIndexByte(data[:end], '\n')
		if i < 0 {
			return 0
		}
		if start := i &^ 1; e.order().Uint16(data[start:]) == '\n' {
			return start + 2
		}
		end = i
	}
	return 0
}
