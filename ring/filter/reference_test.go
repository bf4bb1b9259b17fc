package filter_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"path"
	"regexp"
	"slices"
	"strings"

	"logwisp/ring/filter"
)

// The reference follows the grammar as it reads, on entries decoded by
// encoding/json. Its Spec is one that Compile has accepted.

type refEntry struct {
	Time    string          `json:"time"`
	Source  string          `json:"source"`
	Level   *string         `json:"level"`
	Message string          `json:"message"`
	Fields  json.RawMessage `json:"fields"`
}

type refMember struct {
	key   string
	value json.RawMessage
}

func reference(s filter.Spec, line []byte) bool {
	var e refEntry
	if err := json.Unmarshal(line, &e); err != nil {
		panic(err)
	}
	texts := []string{e.Message}
	if e.Fields != nil {
		texts = append(texts, refLeaves(e.Fields)...)
	}
	return refLevel(s, e.Level) &&
		anyOrEmpty(s.Source, func(g string) bool { return refGlob(g, e.Source) }) &&
		!anyOf(s.NotSource, func(g string) bool { return refGlob(g, e.Source) }) &&
		anyOrEmpty(s.Q, func(q string) bool { return refContains(texts, q) }) &&
		anyOrEmpty(s.Re, func(re string) bool { return refSearch(texts, re) }) &&
		!anyOf(s.Not, func(q string) bool { return refContains(texts, q) }) &&
		!anyOf(s.NotRe, func(re string) bool { return refSearch(texts, re) }) &&
		anyOrEmpty(s.Field, func(f string) bool { return refField(e, f) })
}

func given(values []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
}

func anyOf(values []string, f func(string) bool) bool { return slices.ContainsFunc(given(values), f) }

func anyOrEmpty(values []string, f func(string) bool) bool {
	return len(given(values)) == 0 || anyOf(values, f)
}

func refLevel(s filter.Spec, level *string) bool {
	order := []string{"unknown", "trace", "debug", "info", "warn", "error", "fatal"}
	own := "unknown"
	if level != nil {
		own = *level
	}
	if s.Level != "" && slices.Index(order, own) < slices.Index(order, strings.ToLower(s.Level)) {
		return false
	}
	return anyOrEmpty(s.Levels, func(list string) bool {
		return slices.ContainsFunc(strings.Split(list, ","), func(l string) bool {
			return strings.EqualFold(strings.TrimSpace(l), own)
		})
	})
}

func refGlob(glob, source string) bool {
	if !strings.Contains(glob, "/") {
		parts := strings.Split(source, "/")
		source = parts[len(parts)-1]
	}
	ok, err := path.Match(glob, source)
	return ok && err == nil
}

func refContains(texts []string, needle string) bool {
	want := []rune(needle)
	for _, text := range texts {
		runes := []rune(text)
		for i := 0; i+len(want) <= len(runes); i++ {
			if strings.EqualFold(string(runes[i:i+len(want)]), string(want)) {
				return true
			}
		}
	}
	return false
}

func refSearch(texts []string, re string) bool {
	return slices.ContainsFunc(texts, regexp.MustCompile(re).MatchString)
}

// refMembers are the members of an object in order, nil of another value.
func refMembers(value json.RawMessage) (members []refMember) {
	d := json.NewDecoder(bytes.NewReader(value))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			panic(err)
		}
		m := refMember{key: key.(string)}
		if err := d.Decode(&m.value); err != nil {
			panic(err)
		}
		members = append(members, m)
	}
	return members
}

func refLeaves(value json.RawMessage) (texts []string) {
	switch value[0] {
	case '{':
		for _, m := range refMembers(value) {
			texts = append(texts, refLeaves(m.value)...)
		}
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(value, &items); err != nil {
			panic(err)
		}
		for _, item := range items {
			texts = append(texts, refLeaves(item)...)
		}
	default:
		texts = append(texts, refText(value))
	}
	return texts
}

func refText(value json.RawMessage) string {
	if value[0] != '"' {
		return string(value)
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		panic(err)
	}
	return text
}

func refLookup(object json.RawMessage, key string) (json.RawMessage, bool) {
	last := func(key string) json.RawMessage {
		var value json.RawMessage
		for _, m := range refMembers(object) {
			if m.key == key {
				value = m.value
			}
		}
		return value
	}
	if value := last(key); value != nil {
		return value, true
	}
	before, after, dotted := strings.Cut(key, ".")
	if inner := last(before); dotted && inner != nil {
		return refLookup(inner, after)
	}
	return nil, false
}

var refOperator = regexp.MustCompile(`!=|>=|<=|=|>|<|~`)

func refField(e refEntry, condition string) bool {
	at := refOperator.FindStringIndex(condition)
	key, op, want := condition[:at[0]], condition[at[0]:at[1]], condition[at[1]:]
	text, found := "", false
	if value, ok := refLookup(e.Fields, key); ok {
		text, found = refText(value), true
	} else {
		switch key {
		case "time":
			text, found = e.Time, true
		case "source":
			text, found = e.Source, true
		case "message":
			text, found = e.Message, true
		case "level":
			if found = e.Level != nil; found {
				text = *e.Level
			}
		}
	}
	if !found {
		return op == "!="
	}
	if op == "~" {
		return regexp.MustCompile(want).MatchString(text)
	}
	a, aNumber := refNumber(text)
	b, bNumber := refNumber(want)
	if aNumber != bNumber {
		return op == "!="
	}
	order := strings.Compare(text, want)
	if aNumber {
		order = a.Cmp(b)
	}
	return map[string]bool{
		"=": order == 0, "!=": order != 0, ">": order > 0, ">=": order >= 0, "<": order < 0, "<=": order <= 0,
	}[op]
}

var refDecimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// refNumber is for exponents that a computer can write out.
func refNumber(text string) (*big.Rat, bool) {
	if !refDecimal.MatchString(text) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}
