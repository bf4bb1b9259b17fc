package parse

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestJSONLinesKeepEveryKey(t *testing.T) {
	checkLines(t, []lineCase{
		{
			`{"time":"2026-01-02T03:04:05.678901234Z","level":"warn","msg":"zerolog style","user":"u-1111","n":42}`,
			outcome{stamp6, "warn", `"zerolog style"`, `{"time":"2026-01-02T03:04:05.678901234Z","user":"u-1111","n":42}`},
		},
		{
			`{"timestamp":"2026-01-02T03:04:05+05:30","severity":"ERROR","message":"gcp style","trace":"t-2222"}`,
			outcome{"2026-01-01T21:34:05.000000Z", "error", `"gcp style"`, `{"trace":"t-2222"}`},
		},
		{
			`{"level":"info","ts":1767323045.25,"caller":"a/b.go:7","msg":"zap style","k":"v-3333"}`,
			outcome{"2026-01-02T03:04:05.250000Z", "info", `"zap style"`, `{"caller":"a/b.go:7","k":"v-3333"}`},
		},
		{
			`{"time":"2026-01-02T03:04:05Z","level":"DEBUG","msg":"slog style","grp":{"deep":"v-4444"}}`,
			outcome{stamp0, "debug", `"slog style"`, `{"grp":{"deep":"v-4444"}}`},
		},
		{
			`{"level":"error","msg":"with fields","fields":{"code":"v-5555"}}`,
			outcome{"", "error", `"with fields"`, `{"code":"v-5555"}`},
		},
		{`{"level":50,"time":1767323045000,"msg":"LV-09"}`, outcome{stamp0, "error", `"LV-09"`, ""}},
		{`{"@timestamp":"2026-01-02T03:04:05Z","log.level":"ERROR","message":"LV-10"}`, outcome{stamp0, "error", `"LV-10"`, ""}},
		{
			`{"log":"docker\n","stream":"stdout","time":"2026-01-02T03:04:05.678901000Z"}`,
			outcome{stamp6, "", `"docker\n"`, `{"stream":"stdout"}`},
		},
	})
}

func TestJSONMessageIsThePreferredString(t *testing.T) {
	checkLines(t, []lineCase{
		{`{"message":"b","msg":"a"}`, outcome{"", "", `"a"`, `{"message":"b"}`}},
		{`{"@message":"f","text":"e","event":"d","log":"c"}`, outcome{"", "", `"c"`, `{"@message":"f","text":"e","event":"d"}`}},
		{`{"event":"order_placed","order":17}`, outcome{"", "", `"order_placed"`, `{"event":"order_placed","order":17}`}},
		{`{"message":"boom","level":400,"level_name":"ERROR","datetime":"2026-01-02T03:04:05+00:00"}`, outcome{stamp0, "error", `"boom"`, `{"level":400}`}},
		{`{"__REALTIME_TIMESTAMP":"1767323045678901","PRIORITY":"3","MESSAGE":"oops","_HOSTNAME":"web"}`, outcome{stamp6, "error", `"oops"`, `{"_HOSTNAME":"web"}`}},
		{`{"timestamp":"2026-01-02 03:04:05.678 UTC","error_severity":"FATAL","message":"x"}`, outcome{stamp3, "fatal", `"x"`, ``}},
		{`{"datetime":"02.01.2026 03:04","date":"2026-01-02T03:04:05Z","msg":"x"}`, outcome{stamp0, "", `"x"`, `{"datetime":"02.01.2026 03:04"}`}},
		{`{"MESSAGE":["oops"],"message":"x"}`, outcome{"", "", `"x"`, `{"MESSAGE":["oops"]}`}},
		{`{"asctime":"2026-01-02 03:04:05,678","levelname":"ERROR","message":"x"}`, outcome{stamp3, "error", `"x"`, ``}},
		{`{"@message":"f","x":1}`, outcome{"", "", `"f"`, `{"@message":"f","x":1}`}},
		{`{"msg":7,"message":"b"}`, outcome{"", "", `"b"`, `{"msg":7}`}},
		{`{"msg":{"a":1},"level":"info"}`, outcome{"", "info", "", `{"msg":{"a":1}}`}},
		{`{"msg":null}`, outcome{"", "", "", `{"msg":null}`}},
		{`{"level":"info"}`, outcome{"", "info", "", ""}},
		{`{"Msg":"a"}`, outcome{"", "", "", `{"Msg":"a"}`}},
		{`{"m\u0073g":"a"}`, outcome{"", "", "", `{"m\u0073g":"a"}`}},
		{`{"msg":"a","msg":"b"}`, outcome{"", "", `"a"`, `{"msg":"b"}`}},
		{`{"msg":""}`, outcome{"", "", `""`, ""}},
		{`{}`, outcome{}},
		{` { } `, outcome{}},
		{`{"msg":"a"}`, outcome{"", "", `"a"`, ""}},
		{`{"msg":"tab\t \"q\" \/ \u00e9 \ue000 \\ud800"}`, outcome{"", "", `"tab\t \"q\" \/ \u00e9 \ue000 \\ud800"`, ""}},
		{`{"msg":"\ud83d\ude00 \"q\"\n"}`, outcome{"", "", "😀 \"q\"\n", ""}},
		{`{"msg":"a\uD800b\udc00\ud800\ud83d\ude00\ud800\u0041"}`, outcome{"", "", "a\uFFFDb\uFFFD\uFFFD😀\uFFFDA", ""}},
	})
}

