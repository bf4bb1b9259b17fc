package entry

import (
	"bytes"
	"unicode/utf8"

	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// appendDecoded appends where spans within a token, which are in order, are when its
// escapes are undone, of which each takes all or nothing.
func appendDecoded(dst []filter.Span, raw []byte, spans []filter.Span) []filter.Span {
	if len(spans) == 0 || raw[0] != '"' {
		return append(dst, spans...)
	}
	text := inside(raw)
	var escape [utf8.UTFMax]byte
	i, at := 0, 0 // in text, and decoded
	step := func() (from int) {
		from = at
		n, decoded := 1, 1
		if text[i] == '\\' && i+1 < len(text) {
			var said []byte
			said, n = record.AppendEscape(escape[:0], text[i:])
			decoded = len(said)
		}
		i, at = i+n, at+decoded
		return from
	}
	for _, s := range spans {
		from := -1
		for i < len(text) && i < s.To-1 { // the text begins behind the quote
			begin := step()
			if from < 0 && i > s.From-1 {
				from = begin
			}
		}
		if from >= 0 { // else it is in the escape that the one before ended in
			dst = append(dst, filter.Span{From: from, To: at})
		}
	}
	return dst
}

// inside returns a string without its quotes, of which the last may be missing.
func inside(raw []byte) []byte {
	if ended(raw) {
		return raw[1 : len(raw)-1]
	}
	return raw[1:]
}

// ended reports whether a string that stringEnd has found the end of has its closing
// quote.
func ended(raw []byte) bool {
	if len(raw) < 2 || raw[len(raw)-1] != '"' {
		return false
	}
	escapes := 0
	for i := len(raw) - 2; i > 0 && raw[i] == '\\'; i-- {
		escapes++
	}
	return escapes%2 == 0
}

// appendString appends a JSON string, without its closing quote if it is not whole.
func appendString(dst, text []byte, whole bool) []byte {
	dst, _ = record.AppendJSON(dst, string(text)) // a string has no error
	if !whole {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func appendNoSpace(dst, text []byte) []byte {
	for _, c := range text {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			dst = append(dst, c)
		}
	}
	return dst
}

// isKey reports whether a string before rest is a key.
func isKey(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return len(rest) > 0 && rest[0] == ':'
}

func isPunctuation(c byte) bool { return bytes.IndexByte([]byte("{}[]:, \t\r\n"), c) >= 0 }

// wordEnd returns the index behind the number or word that b begins with.
func wordEnd(b []byte) int {
	for i, c := range b {
		if c == '"' || isPunctuation(c) {
			return i
		}
	}
	return len(b)
}

// stringEnd returns the index behind the string that b begins with.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}
