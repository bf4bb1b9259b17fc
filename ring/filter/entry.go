package filter

import (
	"bytes"
	"unicode/utf8"
)

// entry is one encoded entry taken apart, with no copy made: the members stand
// in a fixed order and were encoded by record.Encoder. Strings are without
// their quotes, escapes as they stand.
type entry struct {
	time, source, level, message []byte
	hasLevel                     bool
	fields                       []byte // the object, nil for none
}

// split takes an entry apart. What is not there is empty; it reads no further
// than the first thing that is not as it should be.
func split(text []byte) entry {
	var e entry
	var ok bool
	rest := text
	if e.time, rest, ok = member(rest, `{"time":"`); !ok {
		return e
	}
	if e.source, rest, ok = member(rest, `,"source":"`); !ok {
		return e
	}
	if e.level, rest, e.hasLevel = member(rest, `,"level":"`); !e.hasLevel {
		e.level = nil
	}
	if e.message, rest, ok = member(rest, `,"message":"`); !ok {
		return e
	}
	const lead, tail = `,"fields":`, "}\n"
	if len(rest) > len(lead)+len(tail) && string(rest[:len(lead)]) == lead {
		e.fields = rest[len(lead) : len(rest)-len(tail)]
	}
	return e
}

// sourceOf returns the source of an encoded entry as it stands, as split does.
func sourceOf(text []byte) []byte {
	_, rest, _ := member(text, `{"time":"`)
	source, _, _ := member(rest, `,"source":"`)
	return source
}

// member returns the string that follows lead at the start of text, and what
// is behind it; text itself if it does not begin with lead.
func member(text []byte, lead string) (value, rest []byte, ok bool) {
	if len(text) < len(lead) || string(text[:len(lead)]) != lead {
		return nil, text, false
	}
	end := stringEnd(text, len(lead))
	if end > len(text) {
		return nil, text, false
	}
	return text[len(lead) : end-1], text[end:], true
}

// stringEnd returns the index behind the closing quote of the string whose
// text begins at b[i], in time linear in its length; without a closing quote one
// more than the length of b.
func stringEnd(b []byte, i int) int {
	quote := next(b, i, '"')
	for i < quote {
		slash := bytes.IndexByte(b[i:quote], '\\')
		if slash < 0 {
			break
		}
		if i += slash + 2; i > quote {
			quote = next(b, i, '"')
		}
	}
	return quote + 1
}

// decoded returns the text of a string without its quotes: itself when it has
// no escapes, else a text in scratch, which it grows.
func decoded(raw []byte, scratch *[]byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	*scratch = appendDecoded((*scratch)[:0], raw)
	return *scratch
}

// appendDecoded appends the text of a valid JSON string without its quotes. A
// surrogate that is not part of a pair becomes U+FFFD.
func appendDecoded(dst, raw []byte) []byte {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 || i+1 >= len(raw) {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:i]...)
		c := raw[i+1]
		raw = raw[i+2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			var r rune
			r, raw = unicodeEscape(raw)
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
}

// unicodeEscape returns the rune of the escape whose digits raw begins with,
// both halves of a pair together, and what follows.
func unicodeEscape(raw []byte) (rune, []byte) {
	r, ok := hex4(raw)
	if !ok {
		return utf8.RuneError, raw
	}
	raw = raw[4:]
	if r>>10 != 0xD800>>10 || len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return r, raw // AppendRune makes U+FFFD of a surrogate
	}
	if low, ok := hex4(raw[2:]); ok && low>>10 == 0xDC00>>10 {
		return 0x10000 + (r-0xD800)<<10 + (low - 0xDC00), raw[6:]
	}
	return r, raw
}

// hex4 returns the value of the four hexadecimal digits at the start of b.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = (c | 0x20) - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
