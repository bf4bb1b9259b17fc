package main

import (
	"fmt"
	"unicode/utf8"
)

// appendEscaped appends text so that no part of it does anything to a terminal
// but take its place: control characters (C0, DEL, C1), bytes that are no UTF-8
// and what changes the direction of writing become escapes as in Go. A tab
// stays.
func appendEscaped(dst []byte, text string) []byte {
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c < 0x7f || c == '\t' {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if c >= utf8.RuneSelf && !disturbs(r, size) {
			i += size
			continue
		}
		dst = append(dst, text[from:i]...)
		dst = appendEscape(dst, r, size, c)
		i += size
		from = i
	}
	return append(dst, text[from:]...)
}

// disturbs reports whether a rune beyond ASCII must not reach a terminal.
func disturbs(r rune, size int) bool {
	return r == utf8.RuneError && size == 1 || // a stray byte may be a C1 control
		r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 ||
		r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

func appendEscape(dst []byte, r rune, size int, c byte) []byte {
	switch {
	case c == '\n':
		return append(dst, `\n`...)
	case c == '\r':
		return append(dst, `\r`...)
	case c < utf8.RuneSelf || r == utf8.RuneError && size == 1:
		return fmt.Appendf(dst, `\x%02x`, c)
	default:
		return fmt.Appendf(dst, `\u%04x`, r)
	}
}

// escaped is appendEscaped for one string.
func escaped(text string) string { return string(appendEscaped(nil, text)) }
