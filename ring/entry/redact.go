package entry

import (
	"bytes"

	"logwisp/ring/filter"
	"logwisp/ring/parse"
	"logwisp/ring/record"
)

// redacted returns a line without what f takes out of it: of what stands in it, and
// of what its quoted parts say once their escapes are undone. In a line of JSON each
// value is looked at by itself, so that a match ends with its value and the line stays
// JSON, unless a match begins in a key. The result is the line itself if there is
// nothing to be taken out, else valid until the next call of the Writer.
func (w *Writer) redacted(line []byte, isJSON bool) []byte {
	if !isJSON {
		return w.redactedText(line)
	}
	k := keys{text: line}
	clean := w.filter.RedactWhere(line, func(from, _ int) bool { return k.hold(from) })
	if !same(clean, line) {
		w.text = append(w.text[:0], clean...)
		w.broken = appendRedacted(w.broken[:0], w.text, true, w.filter)
		return w.redactedText(w.broken)
	}
	w.text = appendRedacted(w.text[:0], line, true, w.filter)
	if bytes.Equal(w.text, line) {
		return w.filter.Redact(line)
	}
	return w.filter.Redact(w.text) // what knows how something is escaped, or reaches beyond a value
}

// redactedText is redacted for a line that is no JSON.
func (w *Writer) redactedText(line []byte) []byte {
	clean := w.filter.Redact(line)
	if bytes.IndexByte(clean, '\\') < 0 {
		return clean
	}
	w.text = appendRedacted(w.text[:0], append(w.unescaped[:0], clean...), false, w.filter)
	// Quotes may be where they mean nothing: what is still there in all of the line is
	// taken out of that, without its escapes.
	w.unescaped = parse.AppendUnescaped(w.unescaped[:0], w.text)
	if clean := w.filter.Redact(w.unescaped); !same(clean, w.unescaped) {
		return clean
	}
	if bytes.Equal(w.text, line) {
		return line
	}
	return w.text
}

// keys finds the keys in a line of JSON, one after the other.
type keys struct {
	text     []byte
	from, to int // the one found last, with its quotes
	at       int // what is before was looked at
}

// hold reports whether a byte is in one of them, which is not before the one found
// last.
func (k *keys) hold(i int) bool {
	for k.to <= i && k.at < len(k.text) {
		if k.text[k.at] != '"' {
			k.at++
			continue
		}
		from := k.at
		if k.at += stringEnd(k.text[from:]); isKey(k.text[k.at:]) {
			k.from, k.to = from, k.at
		}
	}
	return k.from <= i && i < k.to
}

// same reports whether two slices are one.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// appendRedacted appends text without what f takes out of its quoted parts, decoded.
// In JSON these are the strings that are no keys, with or without escapes, and
// numbers and words count as well: one that is taken out becomes a string. In other
// text only parts with escapes are looked at, what has none is what it says, and the
// last may lack its end.
func appendRedacted(dst, text []byte, isJSON bool, f *filter.Intake) []byte {
	var decoded []byte
	for len(text) > 0 {
		n := 1 // of what is looked at, or copied as it is
		switch {
		case text[0] == '"':
			n = stringEnd(text)
			inside, ended := bytes.CutSuffix(text[1:n], []byte(`"`))
			if isJSON && isKey(text[n:]) || !isJSON && bytes.IndexByte(inside, '\\') < 0 {
				break
			}
			if isJSON {
				decoded = record.AppendDecoded(decoded[:0], inside)
			} else {
				decoded = parse.AppendUnescaped(decoded[:0], inside)
			}
			if clean := f.Redact(decoded); !same(clean, decoded) {
				dst = appendString(dst, clean)
				if !ended {
					dst = dst[:len(dst)-1]
				}
				text = text[n:]
				continue
			}
		case isJSON && !isPunctuation(text[0]):
			n = wordEnd(text)
			if clean := f.Redact(text[:n]); !same(clean, text[:n]) {
				dst = appendString(dst, clean)
				text = text[n:]
				continue
			}
		case !isJSON:
			if n = bytes.IndexByte(text, '"'); n < 0 {
				n = len(text)
			}
		}
		dst = append(dst, text[:n]...)
		text = text[n:]
	}
	return dst
}

// appendString appends a JSON string.
func appendString(dst, text []byte) []byte {
	dst, _ = record.AppendJSON(dst, string(text)) // a string has no error
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
