package parse

import (
	"strings"
	"testing"
	"time"
)

func TestEntriesInOurOwnFormKeepTimeSourceLevelAndFields(t *testing.T) {
	const at = "2026-01-02T03:04:05.678901Z"
	type want struct{ source, time, level, message, fields string }
	for line, w := range map[string]want{
		`{"time":"` + at + `","source":"app.log","level":"error","message":"m","fields":{"a":{"b":1}}}`:     {"app.log", at, "error", `"m"`, `{"a":{"b":1}}`},
		`{"id":"1795361890502-7","time":"` + at + `","source":"app.log","message":"m"}`:                     {"app.log", at, "", `"m"`, ""},
		`{"time":"` + at + `","source":"a \"b\" \u00e9 \ud83d\ude00","message":"\"x\"\n"}`:                  {`a "b" é 😀`, at, "", `"\"x\"\n"`, ""},
		" { \"message\" : \"m\" ,\r\"source\" : \"s\" , \"fields\" : { \"a\" : 1 ,\r\"_partial\":true } } ": {"s", "", "", `"m"`, `{ "a" : 1 , "_partial":true }`},
		`{"source":"s","message":"m","fields":{}}`:                                                          {"s", "", "", `"m"`, ""},
		`{"source":"s","message":"m","level":"notice","time":"2026-01-02T03:04:05.678901234Z"}`:             {"s", at, "info", `"m"`, `{"time":"2026-01-02T03:04:05.678901234Z","level":"notice"}`},
		`{"source":"s","message":"m","level":"loud","time":"yesterday","fields":{"a":1}}`:                   {"s", "", "", `"m"`, `{"time":"yesterday","level":"loud","a":1}`},
		`{"source":"s","message":"m","level":"WARNING"}`:                                                    {"s", "", "warn", `"m"`, ""},
		`{"source":"` + "\xff" + `","message":"` + "\xfe" + `"}`:                                            {"\uFFFD", "", "", "\"\uFFFD\"", ""},
		`{"source":"s","message":"m","user":1}`:                                                             {"", "", "", `"m"`, `{"source":"s","user":1}`},
		`{"source":"s","msg":"m"}`:                                                                          {"", "", "", `"m"`, `{"source":"s"}`},
		`{"source":"s","message":"m","message":"n"}`:                                                        {"", "", "", `"m"`, `{"source":"s","message":"n"}`},
		`{"source":"","message":"m"}`:                                                                       {"", "", "", `"m"`, `{"source":""}`},
		`{"source":{"file":"a.go"},"message":"m"}`:                                                          {"", "", "", `"m"`, `{"source":{"file":"a.go"}}`},
		`{"source":"s","message":1}`:                                                                        {"", "", "", `{"source":"s","message":1}`, `{"source":"s","message":1}`},
		`{"source":"s","message":"m","fields":[1]}`:                                                         {"", "", "", `"m"`, `{"source":"s","fields":[1]}`},
		`{"source":"s","message":"m"} x`:                                                                    {"", "", "", `{"source":"s","message":"m"} x`, ""},
	} {
		p := &Parser{Location: time.UTC, Own: true}
		for range 2 { // the second time by what is remembered of the keys
			var r Result
			p.Line([]byte(line), testNow, &r)
			got := want{string(r.Source), "", r.Level.String(), string(r.Message), string(r.Fields)}
			if r.HasTime {
				got.time = time.UnixMicro(r.Micros).UTC().Format("2006-01-02T15:04:05.000000Z")
			}
			if got != w {
				t.Errorf("%s:\n got %+v\nwant %+v", line, got, w)
			}
		}
	}
}

// TestWhatADaemonMakesOfTheDeepestLineIsUnderstoodByTheNext nests a line as deeply as
// is understood, which makes an entry one deeper.
func TestWhatADaemonMakesOfTheDeepestLineIsUnderstoodByTheNext(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	first, next := &Parser{Location: time.UTC}, &Parser{Location: time.UTC, Own: true}
	var r Result
	first.Line([]byte(`{"msg":"m","a":`+nested(maxDepth-1)+`}`), testNow, &r)
	if string(r.Message) != `"m"` {
		t.Fatalf("%d levels are not understood", maxDepth)
	}
	entry := `{"source":"s","message":"m","fields":` + string(r.Fields) + `}`
	if next.Line([]byte(entry), testNow, &r); string(r.Source) != "s" || string(r.Fields) != `{"a":`+nested(maxDepth-1)+`}` {
		t.Errorf("the next takes it as %q of %q with %q", r.Message, r.Source, r.Fields)
	}
	if !next.IsOwn([]byte(entry)) || next.IsOwn([]byte(`{"source":"s","message":"m","x":1}`)) || next.IsOwn([]byte("text")) {
		t.Error("IsOwn says otherwise")
	}
	for _, line := range []string{`{"msg":"m","a":` + nested(maxDepth) + `}`, `{"source":"s","message":"m","fields":{"a":` + nested(maxDepth) + `}}`} {
		if next.Line([]byte(line), testNow, &r); string(r.Message) != line {
			t.Errorf("%.50s… is understood, and its entry would be by nobody", line)
		}
	}
}

func TestTheIdOfAnEntryInOurOwnFormIsTold(t *testing.T) {
	p := &Parser{Location: time.UTC, Own: true}
	for line, want := range map[string]string{
		`{"id":"1-7","source":"s","message":"m"}`: "1-7",
		`{"source":"s","message":"m","id":"x"}`:   "x",
		`{"id":7,"source":"s","message":"m"}`:     "",
		`{"source":"s","message":"m"}`:            "",
		`{"id":"1-7","source":"s","msg":"m"}`:     "",
	} {
		var r Result
		p.Line([]byte(line), testNow, &r)
		if string(r.ID) != want {
			t.Errorf("%s has the id %q, want %q", line, r.ID, want)
		}
	}
}

func TestOwnFormMeansNothingUnlessAskedFor(t *testing.T) {
	p := &Parser{Location: time.UTC}
	var r Result
	p.Line([]byte(`{"time":"2026-01-02T03:04:05.678901Z","source":"app.log","message":"m"}`), testNow, &r)
	if r.Source != nil || string(r.Fields) != `{"source":"app.log"}` {
		t.Errorf("source %q, fields %s", r.Source, r.Fields)
	}
}
