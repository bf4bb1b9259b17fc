package entry

import (
	"bytes"
	"slices"
	"sort"

	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// jsonText takes out of a text of JSON, or of what is left of one that was cut, what
// patterns match.
type jsonText struct {
	text   []byte
	tokens []token
	form   []byte        // the text written otherwise
	parts  []part        // of the text, of values and keys
	spans  []filter.Span // of a form, or of a value
	result []byte

	decoded, clean []byte
}

// token is a string, number or word of the text.
type token struct {
	from, to int // in the text; a string with its quotes
	at, end  int // in the form; nowhere when they are equal
	isKey    bool
	gone     bool // all of it is taken out
}

type part struct {
	token int
	filter.Span
}

// redacted returns text without what f takes out of it: text itself if there is
// nothing, else a text that is valid until the next call. With pairs it is looked for
// the way labels and syslog write them, too: key="value".
func (j *jsonText) redacted(text []byte, f *filter.Intake, pairs bool) []byte {
	j.read(text)
	j.spans = f.Matches(j.spans[:0], text)
	j.mark(f, true)
	if j.writeMinimal(); !bytes.Equal(j.form, text) {
		j.spans = f.Matches(j.spans[:0], j.form)
		j.mark(f, false)
	}
	if pairs {
		j.writePairs()
		j.spans = f.Matches(j.spans[:0], j.form)
		j.mark(f, false)
	}
	slices.SortFunc(j.parts, func(a, b part) int { return a.token - b.token })
	return j.rebuilt(f)
}

// read finds the tokens of a text, which is the first form.
func (j *jsonText) read(text []byte) {
	j.text, j.tokens, j.parts = text, j.tokens[:0], j.parts[:0]
	for i := 0; i < len(text); {
		n := 1
		switch {
		case text[i] == '"':
			n = stringEnd(text[i:])
		case !isPunctuation(text[i]):
			n = wordEnd(text[i:])
		default:
			i++
			continue
		}
		t := token{from: i, to: i + n, at: i, end: i + n}
		t.isKey = text[i] == '"' && isKey(text[i+n:])
		j.tokens = append(j.tokens, t)
		i += n
	}
}

// mark notes what the spans of the form take out. Of one within a token a part goes,
// if the form is the text, of others all values that they touch; or keys, if there are
// only those. One that begins in a value that matches by itself ends with it.
func (j *jsonText) mark(f *filter.Intake, isText bool) {
	for _, s := range j.spans {
		begin := sort.Search(len(j.tokens), func(i int) bool { return j.tokens[i].end > s.From })
		end := begin
		for end < len(j.tokens) && j.tokens[end].at < s.To {
			end++
		}
		touched := j.tokens[begin:end]
		if len(touched) == 0 {
			continue
		}
		switch first := &touched[0]; {
		case len(touched) == 1 && j.within(first, s):
			if isText {
				j.parts = append(j.parts, part{begin, s})
			} else if first.isKey {
				first.gone = true
			} // a value is looked at by itself
		case !first.isKey && first.at < s.From && len(f.Matches(nil, j.decode(first))) > 0:
		default:
			take(touched)
		}
	}
}

// within reports whether a span is between the quotes of a string, or in a word.
func (j *jsonText) within(t *token, s filter.Span) bool {
	if j.text[t.from] != '"' {
		return t.at <= s.From && s.To <= t.end
	}
	return t.at < s.From && (s.To < t.end || !ended(j.text[t.from:t.to]))
}

// take takes out the values among tokens, or else the keys.
func take(tokens []token) {
	values := false
	for i := range tokens {
		if !tokens[i].isKey && tokens[i].at < tokens[i].end {
			tokens[i].gone, values = true, true
		}
	}
	for i := range tokens {
		tokens[i].gone = tokens[i].gone || !values
	}
}

// writeMinimal makes the form one without white space and needless escapes.
func (j *jsonText) writeMinimal() {
	j.form = j.form[:0]
	at := 0
	for i := range j.tokens {
		t := &j.tokens[i]
		j.form = appendNoSpace(j.form, j.text[at:t.from])
		t.at = len(j.form)
		j.form = j.appendMinimal(j.form, t)
		t.end, at = len(j.form), t.to
	}
	j.form = appendNoSpace(j.form, j.text[at:])
}

// writePairs makes the form one of the keys that have a value, key="value".
func (j *jsonText) writePairs() {
	j.form = j.form[:0]
	for i := range j.tokens {
		t := &j.tokens[i]
		t.at, t.end = len(j.form), len(j.form)
		if i == 0 || t.isKey || !j.tokens[i-1].isKey {
			continue
		}
		key := &j.tokens[i-1]
		key.at = len(j.form)
		j.form = record.AppendDecoded(j.form, inside(j.text[key.from:key.to]))
		key.end = len(j.form)
		j.form = append(j.form, '=')
		t.at = len(j.form)
		if j.text[t.from] == '"' {
			j.form = j.appendMinimal(j.form, t)
		} else {
			j.form = append(append(append(j.form, '"'), j.text[t.from:t.to]...), '"')
		}
		t.end = len(j.form)
		j.form = append(j.form, ' ')
	}
}

func (j *jsonText) appendMinimal(dst []byte, t *token) []byte {
	raw := j.text[t.from:t.to]
	if raw[0] != '"' || bytes.IndexByte(raw, '\\') < 0 {
		return append(dst, raw...)
	}
	j.decoded = record.AppendDecoded(j.decoded[:0], inside(raw))
	return appendString(dst, j.decoded, ended(raw))
}

// rebuilt returns the text without what was marked, and what each value says by itself.
func (j *jsonText) rebuilt(f *filter.Intake) []byte {
	j.result = j.result[:0]
	at, next, changed := 0, 0, false
	for i := range j.tokens {
		t := &j.tokens[i]
		raw := j.text[t.from:t.to]
		isString := raw[0] == '"'
		j.decode(t)
		j.spans = j.spans[:0]
		switch {
		case t.gone:
			j.spans = append(j.spans, filter.Span{To: len(j.decoded)})
		case !t.isKey:
			j.spans = f.Matches(j.spans, j.decoded)
		}
		for ; next < len(j.parts) && j.parts[next].token == i; next++ {
			if s := j.parts[next].Span; !t.gone {
				j.spans = append(j.spans, decodedSpan(raw, filter.Span{From: s.From - t.from, To: s.To - t.from}))
			}
		}
		if len(j.spans) == 0 {
			continue
		}
		changed = true
		j.clean = filter.AppendRedacted(j.clean[:0], j.decoded, filter.Unite(j.spans))
		j.result = append(j.result, j.text[at:t.from]...)
		j.result = appendString(j.result, j.clean, !isString || ended(raw))
		at = t.to
	}
	if !changed {
		return j.text
	}
	j.result = append(j.result, j.text[at:]...)
	return j.result
}

// decode returns what a token says, valid until the next call.
func (j *jsonText) decode(t *token) []byte {
	if raw := j.text[t.from:t.to]; raw[0] == '"' {
		j.decoded = record.AppendDecoded(j.decoded[:0], inside(raw))
	} else {
		j.decoded = append(j.decoded[:0], raw...)
	}
	return j.decoded
}

// decodedSpan returns where a span within a token is when its escapes are undone, of
// which it takes all or nothing.
func decodedSpan(raw []byte, s filter.Span) filter.Span {
	if raw[0] != '"' {
		return s
	}
	from, to, at := -1, 0, 0
	for i := 1; i < s.To; {
		n := escapeEnd(raw[i:])
		decoded := n
		if raw[i] == '\\' {
			decoded = len(record.AppendDecoded(nil, raw[i:i+n]))
		}
		if from < 0 && i+n > s.From {
			from = at
		}
		i, at = i+n, at+decoded
		to = at
	}
	return filter.Span{From: max(from, 0), To: to}
}

// escapeEnd returns the length of the escape that b begins with, of two when they are
// one character, or of what is none.
func escapeEnd(b []byte) int {
	switch {
	case b[0] != '\\' || len(b) == 1:
		return 1
	case b[1] != 'u' || len(b) < 6:
		return 2
	case len(b) >= 12 && b[6] == '\\' && b[7] == 'u' && (b[2] == 'd' || b[2] == 'D') && bytes.IndexByte([]byte("89abAB"), b[3]) >= 0:
		return 12
	}
	return 6
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
