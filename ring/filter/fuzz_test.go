package filter_test

import (
	"errors"
	"regexp"
	"testing"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// FuzzSpec: whatever is set and compiled, nothing panics, every error is an
// *Error, and a filter says of itself what makes it again.
func FuzzSpec(f *testing.F) {
	for _, name := range filter.Names() {
		for _, value := range []string{"warn", "a=b", "a.b>=1e5", "[", "(", "a{1000}{1000}", "é\xff", "unknown,info", "k~(?:"} {
			f.Add(name, value, `{"q":["a"],"level":"warn"}`)
		}
	}
	f.Fuzz(func(t *testing.T, name, value, hello string) {
		var s filter.Spec
		if err := s.UnmarshalJSON([]byte(hello)); err != nil {
			s = filter.Spec{}
		}
		_, err := s.Set(name, value)
		if err == nil {
			_, err = filter.Compile(s, nil)
		}
		if err != nil {
			if _, ok := errors.AsType[*filter.Error](err); !ok || err.Error() == "" {
				t.Fatalf("%v is no *Error", err)
			}
			return
		}
		made := compile(t, s, nil)
		if again := compile(t, spec(t, made.String()), nil); again.Key() != made.Key() {
			t.Fatalf("%s is the query of %q and makes %q", made, made.Key(), again.Key())
		}
	})
}

// FuzzMatch: on any message and any text as a field, texts and patterns are
// found where the reference finds them.
func FuzzMatch(f *testing.F) {
	f.Add([]byte("a Timeout\n"), "tIMEout", "time.ut", "x")
	f.Add([]byte("caf\xc3\xa9 \xff \u212a \\u0041"), "K", `^\w+`, "\\")
	f.Add([]byte("aaaaaaaaaaaaaaaaaaab"), "aab", "a{3}", "1e3")
	f.Fuzz(func(t *testing.T, message []byte, text, re, value string) {
		if _, err := regexp.Compile(re); err != nil || len(message) > 4096 {
			re = ""
		}
		e := record.Entry{Source: source, Level: ring.LevelInfo, Message: message}
		e.Fields = []byte(`{"a":{"b":[1,` + quote(value) + `]},"c":` + quote(value) + `}`)
		line := new(record.Encoder).Append(nil, &e)
		for _, s := range []filter.Spec{
			{Q: []string{text}},
			{Not: []string{text}},
			{Re: []string{re}},
			{NotRe: []string{re}},
			{Q: []string{text, value}, Not: []string{re}},
			{Field: []string{"c~" + re}},
			{Field: []string{"message~" + re}},
		} {
			if _, err := filter.Compile(s, nil); err != nil {
				continue
			}
			if got, want := passes(t, s, e), reference(s, line); got != want {
				t.Fatalf("%+v says %v, the reference %v of\n%s", s, got, want, line)
			}
		}
	})
}
