package entry

import (
	"bytes"

	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// redacted returns a line without what f takes out of it: of what stands in it, and
// of what its quoted parts say once their escapes are undone. In a line of JSON each
// value is looked at by itself first, so that a match ends with its value and the
// line stays JSON, as long as no match reaches from one part of it into another. The
// result is the line itself if there is nothing to be taken out, else valid until
// the next call of the Writer.
func (w *Writer) redacted(line []byte, isJSON bool) []byte {
	if !isJSON && bytes.IndexByte(line, '\\') < 0 {
		return w.filter.Redact(line)
	}
	w.text = appendRedacted(w.text[:0], line, isJSON, w.filter)
	if bytes.Equal(w.text, line) {
		return w.filter.Redact(line)
	}
	return w.filter.Redact(w.text)
}

// same reports whether two slices are one.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// appendRedacted appends text without what f takes out of its quoted parts, decoded.
// In JSON these are the strings that are no keys, with or without escapes, and
// numbers and words count as well: one that is taken out becomes a string. In other
// text only parts with escapes are looked at, what has none is what it says.
func appendRedacted(dst, text []byte, isJSON bool, f *filter.Intake) []byte {
	var decoded []byte
	for len(text) > 0 {
		n := len(text) // of what is copied as it is
		switch {
		case text[0] == '"':
			n = stringEnd(text)
			part := text[:n]
			if isJSON && isKey(text[n:]) || !isJSON && bytes.IndexByte(part, '\\') < 0 || n < 2 || part[n-1] != '"' {
				break
			}
			decoded = record.AppendDecoded(decoded[:0], part[1:n-1])
			if clean := f.Redact(decoded); !same(clean, decoded) {
				dst, _ = record.AppendJSON(dst, string(clean)) // a string has no error
				text = text[n:]
				continue
			}
		case isJSON && !isPunctuation(text[0]):
			n = wordEnd(text)
			if clean := f.Redact(text[:n]); !same(clean, text[:n]) {
				dst, _ = record.AppendJSON(dst, string(clean))
				text = text[n:]
				continue
			}
		default:
			if i := bytes.IndexByte(text, '"'); !isJSON && i > 0 {
				n = i
			} else if isJSON {
				n = 1
			}
		}
		dst = append(dst, text[:n]...)
		text = text[n:]
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
