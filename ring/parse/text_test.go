package parse

import (
	"strings"
	"testing"
	"time"
)

func TestTimeStampsLeadTextLines(t *testing.T) {
	checkLines(t, []lineCase{
		{"2026-01-02T03:04:05Z x", outcome{time: stamp0}},
		{"2026-01-02T04:04:05.678901+01:00 x", outcome{time: stamp6}},
		{"2026-01-02 03:04:05 x", outcome{time: stamp0}},
		{"2026-01-02 03:04:05", outcome{time: stamp0}},
		{"2026-01-02 03:04:05.678901234 x", outcome{time: stamp6}},
		{"2026-01-02 03:04:05,678 x", outcome{time: stamp3}},
		{"2026-01-01 19:04:05 -0800 x", outcome{time: stamp0}},
		{"2026-01-02 03:04:05 -12 degrees", outcome{time: stamp0}},
		{"2026-01-02 00:04:05 -03 [123] LOG:  x", outcome{time: stamp0}},
		{"2026-01-02 03:04:05.678901 +0000 UTC m=+0.1 x", outcome{time: stamp6}},
		{"2026/01/02 03:04:05 main.go:12: ERROR x", outcome{time: stamp0}},
		{"2026/01/02 03:04:05.678901 INFO x", outcome{time: stamp6, level: "info"}},
		{"[2026-01-02 03:04:05] x", outcome{time: stamp0}},
		{"[2026-01-02 03:04:05.678] [name] [warning] x", outcome{time: stamp3, level: "warn"}},
		{"2026-01-02 03:04:05x", outcome{}},
		{"2026-01-02_03:04:05 x", outcome{}},
		{"2026-13-02 03:04:05 x", outcome{}},
		{"2036-01-02 03:04:05 ERROR x", outcome{level: "error"}},
		{"Jan  2 03:04:05 host app[1]: x", outcome{time: stamp0}},
		{"Jan 02 03:04:05.678 host app[1]: ERROR x", outcome{time: stamp3}},
		{"Dec 31 23:59:59 host x", outcome{time: "2025-12-31T23:59:59.000000Z"}},
		{"Jan  5 03:04:05 host x", outcome{time: "2025-01-05T03:04:05.000000Z"}}, // three days ahead it cannot be
		{"2026-01-02 03:04:05,678 GMT+01:00 INFO x", outcome{time: "2026-01-02T02:04:05.678000Z", level: "info"}},
		{"2026-01-02 03:04:05 UTC-0130 x", outcome{time: "2026-01-02T04:34:05.000000Z"}},
		{"2026-01-02 03:04:05 UTC+2 ERROR x", outcome{level: "error"}},
		{"2026-01-02 03:04:05 UTC +1 more", outcome{time: stamp0}},
		{"Janus 2 03:04:05 host x", outcome{}},
		{"<11>Jan  2 03:04:05 host app[1]: x", outcome{time: stamp0, level: "error"}},
		{"<165>1 2026-01-02T03:04:05.678901Z host app - ID47 - x", outcome{time: stamp6, level: "info"}},
		{"<34>1 - host app - - - ERROR", outcome{level: "fatal"}},
		{"<4>[   12.345678] usb 1-1: x", outcome{level: "warn"}},
		{"<7>x", outcome{level: "debug"}},
		{"<b>ERROR</b>", outcome{}},
		{"<1234>x", outcome{}},
		{"I0102 03:04:05.678901   1 main.go:12] x", outcome{time: stamp6, level: "info"}},
		{"W20260102 03:04:05.678901   1 main.go:12] x", outcome{time: stamp6, level: "warn"}},
		{"F0102 03:04:05 x", outcome{time: stamp0, level: "fatal"}},
		{"E1302 03:04:05.678901 x", outcome{}},
		{"E0102 code", outcome{}},
		{`127.0.0.1 - frank [02/Jan/2026:03:04:05 +0000] "GET /error HTTP/1.0" 500 2326`, outcome{time: stamp0, level: "error"}},
		{`a.example:80 127.0.0.1 - - [02/Jan/2026:04:04:05 +0100] "GET / HTTP/1.0" 200 1`, outcome{time: stamp0, level: "info"}},
		{`saw at [02/Jan/2026:04:04:05 +0100] a thing`, outcome{}},
		{`[02/Jan/2026:03:04:05 +0000] ERROR x`, outcome{time: stamp0, level: "error"}},
	})
}

