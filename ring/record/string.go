package record

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// appendString appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD; nothing is escaped that need not be.
//
// Most text needs nothing at all, so it is copied first and what was copied is
// kept when no byte of it asked for more.
func appendString(dst, s []byte) []byte {
	dst = slices.Grow(dst, len(s)+2)
	at := len(dst) + 1
	dst = append(dst, '"')
	if copyPlain(dst[at:at+len(s)], s) {
		return append(dst[:at+len(s)], '"')
	}
	if !utf8.Valid(s) {
		s = valid(s)
	}
	return append(appendEscaped(dst, s), '"')
}

// valid returns text with U+FFFD for each byte that is not UTF-8.
func valid(s []byte) []byte {
	text := make([]byte, 0, len(s)+len(s)/2)
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		text = utf8.AppendRune(text, r)
		s = s[n:]
	}
	return text
}

const (
	ones = 0x0101010101010101
	tops = 0x80 * ones
)

// odd sets the top bit of at least one byte of its result when w has a byte
// that is a quote, a backslash, a control byte or not ASCII, and of none when
// it has not. A byte minus n borrows into its top bit when it is below n; the
// first exclusive or puts the quote right above the control bytes.
func odd(w uint64) uint64 {
	return w | ((w ^ 2*ones) - 33*ones) | ((w ^ '\\'*ones) - ones)
}

// copyPlainWords is copyPlain in words of eight bytes.
func copyPlainWords(dst, s []byte) bool {
	dst = dst[:len(s)]
	var found uint64
	for len(s) >= 32 && len(dst) >= 32 {
		a, b := binary.LittleEndian.Uint64(s), binary.LittleEndian.Uint64(s[8:])
		c, d := binary.LittleEndian.Uint64(s[16:]), binary.LittleEndian.Uint64(s[24:])
		binary.LittleEndian.PutUint64(dst, a)
		binary.LittleEndian.PutUint64(dst[8:], b)
		binary.LittleEndian.PutUint64(dst[16:], c)
		binary.LittleEndian.PutUint64(dst[24:], d)
		found |= odd(a) | odd(b) | odd(c) | odd(d)
		s, dst = s[32:], dst[32:]
	}
	for len(s) >= 8 && len(dst) >= 8 {
		w := binary.LittleEndian.Uint64(s)
		binary.LittleEndian.PutUint64(dst, w)
		found |= odd(w)
		s, dst = s[8:], dst[8:]
	}
	for i, b := range s {
		dst[i] = b
		found |= odd(uint64(b) | 0x2020202020202000)
	}
	return found&tops == 0
}

// appendEscaped appends the inside of a JSON string for s, which is UTF-8.
func appendEscaped(dst, s []byte) []byte {
	const digits = "0123456789abcdef"
	start := 0
	for i := 0; i < len(s); {
		if i+8 <= len(s) {
			// Eight at a time; those beyond ASCII stand for themselves.
			w := binary.LittleEndian.Uint64(s[i:])
			hits := (((w ^ 2*ones) - 33*ones) | ((w ^ '\\'*ones) - ones)) &^ w & tops
			if hits == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(hits) >> 3 // the lowest is a true one
		}
		b := s[i]
		if b >= ' ' && b != '"' && b != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[b>>4], digits[b&15])
		}
		i++
		start = i
	}
	return append(dst, s[start:]...)
}
