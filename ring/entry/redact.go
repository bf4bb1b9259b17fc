package entry

import (
	"bytes"

	"logwisp/ring/filter"
	"logwisp/ring/parse"
)

// What is redacted is what a pattern matches of
//
//   - the line as it stands,
//   - each value by itself, without its escapes: those of JSON, the quoted parts of
//     other lines, and what fields become of logfmt and the like,
//   - a line of JSON as it would be without white space and needless escapes.
//
// A line of JSON stays one: of a match within one value that part goes, of one that
// reaches beyond, as it names the key, all values that it touches (see jsonText).

// redact parses d again without what is taken out of it, if there is anything.
func (w *Writer) redact(p *parse.Parser, d *Draft, r *parse.Result) {
	begin := bytes.TrimLeft(d.Text, " \t\r\n")
	inJSON := len(begin) > 0 && begin[0] == '{' // or in what was cut off of it
	isJSON := inJSON && !whole(d, r) && (p.Format == parse.Auto || p.Format == parse.JSON)
	clean := d.Text
	if inJSON {
		clean = w.json.redacted(clean, w.filter, false)
	}
	if !isJSON {
		clean = w.redactedText(clean)
	}
	if !same(clean, d.Text) {
		d.Text = clean
		w.line(p, d, r)
	}
	if !isJSON && !whole(d, r) {
		w.redactResult(r)
	}
}

// redactResult takes out of what was made of a line that is no JSON what each of its
// values says by itself.
func (w *Writer) redactResult(r *parse.Result) {
	r.Fields = w.values.redacted(r.Fields, w.filter, false)
	if r.Quoted {
		r.Message = w.message.redacted(r.Message, w.filter, false)
	} else {
		r.Message = w.filter.Redact(r.Message)
	}
}

// redactedText returns a line that is no JSON without what is redacted: the line
// itself if there is nothing, else valid until the next call of the Writer.
func (w *Writer) redactedText(line []byte) []byte {
	clean := w.filter.Redact(line)
	if !same(clean, line) {
		w.unescaped = append(w.unescaped[:0], clean...)
		clean = w.unescaped
	}
	w.text = appendPartsRedacted(w.text[:0], clean, w.filter)
	if bytes.IndexByte(clean, '\\') >= 0 {
		// Quotes may be where they mean nothing: what is still there in all of the line is
		// taken out of that, without its escapes.
		w.unescaped = parse.AppendUnescaped(w.unescaped[:0], w.text)
		if clean := w.filter.Redact(w.unescaped); !same(clean, w.unescaped) {
			w.text = append(w.text[:0], clean...) // what is looked for next has the filter's memory
			return w.text
		}
	}
	if bytes.Equal(w.text, line) {
		return line
	}
	return w.text
}

// appendPartsRedacted appends a text without what f takes out of its quoted parts, of
// which the last may lack its end.
func appendPartsRedacted(dst, text []byte, f *filter.Intake) []byte {
	var decoded []byte
	for len(text) > 0 {
		n := bytes.IndexByte(text, '"')
		if n < 0 {
			return append(dst, text...)
		}
		dst, text = append(dst, text[:n]...), text[n:]
		n = stringEnd(text)
		inside, ended := bytes.CutSuffix(text[1:n], []byte(`"`))
		decoded = parse.AppendUnescaped(decoded[:0], inside)
		if clean := f.Redact(decoded); same(clean, decoded) {
			dst = append(dst, text[:n]...)
		} else {
			dst = appendString(dst, clean, ended)
		}
		text = text[n:]
	}
	return dst
}

// same reports whether two slices are one.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