func TestLevelsOfTextLinesByFormat(t *testing.T) {
	checkLines(t, []lineCase{
		{"2026/01/02 03:04:05 [error] 31#31: *1 LV-02 open() failed", outcome{time: stamp0, level: "error"}},
		{"E0102 03:04:05.678901       1 main.go:12] LV-03", outcome{time: stamp6, level: "error"}},
		{"2026-01-02 03:04:05,678 WARN  [main] c.e.App - LV-04", outcome{time: stamp3, level: "warn"}},
		{"<11>Jan  2 03:04:05 host app[1]: LV-05", outcome{time: stamp0, level: "error"}},
		{"2026-01-02T03:04:05.678Z\tinfo\tmain.go:12\tLV-06", outcome{time: stamp3, level: "info"}},
		{"[DEBUG] LV-07", outcome{level: "debug"}},
		{"WARN: LV-08", outcome{level: "warn"}},
		{"2026/01/02 03:04:05 [error] 31#31: *1 open() failed", outcome{time: stamp0, level: "error"}},
		{"2026-01-02 03:04:05,678 WARN  [main] c.e.App - x", outcome{time: stamp3, level: "warn"}},
		{"2026-01-02 03:04:05,678 [main] WARN  c.e.App - x", outcome{time: stamp3, level: "warn"}},
		{"2026-01-02T03:04:05.678Z\tinfo\tmain.go:12\tx", outcome{time: stamp3, level: "info"}},
		{"2026-01-02 03:04:05.678 | warning | mod:f:1 - x", outcome{time: stamp3, level: "warn"}},
		{"2026-01-02 03:04:05.678 | ERROR    | mod:f:1 - x", outcome{time: stamp3, level: "error"}},
		{"2026-01-02 03:04:05,678 - my.app - WARNING - x", outcome{time: stamp3, level: "warn"}},
		{"2026-01-02 03:04:05,678 - __main__ - sub - ERROR - x", outcome{time: stamp3, level: "error"}},
		{"2026-01-02 03:04:05,678 - [ERROR] - x", outcome{time: stamp3, level: "error"}},
		{"2026-01-02 03:04:05,678 - my.app failed - ERROR", outcome{time: stamp3}},
		{"[2026-01-02T03:04:05Z INFO  crate::mod] x", outcome{time: stamp0, level: "info"}},
		{"2026-01-02 03:04:05.678 UTC [123] ERROR:  x", outcome{time: stamp3, level: "error"}},
		{"2026-01-02 03:04:05.678 UTC [123] LOG:  ERROR", outcome{time: stamp3}},
		{"2026-01-02T03:04:05.678Z  INFO 1234 --- [main] c.e.App : x", outcome{time: stamp3, level: "info"}},
		{"E, [2026-01-02T03:04:05.678901 #123] ERROR -- : x", outcome{time: stamp6, level: "error"}},
		{"2026-01-02T03:04:05.678901Z 0 [Warning] [MY-010055] [Server] x", outcome{time: stamp6, level: "warn"}},
		{"2026-01-02T03:04:05Z INF x", outcome{time: stamp0, level: "info"}},
		{"WARNING:root:x", outcome{level: "warn"}},
		{"INFO[0000] x", outcome{level: "info"}},
		{"SEVERE: x", outcome{level: "error"}},
		{"panic: runtime error: x", outcome{level: "fatal"}},
		{"[DEBUG] x", outcome{level: "debug"}},
		{"[main][ Error ] x", outcome{level: "error"}},
		{"[123] [notice] x", outcome{level: "info"}},
		{"WARN: x", outcome{level: "warn"}},
		{"error: x", outcome{level: "error"}},
		{"  ERROR x", outcome{level: "error"}},
		{"ERROR", outcome{level: "error"}},
		{"INFO no errors found", outcome{level: "info"}},
		{"info: found no error", outcome{level: "info"}},
		{"ERROR \xff\xfe", outcome{level: "error"}},
		{`2026-01-02 03:04:05.678 UTC [1234] app@shop ERROR:  relation "x" does not exist`, outcome{time: stamp3, level: "error"}},
		{"2026-01-02 03:04:05.678 UTC [1234] [unknown]@[unknown] FATAL:  no pg_hba.conf entry", outcome{time: stamp3, level: "fatal"}},
		{"2026-01-02 03:04:05.678 UTC [1234] app@shop LOG:  ERROR:  x", outcome{time: stamp3}},
		{"2026-01-02 03:04:05.678 UTC [1234] app@shop ERROR handling", outcome{time: stamp3}},
		{"fail: Microsoft.AspNetCore.Server.Kestrel[13]", outcome{level: "error"}},
		{"dbug: Microsoft.Hosting[1]", outcome{level: "debug"}},
		{"trce: Microsoft.Hosting[1]", outcome{level: "trace"}},
		{"[03:04:05 INF] Error: 0 so far", outcome{level: "info"}},
		{"[03:04:05.678 ERR] x", outcome{level: "error"}},
		{"[03:04:05 ???] ERROR: x", outcome{}},
		{"[03:04:05] ERROR: x", outcome{level: "error"}},
		{"[03:04:05  INF] x", outcome{level: "info"}},
		{"[03:04:05 main] ERROR boom", outcome{level: "error"}},
		{"[03:04:05.678 UTC] WARN x", outcome{level: "warn"}},
		{"[10:15:30 AM] ERROR x", outcome{level: "error"}},
		{"[2026-01-02T03:04:05.678901+00:00] app.ERROR: boom", outcome{time: stamp6, level: "error"}},
		{"[2026-01-02 03:04:05] local.WARNING: boom", outcome{time: stamp0, level: "warn"}},
		{"[2026-01-02 03:04:05] local.error: boom", outcome{time: stamp0}},
		{"[2026-01-02 03:04:05] [x] see app.ERROR: boom", outcome{time: stamp0}},
		{"2026-01-02 03:04:05,678 [org.springframework.kafka.KafkaListenerEndpointContainer#0-0-C-1] ERROR c.e.Foo - x", outcome{time: stamp3, level: "error"}},
	})
}

