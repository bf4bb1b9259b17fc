package parse

import (
	"strings"
	"testing"
	"time"
)

// testNow is the present in all tests that do not say otherwise.
var testNow = time.Date(2026, time.January, 3, 0, 0, 0, 0, time.UTC).UnixMicro()

const (
	stamp0 = "2026-01-02T03:04:05.000000Z" // what most test lines say
	stamp6 = "2026-01-02T03:04:05.678901Z"
	stamp3 = "2026-01-02T03:04:05.678000Z"
)

// outcome is a Result as text. An empty message stands for the whole line.
type outcome struct {
	time, level, message, fields string
}

func outcomeOf(t *testing.T, p *Parser, line string) outcome {
	t.Helper()
	var r Result
	p.Line([]byte(line), testNow, &r)
	o := outcome{level: r.Level.String(), message: string(r.Message), fields: string(r.Fields)}
	if r.HasTime {
		o.time = time.UnixMicro(r.Micros).UTC().Format("2006-01-02T15:04:05.000000Z")
	}
	if o.message == line && !r.Quoted {
		o.message = ""
	}
	if r.Fields != nil && len(r.Fields) == 0 {
		t.Errorf("%q: Fields is empty but not nil", line)
	}
	return o
}

type lineCase struct {
	line string
	want outcome
}

func checkLines(t *testing.T, cases []lineCase) {
	t.Helper()
	p := &Parser{Location: time.UTC}
	for _, c := range cases {
		if got := outcomeOf(t, p, c.line); got != c.want {
			t.Errorf("%q\n got %+v\nwant %+v", c.line, got, c.want)
		}
	}
}

func TestBlankAndOddLinesAreTheirOwnMessage(t *testing.T) {
	var cases []lineCase
	for _, line := range []string{
		"", " ", "\t\t", "-", "[", "]", "<", "<1", "<>", "<192>x", "{", "}", "=", "a=", "a=1",
		"E", "E,", "E, [", "E0102", "I12345678 ", "\xff\xfe", "2026-01-02", "Jan", "[]", "[ ]", "- - -", "|", "\x00",
	} {
		cases = append(cases, lineCase{line, outcome{}})
	}
	checkLines(t, cases)
}

func TestAResultOwesNothingToTheOneBefore(t *testing.T) {
	p := &Parser{Location: time.UTC}
	var r Result
	p.Line([]byte(`{"level":"info","time":"2026-01-02T03:04:05Z","msg":"a","k":1}`), testNow, &r)
	p.Line([]byte("plain"), testNow, &r)
	if r.HasTime || r.Level != 0 || r.Quoted || r.Fields != nil || string(r.Message) != "plain" {
		t.Errorf("got %+v", r)
	}
}

func TestWhatAParserRemembersChangesNothing(t *testing.T) {
	lines := []string{
		`{"a":1,"level":"info","bb":2,"msg":"x","ts":1767323045}`, `{"a":1,"level":"inf0","b":2,"msg":"y","t":1767323045}`,
		`{"ab":1,"Level":"info","bb":2,"msg" :"z"}`, `{"a" :1}`, `{"a":1,"lvl":30}`, `{"a":1,"severity":30}`, `{"a":"b\"}`,
		`{"a_key_of_20_letters_":1,"msg":"x"}`, `{"a_key_of_20_letters!":1,"msg":"x"}`, `{"fourteen_lettr":1,"é":2,"msg":"x"}`, `{"é":1}`,
		"{\"\xff\":1}", `{"":1,"msg":"x"}`, `{"msg":"x"}`, `{"msg:":"x"}`, `{"msg":x}`, `{`, `{"`, `{"msg`, `{"msg":`,
		`a=1 level=info msg=x`, `a=1 level=warn msg="x"`, `ab=1 lvl=info msg=x`, `a:=1 level=info msg=x`, `a=1 level="info" msg=x`,
		`a="1 level=info msg=x`, `a=`, `level=30 msg=x`, `severity=3 msg=x`, `a":1 level=info msg=x`,
		"2026-01-02T03:04:05Z x", "2026-01-02 03:04:06 x", "2026/01/02 03:04:05 x", "2026-01-02T03:05:05+01:00 x", "2026-01-02T03:61:05Z x",
		`h - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.0" 200 1`, `h - - [03/Jan/2026:03:04:05 +0000] "GET / HTTP/1.0" 200 1`,
		`h - - [02/Jan/2025:03:04:05 +0000] "GET / HTTP/1.0" 200 1`, `h - - [02-Jan/2026:03:04:05 +0000] "GET / HTTP/1.0" 200 1`,
	}
	used := &Parser{Location: time.UTC}
	for _, first := range lines {
		for _, second := range lines {
			outcomeOf(t, used, first)
			got, want := outcomeOf(t, used, second), outcomeOf(t, &Parser{Location: time.UTC}, second)
			if got != want {
				t.Errorf("%q behind %q:\n got %+v\nwant %+v", second, first, got, want)
			}
		}
	}
}