func TestJSONFieldsStandAsInTheLine(t *testing.T) {
	checkLines(t, []lineCase{
		{` {"msg":"a" , "b" : 1.0e+2 ,"c":[ ] , "d":{ "e" : "\u0000" } } `, outcome{"", "", `"a"`, `{"b" : 1.0e+2 ,"c":[ ] , "d":{ "e" : "\u0000" } }`}},
		{`{"b":12345678901234567890123,"msg":"a","a":-0.10}`, outcome{"", "", `"a"`, `{"b":12345678901234567890123,"a":-0.10}`}},
		{`{"b":1 ,"msg":"a", "level":"info" , "c":2,"time":1767323045}`, outcome{stamp0, "info", `"a"`, `{"b":1 ,"c":2}`}},
		{`{"time": "2026-01-02T03:04:05Z", "level": "info", "message": "a", "b": 1, "c": [1, 2]}`, outcome{stamp0, "info", `"a"`, `{"b": 1, "c": [1, 2]}`}},
		{`{"b":1,"b":2}`, outcome{"", "", "", `{"b":1,"b":2}`}},
		{"{\"b\":\r\n1,\n\"c\":2}", outcome{"", "", "", "{\"b\":  1, \"c\":2}"}},
		{"{\"b\":\r1,\"msg\":\"a\"}", outcome{"", "", `"a"`, `{"b": 1}`}},
		{`{"msg":"a","fields":{}}`, outcome{"", "", `"a"`, ""}},
		{`{"msg":"a","fields":{ }}`, outcome{"", "", `"a"`, ""}},
		{`{"msg":"a","fields":[1]}`, outcome{"", "", `"a"`, `{"fields":[1]}`}},
		{`{"msg":"a","fields":{"b":1},"c":2}`, outcome{"", "", `"a"`, `{"fields":{"b":1},"c":2}`}},
		{`{"fields":{"b":1}}`, outcome{"", "", "", `{"b":1}`}},
		{`{"fields":{"b":1},"fields":{"c":1}}`, outcome{"", "", "", `{"fields":{"b":1},"fields":{"c":1}}`}},
		{`{"msg":"a","level":"notice","fields":{"b":1}}`, outcome{"", "info", `"a"`, `{"level":"notice","fields":{"b":1}}`}},
	})
}

func TestBadBytesInJSONAreReplaced(t *testing.T) {
	checkLines(t, []lineCase{
		{"{\"msg\":\"a\xff\xfeb\",\"k\xe9\":\"\xc3\xa9\xc3\"}", outcome{"", "", "\"a\uFFFD\uFFFDb\"", "{\"k\uFFFD\":\"é\uFFFD\"}"}},
		{"{\"k\":\"\xff\"}", outcome{"", "", "{\"k\":\"\uFFFD\"}", "{\"k\":\"\uFFFD\"}"}},
		{"{\"k\":\"\xff\"", outcome{}},
	})
}