func TestALevelWordOutOfPlaceIsNoLevel(t *testing.T) {
	var cases []lineCase
	for _, line := range []string{
		"GET /error/500 HTTP/1.1", "error=nil done", "Error handling was improved", "error", "error in x", "an ERROR", "no error: x",
		"ERRORS found", "ERROR_CODE 5", "ERROR-5", "ERROR.", "ERROR(5)", "ERROR=5", "error::Kind", "error:=x", "info://x", "[error", "[an error] ok",
		"CET ERROR", "x\terror\ty", "info\tx", "information desk", "127.0.0.1x ERROR", "1ERROR", "(ERROR) x", `"ERROR" x`, "- x ERROR",
		"-- ERROR", "{ERROR}", "at ERROR", "[" + strings.Repeat("x", 80) + "] ERROR", strings.Repeat(" ", 64) + "ERROR",
	} {
		cases = append(cases, lineCase{line, outcome{}})
	}
	for _, rest := range []string{
		"connection failed with ERROR 5", "x: ERROR", "info ERROR", "Warning x", "HTTP ERROR", "CET UTC ERROR", "| error x | y", ". ERROR", "CETX ERROR",
	} {
		cases = append(cases, lineCase{"2026-01-02T03:04:05Z " + rest, outcome{time: stamp0}})
	}
	checkLines(t, cases)
}

