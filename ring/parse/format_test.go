package parse

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestFormatsHaveNames(t *testing.T) {
	for _, f := range []Format{Auto, JSON, Logfmt, Text, Regex} {
		if got, err := ParseFormat(f.String()); err != nil || got != f {
			t.Errorf("%v: got %v, %v", f, got, err)
		}
	}
	for _, name := range []string{"", "JSON", "jsonl", "Format(5)"} {
		if _, err := ParseFormat(name); err == nil || !strings.Contains(err.Error(), "auto, json, logfmt, text, regex") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if s := Format(5).String(); s != "Format(5)" {
		t.Error(s)
	}
}

func TestAGivenFormatIsNotGuessed(t *testing.T) {
	const object, pairs, text = `{"level":"warn","msg":"m","k":1}`, `level=warn msg=m k=1`, "2026-01-02 03:04:05 ERROR x"
	asText := outcome{time: stamp0, level: "error"}
	for _, c := range []struct {
		format Format
		line   string
		want   outcome
	}{
		{JSON, object, outcome{"", "warn", `"m"`, `{"k":1}`}},
		{JSON, pairs, outcome{}},
		{JSON, text, asText},
		{JSON, `{"level":"warn",}`, outcome{}},
		{JSON, "panic: " + object, outcome{level: "fatal"}},
		{Logfmt, pairs, outcome{"", "warn", "m", `{"k":"1"}`}},
		{Logfmt, object, outcome{}},
		{Logfmt, text, asText},
		{Logfmt, "a=1", outcome{fields: `{"a":"1"}`}},
		{Logfmt, "a=1 b", outcome{}},
		{Text, object, outcome{}},
		{Text, pairs, outcome{}},
		{Text, text, asText},
		{Regex, object, outcome{}},
		{Regex, text, asText},
	} {
		if got := outcomeOf(t, &Parser{Format: c.format, Location: time.UTC}, c.line); got != c.want {
			t.Errorf("%v %q\n got %+v\nwant %+v", c.format, c.line, got, c.want)
		}
	}
}

func TestPatternsAreCheckedBeforeTheyAreUsed(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                        "is empty",
		"(?P<message>.*":          "missing closing )",
		"(.*)":                    "no named group",
		"a+":                      "no named group",
		"(?P<_partial>.*)":        "reserved",
		"(?P<a>x)(?P<a>y)":        "two groups \"a\"",
		`(?P<m>a)\1`:              "invalid escape",
		"(?P<a>x{1001})":          "invalid repeat count",
		"(?P<a>(x{1000}){1000})":  "",
		strings.Repeat("x", 5000): "at most 4096",
	} {
		_, err := CompilePattern(pattern)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", pattern, err)
		}
	}
	if _, err := CompilePattern("(?P<m>" + strings.Repeat("x", maxPattern-7) + ")"); err != nil {
		t.Error(err)
	}
}

