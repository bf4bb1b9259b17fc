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

	within           []filter.Span // parts of one token
	result, previous []byte
	decoded, clean   []byte
}

// token is a string, number or word of the text.
type token struct {
	from, to int // in the text; a string with its quotes
	at, end  int // in the form; nowhere when they are equal
	isKey    bool
	looked   bool // a key is looked at by itself, as values are
	gone     bool // all of it is taken out
}

type part struct {
	token int
	filter.Span
}

// rounds is how often a text is looked at: what begins in a value that is redacted by
// itself, and reaches beyond it, may be found only when that is done.
const rounds = 4

// redacted returns text without what f takes out of it: text itself if there is
// nothing, else a text that is valid until the next call. With pairs it is looked for
// the way labels and syslog write them, too: key="value".
func (j *jsonText) redacted(text []byte, f *filter.Intake, pairs bool) []byte {
	j.releaseLarge()
	for round := 1; ; round++ {
		clean := j.round(text, f, pairs, round == rounds)
		if same(clean, text) || round == rounds || bytes.Equal(clean, text) {
			return clean
		}
		text = clean
		j.result, j.previous = j.previous, j.result // text is in it
	}
}

func (j *jsonText) round(text []byte, f *filter.Intake, pairs, last bool) []byte {
	j.read(text)
	j.spans = f.Matches(j.spans[:0], text)
	j.mark(f, true, last)
	if j.writeMinimal(); !bytes.Equal(j.form, text) {
		j.spans = f.Matches(j.spans[:0], j.form)
		j.mark(f, false, last)
	}
	if pairs {
		j.writePairs()
		j.spans = f.Matches(j.spans[:0], j.form)
		j.mark(f, false, last)
	}
	slices.SortFunc(j.parts, func(a, b part) int { return a.token - b.token })
	return j.rebuilt(f)
}

// releaseLarge drops what a very long line has left behind.
func (j *jsonText) releaseLarge() {
	const most = 64 << 10
	if cap(j.form) > most || cap(j.result) > most || len(j.tokens) > most/64 || len(j.parts) > most/64 || cap(j.spans) > most/16 {
		*j = jsonText{}
	}
}

// read finds the tokens of a text, which is the first form.
func (j *jsonText) read(text []byte) {
	j.text, j.tokens, j.parts = text, j.tokens[:0], j.parts[:0]
	for i := 0; i < len(text); {
		var n int
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
// only those. One that begins in a value that matches by itself ends with it, but for
// the last round.
func (j *jsonText) mark(f *filter.Intake, isText, last bool) {
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
		case len(touched) == 1 && j.holds(first, s):
			if isText {
				j.parts = append(j.parts, part{begin, s})
			} else if first.isKey {
				first.gone = true
			} // a value is looked at by itself
		case !last && !first.isKey && first.at < s.From && len(f.Matches(nil, j.decode(first))) > 0:
		default:
			take(touched)
		}
	}
}

// holds reports whether a span is between the quotes of a string, or in a word.
func (j *jsonText) holds(t *token, s filter.Span) bool {
	if j.text[t.from] != '"' {
		return t.at <= s.From && s.To <= t.end
	}
	return t.at < s.From && (s.To < t.end || !ended(j.text[t.from:t.to]))
}

// take takes out the values among tokens, or else the keys. Of a key beside values
// goes what is found in it by itself.
func take(tokens []token) {
	values := false
	for i := range tokens {
		if t := &tokens[i]; t.isKey {
			t.looked = true
		} else if t.at < t.end {
			t.gone, values = true, true
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
		j.spans, j.within = j.spans[:0], j.within[:0]
		for ; next < len(j.parts) && j.parts[next].token == i; next++ {
			j.within = append(j.within, filter.Span{From: j.parts[next].From - t.from, To: j.parts[next].To - t.from})
		}
		switch {
		case t.gone:
			j.spans = append(j.spans, filter.Span{To: len(j.decoded)})
		case !t.isKey || t.looked:
			j.spans = f.Matches(j.spans, j.decoded)
			fallthrough
		default:
			j.spans = appendDecoded(j.spans, raw, filter.Unite(j.within))
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