func TestEveryShortKeyIsKnownByItsWord(t *testing.T) {
	for name, k := range shortKeys {
		if got := keyOf([]byte(name)); got != k {
			t.Errorf("%s: key %d, want %d: choose another keyFactor", name, got, k)
		}
	}
	for _, name := range []string{"", "\x00", "Msg", "mesg", "messages", "levels"} {
		if k := keyOf([]byte(name)); k != keyNone {
			t.Errorf("%q: key %d", name, k)
		}
	}
}

func TestParsingAllocatesNothing(t *testing.T) {
	p := &Parser{Location: time.UTC}
	var r Result
	for name, line := range benchLines {
		b := []byte(line)
		if n := testing.AllocsPerRun(200, func() { p.Line(b, testNow, &r) }); n != 0 {
			t.Errorf("%s: %v allocations a line", name, n)
		}
	}
}

func TestTakingContainerLinesApartAllocatesNothing(t *testing.T) {
	p := &Parser{}
	cri := []byte("2026-01-02T03:04:05.678901234Z stdout F text")
	docker := []byte(`{"log":"{\"msg\":\"m\"}\n","stream":"stdout","time":"2026-01-02T03:04:05.678901234Z"}`)
	if n := testing.AllocsPerRun(200, func() { ParseCRI(cri, testNow) }); n != 0 {
		t.Errorf("CRI: %v allocations a line", n)
	}
	if n := testing.AllocsPerRun(200, func() { p.ParseDocker(docker, testNow) }); n != 0 {
		t.Errorf("Docker: %v allocations a line", n)
	}
}

func TestALargeBufferIsNotKeptForSmallLines(t *testing.T) {
	p := &Parser{}
	var r Result
	p.Line([]byte(`{"msg":"a","k":"`+strings.Repeat("x", 1<<20)+`"}`), testNow, &r)
	p.Line([]byte("small"), testNow, &r)
	if cap(p.fields) > largeBuffer {
		t.Errorf("%d bytes kept", cap(p.fields))
	}
}

func TestHostileLinesStayWhole(t *testing.T) {
	const size = 1 << 20
	p := &Parser{}
	for _, unit := range []string{
		"[", "{", `{"a":`, `{"a":[`, `\`, `"`, "a=", "a=1 ", `a="\`, "- ", "<", " ", "\t", "1", "[1] ",
		"\xff", "2026-01-02 03:04:05 ", `{"msg":"\ud800`, "| ", "-a - ", "ERROR", "E0", "a b c [02/Jan/2006:",
	} {
		line := []byte(strings.Repeat(unit, size/len(unit)))
		for _, line := range [][]byte{
			line, append([]byte(`{"msg":`), line...), append([]byte(`{"msg":"`), line...),
			append([]byte("2026-01-02 03:04:05"), line...),
		} {
			var r Result
			p.Line(line, testNow, &r)
			if len(r.Message) != len(line) || r.Quoted || r.Fields != nil {
				t.Errorf("%.20q…: message of %d bytes, %d bytes of fields", line, len(r.Message), len(r.Fields))
			}
		}
	}
}

var benchLines = map[string]string{
	"plain":     "connection from 10.0.0.7 closed after 31 requests and 18223 bytes, keep-alive timed out on the other side of the proxy",
	"stamped":   "2026-01-02 03:04:05,678 WARN  [main] c.e.App - connection from 10.0.0.7 closed after 31 requests and 18223 bytes",
	"access":    `10.0.0.7 - frank [02/Jan/2026:03:04:05 +0000] "GET /error/500 HTTP/1.1" 200 2326 "-" "curl/8.5.0"`,
	"klog":      "E0102 15:04:05.678901       1 main.go:12] could not reach the other side of the proxy",
	"json":      `{"time":"2026-01-02T03:04:05.678901Z","level":"warn","caller":"server/conn.go:317","msg":"connection closed by the other side","user":"u-1111","requests":31}`,
	"json_many": `{"time":"2026-01-01T12:03:04.678901Z","level":"info","msg":"request served","method":"GET","path":"/api/v1/items","status":200,"bytes":5120,"ms":12.5,"agent":"Mozilla/5.0 (X11; Linux x86_64)","id":1234}`,
	"json_num":  `{"level":50,"time":1767323045000,"pid":4242,"hostname":"web-17.example.org","req":{"id":17,"url":"/a/b/c"},"msg":"connection closed by the other side"}`,
	"json_bare": `{"a":1,"b":[1,2,3],"c":{"d":"e"},"f":"connection closed by the other side of the proxy","g":null,"h":1.25e3,"i":"0123456789012345678901234567890"}`,
	"logfmt":    `time=2026-01-02T03:04:05.678Z level=warn msg="connection closed by the other side" caller=server/conn.go:317 user=u-1111 requests=31`,
}

func BenchmarkLine(b *testing.B) {
	for _, name := range []string{"plain", "stamped", "access", "klog", "json", "json_many", "json_num", "json_bare", "logfmt"} {
		b.Run(name, func(b *testing.B) {
			p := &Parser{}
			var r Result
			line := []byte(benchLines[name])
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				p.Line(line, testNow, &r)
			}
		})
	}
}
