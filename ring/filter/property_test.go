package filter_test

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// The words are few, so that filters and entries often meet.
var (
	words    = []string{"a", "b", "K", "s", "ab", "\u017f", "\u212a", "é", "É", "Σ", "ς", "日", "😀", `"`, `\`, "\n", "/", "<", "=", ".", " ", "1", "500", "\xff", "\x00", "\ufffd"}
	keys     = []string{"a", "b", "a.b", "level", "source", "message", "time", `"`, "é", "_partial", ""}
	numbers  = []string{"0", "-0", "1", "-1", "1.0", "10", "1e1", "0.1e2", "100E-1", "-1.5", "9007199254740993", "9007199254740992", "0.10", "1e-3", "0.001"}
	globs    = []string{"*", "a*", "[ab].log", "*.log", "*/*", "/var/*", "?.log", `"*`, "é*"}
	res      = []string{"a", "^a", "b$", "a.b", "(?i)k", `\d+`, "[^a]", "", "é", `"`, "^$", `\n`, "日|b", "(?:ab)*", "(?i:kb?)+a", "a*b", "(a|b){2,3}1?"}
	sourceOf = []string{"a.log", "b.log", "/var/a.log", `"x".log`, "é\n.log", "dir/b.log"}
)

func drawText(t *rapid.T, label string) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 6).Draw(t, label), "")
}

// drawString returns a JSON string in one of the ways to write it.
func drawString(t *rapid.T) string {
	text := strings.ToValidUTF8(drawText(t, "string"), "\ufffd")
	switch rapid.IntRange(0, 3).Draw(t, "way") {
	case 0:
		var b strings.Builder
		b.WriteByte('"')
		for _, r := range text {
			if r < 0x10000 {
				b.WriteString(`\u` + strconv.FormatInt(0x10000+int64(r), 16)[1:])
			} else {
				b.WriteRune(r)
			}
		}
		return b.String() + `"`
	case 1:
		return `"` + rapid.SampledFrom([]string{`\ud83d\ude00`, `\ud83d`, `\ud83da`, `\ud83d\u0041`, `\ude00\ud83d`, `\/\b\f\t\r`}).Draw(t, "escape") + `"`
	}
	return quote(text)
}

// quote makes a JSON string the way the encoder of entries does.
func quote(text string) string {
	e := record.Entry{Message: []byte(text)}
	line := string(new(record.Encoder).Append(nil, &e))
	_, after, _ := strings.Cut(line, `"message":`)
	return strings.TrimSuffix(after, "}\n")
}

func drawValue(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	if depth == 0 {
		kind %= 5
	}
	blank := rapid.SampledFrom([]string{"", "", " ", "\t"}).Draw(t, "blank")
	switch kind {
	case 0, 1:
		return blank + drawString(t) + blank
	case 2:
		return blank + rapid.SampledFrom(numbers).Draw(t, "number") + blank
	case 3:
		return blank + `"` + rapid.SampledFrom(numbers).Draw(t, "number") + `"`
	case 4:
		return rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "word") + blank
	case 5:
		return drawObject(t, depth-1)
	}
	var items []string
	for range rapid.IntRange(0, 3).Draw(t, "items") {
		items = append(items, drawValue(t, depth-1))
	}
	return "[" + blank + strings.Join(items, ",") + "]" + blank
}

func drawObject(t *rapid.T, depth int) string {
	var members []string
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		key := quote(rapid.SampledFrom(keys).Draw(t, "key"))
		if rapid.IntRange(0, 5).Draw(t, "odd") == 0 {
			key = drawString(t)
		}
		members = append(members, key+rapid.SampledFrom([]string{"", " "}).Draw(t, "blank")+":"+drawValue(t, depth))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func drawEntry(t *rapid.T) record.Entry {
	e := record.Entry{
		Micros:  rapid.Int64Range(0, 4e15).Draw(t, "micros"),
		Source:  rapid.SampledFrom(sourceOf).Draw(t, "source"),
		Level:   ring.Level(rapid.IntRange(0, 6).Draw(t, "level")),
		Message: []byte(drawText(t, "message")),
		Partial: rapid.IntRange(0, 5).Draw(t, "partial") == 0,
	}
	if e.Quoted = rapid.Bool().Draw(t, "quoted"); e.Quoted {
		e.Message = []byte(drawString(t))
	}
	if rapid.Bool().Draw(t, "has fields") {
		e.Fields = []byte(drawObject(t, 3))
	}
	return e
}

func drawSpec(t *rapid.T) filter.Spec {
	some := func(label string, value func() string) (values []string) {
		if rapid.IntRange(0, 2).Draw(t, label) == 0 {
			for range rapid.IntRange(1, 3).Draw(t, label) {
				values = append(values, value())
			}
		}
		return values
	}
	from := func(list []string) func() string {
		return func() string { return rapid.SampledFrom(list).Draw(t, "value") }
	}
	text := func() string { return drawText(t, "text") }
	field := func() string {
		key := rapid.SampledFrom([]string{"a", "b", "a.b", "a.b.a", "level", "source", "message", "time", `"`, "é", "_partial", ".a"}).Draw(t, "key")
		op := rapid.SampledFrom([]string{"=", "!=", ">", ">=", "<", "<=", "~"}).Draw(t, "op")
		switch {
		case op == "~":
			return key + op + from(res)()
		case rapid.Bool().Draw(t, "number"):
			return key + op + from(numbers)()
		}
		return key + op + text()
	}
	return filter.Spec{
		Level:  rapid.SampledFrom([]string{"", "", "", "trace", "warn"}).Draw(t, "level"),
		Levels: some("levels", from([]string{"unknown", "info,warn", "unknown,error,fatal"})),
		Source: some("source", from(globs)), NotSource: some("not_source", from(globs)),
		Q: some("q", text), Not: some("not", text), Re: some("re", from(res)), NotRe: some("not_re", from(res)),
		Field: some("field", field),
	}
}

func TestMatchingAgreesWithTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpec(t)
		entries := []record.Entry{drawEntry(t), drawEntry(t), drawEntry(t)}
		for _, e := range entries {
			line := new(record.Encoder).Append(nil, &e)
			if got, want := passes(t, s, e), reference(s, line); got != want {
				t.Fatalf("%+v says %v, the reference %v of\n%s", s, got, want, line)
			}
		}
		r := newRing()
		p := publish(t, r, entries...)
		m := compile(t, s, r.SourceName).NewMatcher()
		v := m.Page(p)
		for i := range entries {
			pass := m.Match(p, i)
			if v == filter.All && !pass || v == filter.None && pass || pass != reference(s, p.Entry(i)) {
				t.Fatalf("%+v: page %v, entry %d of it %v:\n%s", s, v, i, pass, p.Text)
			}
		}
	})
}

// A filter and its query must mean the same, and so must two of equal keys.
func TestKeysAndQueriesSurviveTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpec(t)
		f := compile(t, s, nil)
		if again := compile(t, spec(t, f.String()), nil); again.Key() != f.Key() {
			t.Fatalf("%+v has the key %q, its query %s has %q", s, f.Key(), f, again.Key())
		}
		for _, list := range []*[]string{&s.Levels, &s.Source, &s.NotSource, &s.Q, &s.Re, &s.Not, &s.NotRe, &s.Field} {
			if len(*list) > 1 {
				*list = append(rapid.Permutation(*list).Draw(t, "order"), (*list)[0])
			}
		}
		if shuffled := compile(t, s, nil); shuffled.Key() != f.Key() {
			t.Fatalf("%+v has the key %q, in another order it was %q", s, shuffled.Key(), f.Key())
		}
	})
}