func TestAYearlessTimeLandsNearestToNow(t *testing.T) {
	p := &Parser{Location: time.UTC}
	for _, c := range []struct{ now, line, want string }{
		{"2026-01-01T00:00:10Z", "Dec 31 23:59:50 x", "2025-12-31T23:59:50Z"},
		{"2025-12-31T23:59:50Z", "Jan  1 00:00:10 x", "2026-01-01T00:00:10Z"},
		{"2025-12-31T23:59:50Z", "I0101 00:00:10.000000 x", "2026-01-01T00:00:10Z"},
		{"2025-03-01T00:00:00Z", "Feb 29 00:00:00 x", "2024-02-29T00:00:00Z"},
		{"2026-06-15T00:00:00Z", "Jun 14 12:00:00 x", "2026-06-14T12:00:00Z"},
		{"2026-06-15T00:00:00Z", "Feb 30 12:00:00 x", ""},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		var r Result
		p.Line([]byte(c.line), now.UnixMicro(), &r)
		got := ""
		if r.HasTime {
			got = time.UnixMicro(r.Micros).UTC().Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%q at %s: got %q, want %q", c.line, c.now, got, c.want)
		}
	}
}

func TestLogfmtLines(t *testing.T) {
	checkLines(t, []lineCase{
		{`time=2026-01-02T03:04:05Z level=error msg="LV-01"`, outcome{stamp0, "error", "LV-01", ""}},
		{
			`ts=1767323045.25 lvl=warn msg=short k=v empty= q="" url=http://h/?a=b`,
			outcome{"2026-01-02T03:04:05.250000Z", "warn", "short", `{"k":"v","empty":"","q":"","url":"http://h/?a=b"}`},
		},
		{
			`level=info msg="say \"hi\"\n\u00e9 \ud83d\ude00 \x41 C:\dir" path=C:\x b="\t\\"`,
			outcome{"", "info", "say \"hi\"\né 😀 A C:\\dir", `{"path":"C:\\x","b":"\t\\"}`},
		},
		{`level=notice message=m  n=1`, outcome{"", "info", "m", `{"level":"notice","n":"1"}`}},
		{`level=info caller=x.go:1 err="no way"`, outcome{"", "info", "", `{"caller":"x.go:1","err":"no way"}`}},
		{`msg=a msg=b`, outcome{"", "", "a", `{"msg":"b"}`}},
		{`msg=b message=c level=loud time=never`, outcome{"", "", "b", `{"message":"c","level":"loud","time":"never"}`}},
		{`time="2026-01-02 03:04:05.1234567" level=info msg=`, outcome{"2026-01-02T03:04:05.123456Z", "info", "", `{"time":"2026-01-02 03:04:05.1234567"}`}},
		{"level=info msg=\"a\xff\" k=\xe9 j=\"\\xff\"", outcome{"", "info", "a\uFFFD", "{\"k\":\"\uFFFD\",\"j\":\"\uFFFD\"}"}},
		{"level=info msg=\"\\xff\\x00\" k=\"\\x01\"", outcome{"", "info", "\uFFFD\x00", `{"k":"\u0001"}`}},
		// Any doubt.
		{`msg=alone`, outcome{}},
		{`a=1 b=2`, outcome{}},
		{`level=info and words`, outcome{}},
		{`level=info msg=two words`, outcome{}},
		{`level=info msg="open`, outcome{}},
		{`level=info msg="a"b`, outcome{}},
		{`level=info msg=a"b"`, outcome{}},
		{`level=info =x`, outcome{}},
		{`level=info 1=x`, outcome{}},
		{` level=info msg=x`, outcome{}},
		{"level=info msg=a\x01b", outcome{}},
		{`level=info msg="a\`, outcome{}},
		{`x := level=info msg=a`, outcome{}},
	})
}
