package filter_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"logwisp/ring/filter"
)

func TestSetKnowsExactlyTheNamedParameters(t *testing.T) {
	for _, name := range filter.Names() {
		value := map[string]string{"level": "warn", "levels": "warn", "field": "a=b"}[name]
		var s filter.Spec
		if known, err := s.Set(name, value); !known || err != nil {
			t.Errorf("%s: known %v, error %v", name, known, err)
		}
	}
	for _, name := range []string{"", "tail", "Level", "limit"} {
		var s filter.Spec
		if known, err := s.Set(name, "x"); known || err != nil {
			t.Errorf("%q: known %v, error %v", name, known, err)
		}
	}
}

// problem returns the *Error that Set or Compile finds in one value.
func problem(t *testing.T, name, value string) *filter.Error {
	t.Helper()
	var s filter.Spec
	_, err := s.Set(name, value)
	if err == nil {
		_, err = filter.Compile(s, nil)
	}
	if err == nil {
		return nil
	}
	found, ok := errors.AsType[*filter.Error](err)
	if !ok {
		t.Fatalf("%s=%s: %v is no *Error", name, value, err)
	}
	return found
}

func TestErrorsNameTheParameterTheCauseAndWhatMayBeMeant(t *testing.T) {
	for _, c := range []struct{ name, value, suggestion, text string }{
		{"level", "wran", "warn", "level=wran: no such level, there are trace, debug, info, warn, error, fatal; did you mean warn?"},
		{"level", "warning", "warn", "level=warning: "},
		{"level", "err", "error", "level=err: "},
		{"level", "unknown", "", "level=unknown: no such level"},
		{"levels", "error,eror", "error", "levels=eror: no such level, there are trace, debug, info, warn, error, fatal, unknown; did you mean error?"},
		{"levels", "unkown", "unknown", "levels=unkown: "},
		{"levels", "error,", "", "levels: no such level"},
		{"source", "a[", "", "source=a[: not a glob"},
		{"not_source", `a\`, "", `not_source="a\\": not a glob`},
		{"field", "status", "", "field=status: no operator"},
		{"field", "=5", "", "field==5: there is no key"},
		{"field", "!=5", "", "field=!=5: there is no key"},
		{"field", "a~(", "", "field=a~(: not an RE2: missing closing ): ("},
		{"re", "a(b", "", "re=a(b: not an RE2: missing closing ): a(b"},
		{"re", "(?=a)", "", "re=(?=a): RE2 has no (?=: there is no looking ahead or behind"},
		{"re", `(a)\1`, "", `RE2 has no "\\1"`},
		{"re", "(a{1000}){1000}", "", "re=(a{1000}){1000}: the repetition {1000} is too large"},
		{"not_re", "a{1001}", "", "not_re=a{1001}: the repetition {1001} is too large"},
	} {
		err := problem(t, c.name, c.value)
		if err == nil {
			t.Errorf("%s=%s is accepted", c.name, c.value)
			continue
		}
		if err.Parameter != c.name || err.Suggestion != c.suggestion || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s=%s: parameter %q, suggestion %q, %v", c.name, c.value, err.Parameter, err.Suggestion, err)
		}
		if len(err.Error()) > 400 {
			t.Errorf("%s: an error of %d bytes", c.name, len(err.Error()))
		}
	}
}

func TestLimitsHoldExactly(t *testing.T) {
	text := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name, at, past string
	}{
		{"q", text(filter.MaxValueBytes), text(filter.MaxValueBytes + 1)},
		{"not", text(filter.MaxValueBytes), text(filter.MaxValueBytes + 1)},
		{"source", text(filter.MaxValueBytes), text(filter.MaxValueBytes + 1)},
		{"field", "k=" + text(filter.MaxValueBytes-2), "k=" + text(filter.MaxValueBytes-1)},
		{"re", text(filter.MaxPatternBytes), text(filter.MaxPatternBytes + 1)},
		{"not_re", text(filter.MaxPatternBytes), text(filter.MaxPatternBytes + 1)},
		{"field", "k~" + text(filter.MaxPatternBytes), "k~" + text(filter.MaxPatternBytes+1)},
		{"re", "a{1000}", "a{1001}"},
		// A program begins and ends with one instruction of its own.
		{"re", "(?:a{1000}){1}" + text(filter.MaxInstructions-1002), "(?:a{1000}){1}" + text(filter.MaxInstructions-1001)},
	} {
		if err := problem(t, c.name, c.at); err != nil {
			t.Errorf("at the limit: %v", err)
		}
		if problem(t, c.name, c.past) == nil {
			t.Errorf("%s=%.20s… of %d bytes is past the limit and accepted", c.name, c.past, len(c.past))
		}
	}
}

func TestTheNumberOfValuesIsLimited(t *testing.T) {
	var s filter.Spec
	for i := range filter.MaxValues {
		if _, err := s.Set([]string{"q", "not", "source", "field"}[i%4], fmt.Sprint("k=", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Set("q", ""); err != nil {
		t.Errorf("an empty value counts: %v", err)
	}
	if _, err := filter.Compile(s, nil); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := s.Set("q", "one more"); err == nil || !strings.Contains(err.Error(), "at most 64 values") {
		t.Errorf("Set past the limit: %v", err)
	}
	s.Level = "warn"
	if _, err := filter.Compile(s, nil); err == nil || !strings.Contains(err.Error(), "at most 64 values") {
		t.Errorf("Compile past the limit: %v", err)
	}
}

func TestCompileRefusesWhatSetWouldHaveRefused(t *testing.T) {
	for _, s := range []filter.Spec{
		{Level: "loud"},
		{Levels: []string{"loud"}},
		{Source: []string{"["}},
		{NotSource: []string{"["}},
		{Field: []string{"k"}},
		{Q: []string{strings.Repeat("x", filter.MaxValueBytes+1)}},
	} {
		if _, err := filter.Compile(s, nil); err == nil {
			t.Errorf("%+v is accepted", s)
		} else if _, ok := errors.AsType[*filter.Error](err); !ok {
			t.Errorf("%+v: %v is no *Error", s, err)
		}
	}
}

func TestTheFilterOfAHelloIsStringsAndArraysOfThem(t *testing.T) {
	var hello struct {
		Filter filter.Spec `json:"filter"`
	}
	const line = `{"hello":1,"filter":{"level":"warn","source":["app*","web*"],"re":"time\u006fut","q":[],"not":""}}`
	if err := json.Unmarshal([]byte(line), &hello); err != nil {
		t.Fatal(err)
	}
	if got, want := compile(t, hello.Filter, nil).String(), "level=warn&source=app*&source=web*&re=timeout"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, empty := range []string{`{}`, `null`, ` { "q" : [ ] } `} {
		s := filter.Spec{Q: []string{"old"}}
		if err := s.UnmarshalJSON([]byte(empty)); err != nil || compile(t, s, nil).Key() != "" {
			t.Errorf("%s: %+v, %v", empty, s, err)
		}
	}
}

func TestABadFilterInAHelloIsExplained(t *testing.T) {
	for text, want := range map[string]string{
		`{"levle":"warn"}`:   "levle: no such filter parameter; did you mean level?",
		`{"sources":["a"]}`:  "did you mean source?",
		`{"nonsense":1}`:     "nonsense: no such filter parameter",
		`{"level":3}`:        "level: the value must be a string or an array of strings",
		`{"q":{"a":"b"}}`:    "q: the value must be",
		`{"q":["a",null]}`:   "q: the value must be",
		`{"q":["a",["b"]]}`:  "q: the value must be",
		`{"level":"wran"}`:   "level=wran: ",
		`{"re":["a","b"`:     "read the filter",
		`{"re":`:             "read the filter",
		`{"re" "a"}`:         "read the filter",
		`["level"]`:          "read the filter, a JSON object",
		`"level=warn"`:       "it begins with level=warn",
		`{"level":"warn"} 1`: "more follows it",
		``:                   "read the filter",
	} {
		var s filter.Spec
		if err := s.UnmarshalJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestEqualFiltersHaveEqualKeys(t *testing.T) {
	same := [][]string{
		{"", "q=", "levels=unknown,trace,debug,info,warn,error,fatal"},
		{"level=warn", "levels=fatal,error,warn", "level=warn&levels=debug,warn,error&levels=fatal", "level=WARN"},
		{"q=Timeout&q=b", "q=B&q=timeout&q=b"},
		{"source=a&not=X&field=a=b", "field=a=b&not=x&source=a"},
		{"re=A"},
		{"re=a", "re=a&re=a"},
		{"q=a%26q=b"},
		{"q=a&q=b"},
		{"not=a&not=b"},
		{"q=k", "q=\u212a"},
	}
	seen := map[string]int{}
	for i, queries := range same {
		for _, query := range queries {
			key := compile(t, spec(t, query), nil).Key()
			if other, ok := seen[key]; ok && other != i {
				t.Errorf("%s has the key of %s", query, same[other])
			}
			seen[key] = i
		}
	}
	if len(seen) != len(same) {
		t.Errorf("%d keys for %d filters: %v", len(seen), len(same), seen)
	}
}

func TestStringIsAQueryThatMakesTheSameFilter(t *testing.T) {
	for _, query := range []string{
		"level=warn&q=timeout", "q=100%25%3B+%26+%2B%23", "q=%C3%A9%00", "field=a>=5&re=^a|b$", "source=/var/**/[a-z]?.log",
	} {
		f := compile(t, spec(t, query), nil)
		values, err := url.ParseQuery(f.String())
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		if again := compile(t, spec(t, values.Encode()), nil); again.Key() != f.Key() {
			t.Errorf("%s is shown as %s, which means %s", query, f, again)
		}
	}
	if got := compile(t, spec(t, "q=time+out&level=Warn&field=a>=5"), nil).String(); got != "level=Warn&q=time+out&field=a>=5" {
		t.Errorf("got %s", got)
	}
}
