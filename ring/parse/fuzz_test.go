package parse

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"logwisp/ring"
)

func FuzzLine(f *testing.F) {
	for _, line := range benchLines {
		f.Add([]byte(line))
	}
	for _, line := range []string{
		`{"msg":"\ud83d\ude00","level":"notice","fields":{"a":1},"time":1767323045.25}`, "{\"a\":\r1 , \"msg\" : \"x\"}", "{\"\xff\":\"\xfe\"}",
		"<11>Jan  2 03:04:05 host x", "E, [2026-01-02T03:04:05.678901 #1] ERROR -- : x", "level=info msg=\"a\\xff\" k=\"\\ud800\"",
		"2026-01-02 03:04:05 CET [1] - a - ERROR: x", `{"a":{"b":[1,{"c":null}]}}`, `{"message":1,"text":"x","date":"2026-01-02 03:04:05 -03"}`,
	} {
		f.Add([]byte(line))
	}
	p := &Parser{Location: time.UTC}
	others := []*Parser{{Format: JSON, Location: time.UTC}, {Format: Logfmt, Location: time.UTC}, {Format: Text, Location: time.UTC}}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		var r Result
		p.Line(line, testNow, &r)
		if !bytes.Equal(line, before) {
			t.Fatal("the line was changed")
		}
		checkResult(t, line, &r)
		checkMemory(t, p, line)
		for _, other := range others {
			var r Result
			other.Line(line, testNow, &r)
			checkResult(t, line, &r)
			if other.Format == Text && !bytes.Equal(r.Message, line) {
				t.Fatalf("message %q of the text %q", r.Message, line)
			}
			if other.Format == Logfmt {
				checkPairs(t, line, &r)
			}
		}
		if json.Valid(line) && bytes.HasPrefix(bytes.TrimLeft(line, " \t\r\n"), []byte("{")) {
			checkNothingLost(t, line, &r)
		}
	})
}

// checkPairs looks for every pair of a logfmt line without quotes in its
// Result.
func checkPairs(t *testing.T, line []byte, r *Result) {
	if bytes.IndexByte(line, '"') >= 0 || bytes.IndexByte(line, '\\') >= 0 || !utf8.Valid(line) || bytes.Equal(r.Message, line) && r.Fields == nil {
		return
	}
	kept := string(r.Fields)
	for _, pair := range strings.FieldsFunc(string(line), func(c rune) bool { return c == ' ' || c == '\t' }) {
		name, value, _ := strings.Cut(pair, "=")
		field := `"` + name + `":"` + value + `"`
		bit := uint32(1) << keyOf([]byte(name))
		switch {
		case strings.Contains(kept, field):
		case bit&logfmtMessageKeys != 0 && string(r.Message) == value:
		case bit&levelKeys != 0 && r.Level != ring.LevelUnknown, bit&timeKeys != 0 && r.HasTime:
		default:
			t.Fatalf("%q is gone from %q: message %q, fields %q", pair, line, r.Message, r.Fields)
		}
	}
}

// checkMemory holds that what a Parser remembers of other lines changes
// nothing.
func checkMemory(t *testing.T, used *Parser, line []byte) {
	fresh := &Parser{Location: used.Location}
	for range 2 {
		if got, want := outcomeOf(t, used, string(line)), outcomeOf(t, fresh, string(line)); got != want {
			t.Fatalf("%q\n used %+v\nfresh %+v", line, got, want)
		}
	}
}

func checkResult(t *testing.T, line []byte, r *Result) {
	if r.Fields != nil {
		if !json.Valid(r.Fields) || r.Fields[0] != '{' || !utf8.Valid(r.Fields) {
			t.Fatalf("fields %q", r.Fields)
		}
		if bytes.ContainsAny(r.Fields, "\r\n") {
			t.Fatalf("a line break in the fields %q", r.Fields)
		}
		if !utf8.Valid(r.Message) {
			t.Fatalf("message %q", r.Message)
		}
	}
	if r.Quoted && (!json.Valid(r.Message) || r.Message[0] != '"' || !utf8.Valid(r.Message)) {
		t.Fatalf("quoted message %q", r.Message)
	}
	if !r.Quoted && r.Fields == nil && !utf8.Valid(r.Message) && !bytes.Equal(r.Message, line) {
		t.Fatalf("message %q", r.Message)
	}
	if r.HasTime && !plausible(r.Micros, testNow) || r.Level > ring.LevelFatal {
		t.Fatalf("time %d, level %d", r.Micros, r.Level)
	}
	if len(r.Fields) > 8*len(line)+16 || len(r.Message) > 3*len(line) {
		t.Fatalf("%d bytes of fields and %d of message from %d", len(r.Fields), len(r.Message), len(line))
	}
}

// checkNothingLost looks for every key of a JSON object in its Result.
func checkNothingLost(t *testing.T, line []byte, r *Result) {
	var keys, fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &keys); err != nil {
		return // nested deeper than encoding/json goes
	}
	if bytes.Equal(r.Message, appendValid(nil, line)) || bytes.Equal(r.Message, line) {
		return
	}
	if r.Fields != nil {
		if err := json.Unmarshal(r.Fields, &fields); err != nil {
			t.Fatal(err)
		}
	}
	missing := 0
	for name, value := range keys {
		if _, ok := fields[name]; ok {
			continue
		}
		missing++
		k := keyOf([]byte(name))
		bit := uint32(1) << k
		switch {
		case bit&messageKeys != 0:
			var text, got string
			if err := json.Unmarshal(value, &text); err != nil {
				t.Fatalf("%q is gone: %s", name, value)
			}
			if got = string(r.Message); r.Quoted {
				if err := json.Unmarshal(r.Message, &got); err != nil {
					t.Fatal(err)
				}
			}
			if got != text {
				t.Fatalf("message %q, want %q", got, text)
			}
		case bit&levelKeys != 0 && r.Level != ring.LevelUnknown, bit&timeKeys != 0 && r.HasTime:
		case k == keyFields:
			var inner map[string]json.RawMessage
			if err := json.Unmarshal(value, &inner); err != nil || len(inner) != len(fields) {
				t.Fatalf("fields %q became %q", value, r.Fields)
			}
		default:
			t.Fatalf("key %q is gone: message %q, fields %q", name, r.Message, r.Fields)
		}
	}
	if missing > 4 { // message, level, time and fields
		t.Fatalf("%d keys missing", missing)
	}
}