func TestInvalidJSONIsText(t *testing.T) {
	for _, s := range []string{
		`{`, `{"`, `{"a`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,}`, `{"a":1}}`, `{"a":1} x`, `{"a":1}{}`, `{a:1}`,
		`{"a" 1}`, `{"a":1 "b":2}`, `{"a":01}`, `{"a":1.}`, `{"a":.1}`, `{"a":+1}`, `{"a":-}`, `{"a":1e}`, `{"a":1e+}`, `{"a":0x1}`,
		`{"a":NaN}`, `{"a":tru}`, `{"a":truex}`, `{"a":nul`, `{"a":'b'}`, `{"a":"\x"}`, `{"a":"\u12g4"}`, `{"a":"\u12"}`, `{"a":"\`,
		"{\"a\":\"\t\"}", "{\"a\":\"\x00\"}", `{"a":[1,]}`, `{"a":[,1]}`, `{"a":[1}`, `{"a":{]}`, `{"a":{"b"}}`, `{"a":{"b":1,}}`,
		`{"a":{1:2}}`, `{"a":[1 2]}`, `{"a":[`, `{"a":[[]`, `{"a":{"b":[{}]}`, "{\"a\":\v1}", "\v{}",
	} {
		if json.Valid([]byte(s)) {
			t.Errorf("%q is valid", s)
		}
		checkLines(t, []lineCase{{s, outcome{}}})
	}
}

