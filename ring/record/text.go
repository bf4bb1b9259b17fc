package record

import (
	"bytes"
	"unicode/utf8"
)

// Parts are the members of an encoded entry as they stand in it: strings
// without their quotes, escapes kept. What is not there is nil.
type Parts struct {
	Time, Source, Level, Message []byte
	Fields                       []byte // the object
}

// Split takes an entry that an Encoder has made apart; nothing is copied.
func Split(line []byte) Parts {
	var p Parts
	rest := line
	p.Time, rest = member(rest, `{"time":"`)
	p.Source, rest = member(rest, `,"source":"`)
	p.Level, rest = member(rest, `,"level":"`)
	p.Message, rest = member(rest, `,"message":"`)
	if fields, ok := bytes.CutPrefix(rest, []byte(`,"fields":`)); ok {
		p.Fields = bytes.TrimSuffix(fields, []byte("}\n"))
	}
	return p
}

// member returns the string behind lead at the start of text, and what follows
// its closing quote; text itself when it does not begin with lead.
func member(text []byte, lead string) (value, rest []byte) {
	if !bytes.HasPrefix(text, []byte(lead)) {
		return nil, text
	}
	body := text[len(lead):]
	for i := 0; i < len(body); {
		j := bytes.IndexAny(body[i:], `"\`)
		if j < 0 {
			break
		}
		if i += j; body[i] == '"' {
			return body[:i], body[i+1:]
		}
		i += 2
	}
	return nil, text
}

// AppendDecoded appends the text of a JSON string that stands without its
// quotes.
func AppendDecoded(dst, raw []byte) []byte {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 || i+1 >= len(raw) {
			return append(dst, raw...)
		}
		var n int
		dst, n = AppendEscape(append(dst, raw[:i]...), raw[i:])
		raw = raw[i+n:]
	}
}

// AppendEscape appends what the escape that a text begins with, of two bytes at least,
// stands for, and returns its length in the text.
func AppendEscape(dst, raw []byte) ([]byte, int) {
	c := raw[1]
	if c != 'u' {
		if at := bytes.IndexByte([]byte("bfnrt"), c); at >= 0 {
			c = "\b\f\n\r\t"[at]
		}
		return append(dst, c), 2
	}
	r, size := unit(raw[2:])
	n := 2 + size
	if rest := raw[n:]; r >= 0xD800 && r < 0xDC00 && len(rest) > 2 && rest[0] == '\\' && rest[1] == 'u' {
		if low, size := unit(rest[2:]); low >= 0xDC00 && low < 0xE000 {
			r = 0x10000 + (r-0xD800)<<10 + (low - 0xDC00)
			n += 2 + size
		}
	}
	return utf8.AppendRune(dst, r), n // half a pair becomes U+FFFD
}

// unit returns the value of the four hexadecimal digits text begins with and
// their number, or U+FFFD and 0.
func unit(text []byte) (rune, int) {
	if len(text) < 4 {
		return utf8.RuneError, 0
	}
	r := rune(0)
	for _, c := range text[:4] {
		digit := bytes.IndexByte([]byte("0123456789abcdef"), c|0x20)
		if digit < 0 {
			return utf8.RuneError, 0
		}
		r = r<<4 | rune(digit)
	}
	return r, 4
}

// AppendText appends an encoded entry as a line for people: its time, level,
// source and message. CR and LF in it become \r and \n, an unknown level a
// hyphen.
func AppendText(dst, line []byte) []byte {
	p := Split(line)
	dst = append(append(dst, p.Time...), ' ')
	if p.Level == nil {
		p.Level = []byte("-")
	}
	dst = append(append(dst, p.Level...), ' ')
	dst = append(appendOneLine(dst, p.Source), ' ')
	return append(appendOneLine(dst, p.Message), '\n')
}

// appendOneLine appends a decoded string with its line breaks escaped.
func appendOneLine(dst, raw []byte) []byte {
	at := len(dst)
	dst = AppendDecoded(dst, raw)
	if bytes.IndexByte(raw, '\\') < 0 || !bytes.ContainsAny(dst[at:], "\r\n") {
		return dst
	}
	text := bytes.ReplaceAll(dst[at:], []byte("\r"), []byte(`\r`))
	return append(dst[:at], bytes.ReplaceAll(text, []byte("\n"), []byte(`\n`))...)
}