func TestNamedGroupsBecomeTheEntry(t *testing.T) {
	const common = `^(?P<time>\S+ \S+) \[(?P<level>\w+)\] (?P<app>\S*)(?: #(?P<n>\d+))?: (?P<message>.*)$`
	for _, c := range []struct {
		pattern, line string
		want          outcome
	}{
		{common, "2026-01-02 03:04:05 [WARN] app #7: it \"is\"", outcome{stamp0, "warn", `it "is"`, `{"app":"app","n":"7"}`}},
		{common, "2026-01-02 03:04:05 [WARN] : x", outcome{stamp0, "warn", "x", `{"app":""}`}},
		{common, "2026-01-02 03:04:05.1234567 [notice] a\\b: ", outcome{
			"2026-01-02T03:04:05.123456Z", "info", "-", `{"time":"2026-01-02 03:04:05.1234567","level":"notice","app":"a\\b"}`,
		}},
		{common, "some day [loud] a: x", outcome{"", "", "x", `{"time":"some day","level":"loud","app":"a"}`}},
		{common, "2026-01-02 03:04:05 [WARN] app x", outcome{time: stamp0, level: "warn"}},
		{common, `{"level":"error","msg":"x"}`, outcome{}},
		{common, "2026-01-02 03:04:05 [WARN] \xff: \xfe", outcome{stamp0, "warn", "\uFFFD", "{\"app\":\"\uFFFD\"}"}},
		{`(?P<level>[DIWEF])/(?P<tag>\w+)`, "E/Tag: and more", outcome{"", "error", "", `{"tag":"Tag"}`}},
		{`code=(?P<code>\d+) (?P<message>.*)`, "before code=5 text", outcome{"", "", "", `{"code":"5"}`}},
		{`code=(?P<code>\d+) (?P<message>.*)`, "code=5 text", outcome{"", "", "text", `{"code":"5"}`}},
		{`(?P<time>.*) \| (?P<message>.*)`, "02/Jan/2026:03:04:05 +0000 | x", outcome{stamp0, "", "x", ""}},
		{`(?P<time>.*) \| (?P<message>.*)`, "1767323045 | x", outcome{stamp0, "", "x", ""}},
		{`(?P<time>.*) \| (?P<message>.*)`, "Jan  2 03:04:05 | x", outcome{stamp0, "", "x", ""}},
		{`(?P<time>.*) \| (?P<message>.*)`, "Fri Jan  2 03:04:05 2026 | x", outcome{stamp0, "", "x", ""}},
		{`(?P<time>.*) \| (?P<message>.*)`, "2036-01-02 03:04:05 | x", outcome{"", "", "x", `{"time":"2036-01-02 03:04:05"}`}},
	} {
		re, err := CompilePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if c.want.message == "-" { // empty
			c.want.message = ""
		}
		if got := outcomeOf(t, &Parser{Format: Regex, Pattern: re, Location: time.UTC}, c.line); got != c.want {
			t.Errorf("%q\n got %+v\nwant %+v", c.line, got, c.want)
		}
	}
}

func FuzzRegex(f *testing.F) {
	f.Add(`^(?P<time>\S+) (?P<level>\w+) (?P<k>\S*) (?P<message>.*)$`, []byte("2026-01-02T03:04:05Z WARN v a\xffb"))
	f.Add(`(?P<message>a*)|(?P<level>b)?`, []byte("aab"))
	f.Add(`(?P<a>(?P<b>.)*)`, []byte("x\n\"\\"))
	f.Fuzz(func(t *testing.T, pattern string, line []byte) {
		re, err := CompilePattern(pattern)
		if err != nil {
			return
		}
		p := &Parser{Format: Regex, Pattern: re, Location: time.UTC}
		before := bytes.Clone(line)
		var r Result
		p.Line(line, testNow, &r)
		if !bytes.Equal(line, before) {
			t.Fatal("the line was changed")
		}
		if r.Fields != nil && (!json.Valid(r.Fields) || !utf8.Valid(r.Fields) || bytes.ContainsAny(r.Fields, "\r\n")) {
			t.Fatalf("fields %q", r.Fields)
		}
		if r.Quoted || r.HasTime && !plausible(r.Micros, testNow) {
			t.Fatalf("got %+v", r)
		}
		checkGroups(t, re, appendValid(nil, line), &r)
	})
}

// checkGroups holds that the text of every named group is in the entry, and
// all of the line where the match is not.
func checkGroups(t *testing.T, re *regexp.Regexp, line []byte, r *Result) {
	groups := re.FindSubmatch(line)
	if groups == nil || len(bytes.TrimSpace(line)) == 0 {
		return
	}
	if !bytes.Equal(groups[0], line) && !bytes.Equal(r.Message, line) {
		t.Fatalf("message %q of %q", r.Message, line)
	}
	var fields map[string]string
	if r.Fields != nil {
		if err := json.Unmarshal(r.Fields, &fields); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range re.SubexpNames() {
		if name == "" || groups[i] == nil {
			continue
		}
		value, kept := fields[name]
		switch {
		case kept && value == string(groups[i]):
		case kept:
			t.Fatalf("field %s is %q, want %q", name, value, groups[i])
		case name == groupMessage && bytes.Contains(r.Message, groups[i]):
		case name == groupLevel && r.Level != 0, name == groupTime && r.HasTime:
		default:
			t.Fatalf("group %s is gone: %+v", name, r)
		}
	}
}