// Numbers and strings are looked at eight bytes at a time, so what ends them is
// tried at every place of a word, near the end of the line and far from it.
func TestEveryShortValueIsJSONOrText(t *testing.T) {
	for _, behind := range []string{`}`, `,"b":"long enough to fill the word"}`} {
		var p Parser
		var r Result
		check := func(value string) {
			line := []byte(`{"a":` + value + behind)
			p.Line(line, testNow, &r)
			if isJSON := r.Fields != nil; isJSON != json.Valid(line) {
				t.Errorf("%s: taken as JSON: %t", line, isJSON)
			}
		}
		values := []string{""}
		for range 6 {
			for _, value := range values {
				check(value)
			}
			var longer []string
			for _, value := range values {
				for _, c := range `05.e-,"\` {
					longer = append(longer, value+string(c))
				}
			}
			values = longer
		}
		for n := range 20 {
			check(strings.Repeat("7", n))
			check(`"` + strings.Repeat("7", n) + `"`)
			check(strings.Repeat("7", n) + ".5")
		}
	}
}

func TestJSONMayNestSixtyFourDeep(t *testing.T) {
	for _, c := range []struct {
		depth int
		valid bool
	}{{1, true}, {2, true}, {63, true}, {64, true}, {65, false}, {1000, false}} {
		for _, pair := range []string{`{"a":|}`, "[|]"} {
			left, right, _ := strings.Cut(pair, "|")
			line := `{"msg":"x","k":` + strings.Repeat(left, c.depth-1) + "1" + strings.Repeat(right, c.depth-1) + "}"
			got := outcomeOf(t, &Parser{}, line)
			if (got.message == `"x"`) != c.valid {
				t.Errorf("depth %d of %s: message %q", c.depth, pair, got.message)
			}
		}
	}
}

func TestJSONLevels(t *testing.T) {
	for _, c := range []struct {
		key, value, level string
		kept              bool // the key stays in the fields
	}{
		{"level", `"trace"`, "trace", false},
		{"level", `"TRC"`, "trace", false},
		{"lvl", `"dbg"`, "debug", false},
		{"level", `"Information"`, "info", false},
		{"level", `"informational"`, "info", false},
		{"level", `"NOTICE"`, "info", true},
		{"severity", `"WARNING"`, "warn", false},
		{"@level", `"wrn"`, "warn", false},
		{"levelname", `"ERROR"`, "error", false},
		{"level", `"eror"`, "error", false},
		{"level", `"err"`, "error", false},
		{"level", `"SEVERE"`, "error", true},
		{"level", `"fatal"`, "fatal", false},
		{"level", `"ftl"`, "fatal", false},
		{"severity_text", `"FATAL"`, "fatal", false},
		{"level", `"critical"`, "fatal", true},
		{"level", `"crit"`, "fatal", true},
		{"severity", `"ALERT"`, "fatal", true},
		{"level", `"emerg"`, "fatal", true},
		{"severity", `"EMERGENCY"`, "fatal", true},
		{"level", `"panic"`, "fatal", true},
		{"level", `"dpanic"`, "fatal", true},
		{"level", `" INFO "`, "info", false},
		{"level", `10`, "trace", false},
		{"level", `20`, "debug", false},
		{"lvl", `30`, "info", false},
		{"level", `40`, "warn", false},
		{"level", `50`, "error", false},
		{"level", `60`, "fatal", false},
		{"level", `35`, "info", true},
		{"level", `"30"`, "info", false},
		{"level", `9`, "", true},
		{"level", `61`, "", true},
		{"level", `100`, "", true},
		{"level", `3e1`, "", true},
		{"level", `-1`, "", true},
		{"PRIORITY", `0`, "fatal", true},
		{"PRIORITY", `"2"`, "fatal", true},
		{"PRIORITY", `3`, "error", false},
		{"PRIORITY", `"4"`, "warn", false},
		{"severity", `5`, "info", true},
		{"severity", `6`, "info", false},
		{"severity", `7`, "debug", false},
		{"severity", `8`, "", true},
		{"severity_number", `1`, "trace", false},
		{"severity_number", `8`, "debug", true},
		{"severity_number", `9`, "info", false},
		{"severity_number", `13`, "warn", false},
		{"severity_number", `17`, "error", false},
		{"severity_number", `24`, "fatal", true},
		{"severity_number", `0`, "", true},
		{"severity_number", `25`, "", true},
		{"levelname", `30`, "", true},
		{"level", `"loud"`, "", true},
		{"level", `""`, "", true},
		{"level", `null`, "", true},
		{"level", `true`, "", true},
		{"level", `{"a":1}`, "", true},
		{"level", `["info"]`, "", true},
		{"level", `"\u0069nfo"`, "", true},
		{"loglevel", `"info"`, "", true},
	} {
		want := outcome{"", c.level, `"m"`, ""}
		if c.kept {
			want.fields = fmt.Sprintf(`{"%s":%s}`, c.key, c.value)
		}
		checkLines(t, []lineCase{{fmt.Sprintf(`{"msg":"m","%s":%s}`, c.key, c.value), want}})
	}
	checkLines(t, []lineCase{
		{`{"severity":"error","level":"info","msg":"m"}`, outcome{"", "info", `"m"`, `{"severity":"error"}`}},
		{`{"level":"loud","severity":"error","msg":"m"}`, outcome{"", "error", `"m"`, `{"level":"loud"}`}},
		{`{"severity_number":18,"severity_text":"WARN","msg":"m"}`, outcome{"", "warn", `"m"`, `{"severity_number":18}`}},
	})
}

func TestJSONTimes(t *testing.T) {
	for _, c := range []struct {
		value, time string
		kept        bool // the key stays in the fields
	}{
		{`"2026-01-02T03:04:05Z"`, stamp0, false},
		{`"2026-01-02t03:04:05z"`, stamp0, false},
		{`"2026-01-02 03:04:05"`, stamp0, false},
		{`"2026-01-02T04:04:05.678+01:00"`, stamp3, false},
		{`"2026-01-02T04:04:05,678+0100"`, stamp3, false},
		{`"2026-01-01T19:04:05-08"`, stamp0, false},
		{`"2026-01-02T03:04:05.678901Z"`, stamp6, false},
		{`"2026-01-02T03:04:05.6789010000Z"`, stamp6, false},
		{`"2026-01-02T03:04:05.6789011Z"`, stamp6, true},
		{`"2026-01-02T03:04:05.678901999Z"`, stamp6, true},
		{`"2026/01/02 03:04:05.678"`, stamp3, false},
		{`"2026-01-02 03:04:05 UTC"`, stamp0, false},
		{`"2026-01-02 03:04:05 +0000"`, stamp0, false},
		{`"2026-01-02T03:03:60Z"`, "2026-01-02T03:04:00.000000Z", true},
		{`1767323045`, stamp0, false},
		{`"1767323045"`, stamp0, false},
		{`1767323045.25`, "2026-01-02T03:04:05.250000Z", false},
		{`1767323045.678901`, stamp6, false},
		{`1767323045.6789019`, stamp6, true},
		{`1767323045.67890100`, stamp6, false},
		{`1.767323045678901e9`, stamp6, false},
		{`1767323045678901E-6`, stamp6, false},
		{`17673230456.78901e-1`, stamp6, false},
		{`1767323045678`, stamp3, false},
		{`1767323045678.901`, stamp6, false},
		{`1767323045678901`, stamp6, false},
		{`1767323045678901000`, stamp6, false},
		{`1767323045678901234`, stamp6, true},
		{`"1767323045678901234"`, stamp6, true},
		{`1767323045678901.5`, stamp6, true},
		{`1767323045.67890100000000000000000000001`, stamp6, true},
		{`631152000`, "1990-01-01T00:00:00.000000Z", false},
		{`631151999`, "", true},
		{`0`, "", true},
		{`-1767323045`, "", true},
		{`12`, "", true},
		{`1767484800`, "2026-01-04T00:00:00.000000Z", false},
		{`1767484801`, "", true},
		{`1e999999999999`, "", true},
		{`1e-99`, "", true},
		{`99999999999999999999999999`, "", true},
		{`0.0000000000000000000000000001767323045`, "", true},
		{`"1989-12-31T23:59:59Z"`, "", true},
		{`"2026-01-04T00:00:01Z"`, "", true},
		{`"2026-02-29T03:04:05Z"`, "", true},
		{`"2024-02-29T03:04:05Z"`, "2024-02-29T03:04:05.000000Z", false},
		{`"2025-13-01T00:00:00Z"`, "", true},
		{`"2025-01-02T24:00:00Z"`, "", true},
		{`"2025-01-02T23:60:00Z"`, "", true},
		{`"2025-01-02T23:59:61Z"`, "", true},
		{`"2025-01-02T23:59:59+24:00"`, "", true},
		{`"2025-01-02T23:59:59Zulu"`, "", true},
		{`"2025-01-02T23:59:59 and more"`, "", true},
		{`"2025-01-02T23:59"`, "", true},
		{`"2025-01-02"`, "", true},
		{`"12:30"`, "", true},
		{`"yesterday"`, "", true},
		{`""`, "", true},
		{`null`, "", true},
		{`{}`, "", true},
		{`"2025-01-02 23:59:59 CEST"`, "", true},
		{`"1767323045 "`, "", true},
		{`"+1767323045"`, "", true},
	} {
		want := outcome{c.time, "", `"m"`, ""}
		if c.kept {
			want.fields = fmt.Sprintf(`{"time":%s}`, c.value)
		}
		checkLines(t, []lineCase{{fmt.Sprintf(`{"msg":"m","time":%s}`, c.value), want}})
	}
	checkLines(t, []lineCase{
		{`{"date":"2026-01-02T03:04:05Z","ts":"soon","t":7}`, outcome{stamp0, "", "", `{"ts":"soon","t":7}`}},
		{`{"@timestamp":1767323045,"time":1767323046}`, outcome{"2026-01-02T03:04:06.000000Z", "", "", `{"@timestamp":1767323045}`}},
	})
}

func TestTimesWithoutAZoneAreLocal(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	p := &Parser{Location: berlin}
	for line, want := range map[string]string{
		`{"time":"2026-01-02 04:04:05"}`:           stamp0,
		`{"time":"2025-07-02 04:04:05"}`:           "2025-07-02T02:04:05.000000Z",
		"2026-01-02 04:04:05 CET [12] LOG:  ready": stamp0,
		"2026-01-02 04:04:05 EST [12] LOG:  ready": "",
		"2026-01-02 03:04:05 UTC [12] LOG:  ready": stamp0,
		"Jan  2 04:04:05 host app[1]: x":           stamp0,
		"E0102 04:04:05.678901 1 x.go:1] x":        stamp6,
	} {
		if got := outcomeOf(t, p, line).time; got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
	p.Location = time.UTC
	if got := outcomeOf(t, p, "2026-01-02 03:04:05 x").time; got != stamp0 {
		t.Errorf("after a change of Location: %q", got)
	}
}

func TestDaysAreThoseOfTheCalendar(t *testing.T) {
	day := time.Date(0, time.January, 1, 0, 0, 0, 0, time.UTC)
	for ; day.Year() < 2500; day = day.AddDate(0, 0, 1) {
		got, ok := dayNumber(day.Year(), int(day.Month()), day.Day())
		if want := day.Unix() / secondsPerDay; !ok || got != want {
			t.Fatalf("%v: got %d, %t, want %d", day, got, ok, want)
		}
	}
}
