package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzEntryIsReadLikeAnyJSON compares the scanner of entries with what reads
// any JSON, on all lines that are JSON.
func FuzzEntryIsReadLikeAnyJSON(f *testing.F) {
	for _, line := range []string{
		`{"time":"t","source":"s","level":"info","message":"a\"b\\","fields":{"a":1,"b":{"c":[1,"}"]},"d":"x\\\"","e":null}}`,
		`{"message":"","fields":{}}`, `{}`, `{"message":5}`, `{"fields":[1]}`, `{"message":null}`, `{"fields":{"a":-1.5e3,"b":true}}`,
		`{"other":1}`, `{"message":"x"} `, `{ "message" : "x" }`, `{"Message":"x"}`, `{"message":"x","message":"y"}`, `{"message":"\ud83d\ude00\u0000"}`, `"`, `{"`, `{"a":"\`,
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if !json.Valid([]byte(line)) || !utf8.ValidString(line) || !strings.HasPrefix(line, "{") {
			decode([]byte(line), false) // must not panic
			return
		}
		var want logEntry
		if err := json.Unmarshal([]byte(line), &want); err != nil {
			want = logEntry{Message: line}
		}
		if len(want.Fields) > 0 && want.Fields[0] != '{' {
			want.Fields = nil
		}
		for _, cut := range []bool{false, true} {
			in := line
			if cut {
				in = line[1:]
			}
			got := decode([]byte(in), cut)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%q is read as %+v, want %+v", in, got, want)
			}
		}
		if want.Fields == nil {
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(want.Fields, &members); err != nil {
			t.Fatal(err)
		}
		s := scanner{rest: want.Fields}
		for name, value := range s.members {
			if !json.Valid(value) {
				t.Errorf("%q has a value %q for %q", line, value, name)
			}
			delete(members, textOf(name))
		}
		if !s.failed && len(members) > 0 {
			t.Errorf("%q has more fields: %q", line, members)
		}
	})
}

func BenchmarkTailColumns(b *testing.B) {
	entry := []byte(`"time":"2024-01-01T12:00:00.123456Z","source":"app.log","level":"info","message":"` +
		strings.Repeat("x", 130) + `","fields":{"key":"value"}}`)
	c := &columns{stamps: "local"}
	var out []byte
	b.SetBytes(int64(len(entry)))
	for b.Loop() {
		out = c.entry(out[:0], entry, true)
	}
}
