package parse

import (
	"strings"
	"testing"
)

// TestTheUsualFormatsAreRecognised has one line as it really comes of each
// format. A text line keeps all of itself as its message.
func TestTheUsualFormatsAreRecognised(t *testing.T) {
	checkLines(t, []lineCase{
		// syslog, RFC 3164 and RFC 5424
		{"<34>Jan  2 03:04:05 web1 su[231]: 'su root' failed for lonvick on /dev/pts/8", outcome{time: stamp0, level: "fatal"}},
		{"<13>Jan  2 03:04:05 web1 app: x", outcome{time: stamp0, level: "info"}},
		{`<14>1 2026-01-02T03:04:05.678901Z web1 app 8710 ID47 [id@32473 iut="3"] x`, outcome{time: stamp6, level: "info"}},
		{"<191>1 2026-01-02T03:04:05Z - - - - -", outcome{time: stamp0, level: "debug"}},
		{"Jan  2 03:04:05 web1 sshd[231]: Accepted publickey for a", outcome{time: stamp0}},
		{"2026-01-02T03:04:05.678901+00:00 web1 sshd[231]: error: x", outcome{time: stamp6}},
		// klog and glog
		{"W0102 03:04:05.678901   12345 reflector.go:324] watch of *v1.Pod ended", outcome{time: stamp6, level: "warn"}},
		// nginx and Apache
		{`2026/01/02 03:04:05 [crit] 31#31: *1 open() "/srv/x" failed (13: Permission denied), client: 10.0.0.7`, outcome{time: stamp0, level: "fatal"}},
		{`10.0.0.7 - - [02/Jan/2026:03:04:05 +0000] "GET /error HTTP/1.1" 200 2326 "-" "curl/8.5.0"`, outcome{time: stamp0, level: "info"}},
		{`10.0.0.7 - frank [02/Jan/2026:03:04:05 +0000] "POST / HTTP/2.0" 404 0`, outcome{time: stamp0, level: "warn"}},
		{`::1 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 503 -`, outcome{time: stamp0, level: "error"}},
		{"[Fri Jan 02 03:04:05.678901 2026] [core:error] [pid 1:tid 2] (13)Permission denied: AH00035: x", outcome{time: stamp6, level: "error"}},
		{"[Fri Jan  2 03:04:05 2026] [notice] caught SIGTERM", outcome{time: stamp0, level: "info"}},
		// log4j and logback
		{"2026-01-02 03:04:05,678 [main] ERROR org.example.App - x", outcome{time: stamp3, level: "error"}},
		{"2026-01-02 03:04:05.678  WARN 1 --- [nio-8080-exec-1] o.e.App : x", outcome{time: stamp3, level: "warn"}},
		{"2026-01-02T03:04:05,678Z INFO  [http-nio-8080] o.e.App - x", outcome{time: stamp3, level: "info"}},
		{"03:04:05.678 [main] DEBUG org.example.App -- x", outcome{level: "debug"}},
		{"0    [main] DEBUG org.example.App - x", outcome{level: "debug"}},
		// Python
		{"2026-01-02 03:04:05,678 - my.app - CRITICAL - x", outcome{time: stamp3, level: "fatal"}},
		{"ERROR:my.app:x", outcome{level: "error"}},
		// zap
		{"2026-01-02T03:04:05.678Z\tinfo\tserver\tmain.go:12\tlistening\t{\"port\": 80}", outcome{time: stamp3, level: "info"}},
		{"2026-01-02T04:04:05.678+0100\tERROR\tmain.go:12\tx", outcome{time: stamp3, level: "error"}},
		{"1.767323045678901e+09\twarn\tmain.go:12\tx", outcome{time: stamp6, level: "warn"}},
		{`{"level":"info","ts":1767323045.678901,"caller":"a/b.go:7","msg":"m"}`, outcome{stamp6, "info", `"m"`, `{"caller":"a/b.go:7"}`}},
		// zerolog
		{"3:04AM INF listening port=80", outcome{level: "info"}},
		{"12:59PM ERR x", outcome{level: "error"}},
		{"2026-01-02T03:04:05Z FTL x", outcome{time: stamp0, level: "fatal"}},
		{`{"level":"error","error":"e","time":"2026-01-02T03:04:05Z","message":"m"}`, outcome{stamp0, "error", `"m"`, `{"error":"e"}`}},
		// logrus
		{"INFO[0000] listening                                     port=80", outcome{level: "info"}},
		{"ERRO[0012] x", outcome{level: "error"}},
		{"DEBU[2026-01-02T03:04:05Z] x", outcome{time: stamp0, level: "debug"}},
		{`time="2026-01-02T03:04:05Z" level=warning msg="a walrus" size=10`, outcome{stamp0, "warn", "a walrus", `{"size":"10"}`}},
		{`{"animal":"walrus","level":"info","msg":"m","time":"2026-01-02T03:04:05Z"}`, outcome{stamp0, "info", `"m"`, `{"animal":"walrus"}`}},
		// slog
		{"time=2026-01-02T03:04:05.678Z level=INFO msg=hello user=a", outcome{stamp3, "info", "hello", `{"user":"a"}`}},
		{"time=2026-01-02T03:04:05.678Z level=ERROR+4 msg=hello", outcome{stamp3, "fatal", "hello", `{"level":"ERROR+4"}`}},
		{"2026/01/02 03:04:05 WARN hello user=a", outcome{time: stamp0, level: "warn"}},
		{`{"time":"2026-01-02T03:04:05.678901Z","level":"DEBUG-4","msg":"m"}`, outcome{stamp6, "trace", `"m"`, `{"level":"DEBUG-4"}`}},
		// bunyan and pino
		{
			`{"name":"app","hostname":"web1","pid":42,"level":30,"msg":"m","time":"2026-01-02T03:04:05.678Z","v":0}`,
			outcome{stamp3, "info", `"m"`, `{"name":"app","hostname":"web1","pid":42,"v":0}`},
		},
		{
			`{"level":60,"time":1767323045678,"pid":42,"hostname":"web1","msg":"m"}`,
			outcome{stamp3, "fatal", `"m"`, `{"pid":42,"hostname":"web1"}`},
		},
	})
}

func TestTheStatusOfAnAccessLineIsItsLevel(t *testing.T) {
	const lead = "10.0.0.7 - - [02/Jan/2026:03:04:05 +0000]"
	for rest, level := range map[string]string{
		` "GET / HTTP/1.1" 200 1`:                "info",
		` "GET / HTTP/1.1" 101 -`:                "info",
		` "GET / HTTP/1.1" 301 1 "-" "x"`:        "info",
		` "GET / HTTP/1.1" 499 0`:                "warn",
		` "GET / HTTP/1.1" 500 1`:                "error",
		` "-" 408 -`:                             "warn",
		` "" 400 1`:                              "warn",
		` "\x16\x03\x01" 400 1`:                  "warn",
		` "GET /\" 500 1 \" HTTP/1.1" 200 1`:     "info",
		` "GET /\\" 200 1`:                       "info",
		" \"GET /\x01\" 200 1":                   "info",
		` "GET /` + "\xff" + `" 500 1`:           "error",
		"":                                       "",
		" ":                                      "",
		` "`:                                     "",
		` "GET /`:                                "",
		` "GET /\`:                               "",
		` "GET /\"`:                              "",
		` "GET /"`:                               "",
		` "GET /" 500`:                           "",
		` "GET /" 500 `:                          "",
		` "GET /" 500 x`:                         "",
		` "GET /" 5000 1`:                        "",
		` "GET /" 50 1`:                          "",
		` "GET /" 600 1`:                         "",
		` "GET /" 000 1`:                         "",
		` "GET /" 5x0 1`:                         "",
		` "GET /"  500 1`:                        "",
		`  "GET /" 500 1`:                        "",
		` GET / 500 1`:                           "",
		` "ERROR" ERROR`:                         "",
		` "` + strings.Repeat(`\"`, 1<<16) + `"`: "",
	} {
		checkLines(t, []lineCase{{lead + rest, outcome{time: stamp0, level: level}}})
	}
	for _, line := range []string{
		`said - - [02/Jan/2026:03:04:05 +0000`, `a b [02/Jan/2026:03:04:05 +0000] "GET /" 500 1`, `a b c d e [02/Jan/2026:03:04:05 +0000] "GET /" 500 1`,
		`a - - [02/Jan/2026:03:04:05] "GET /" 500 1`, `a - - [02/Jan/2026:03:04:65 +0000] "GET /" 500 1`, `a -  - [02/Jan/2026:03:04:05 +0000] "GET /" 500 1`,
	} {
		checkLines(t, []lineCase{{line, outcome{}}})
	}
}

func TestWhatOnlyLooksLikeAFormatIsPlainText(t *testing.T) {
	var cases []lineCase
	for _, line := range []string{
		"DEBU[000] x", "DEBU[0000 x", "DEBU[00x0] x", "DEBU[", "DEBU[0000", "DEBU x", "ERRO: x", "FATA[12] x", "ABCD[0000] x", "debu[0000] x",
		"3:04AMINF x", "3:4AM INF x", "3:64AM INF x", "123:04AM INF x", "3:04XM INF x", "3:04AM", "3:04AM x ERROR",
		"1.767323045e+09 warn x", "1.x7323045e+09\twarn\tx", "1.767323045e-09\twarn\tx",
		"[Fry Jan 02 03:04:05 2026] [core:error] x", "[Fri Jan 32 03:04:05 2026] [core:error] x",
		"[Fri Jan 02 03:04:05 20267] [core:error] x", "[core:error] x", "Fri, Jan 02 03:04:05 2026 x",
		"INFO+2 x", "level is INFO+2",
	} {
		cases = append(cases, lineCase{line, outcome{}})
	}
	checkLines(t, cases)
	checkLines(t, []lineCase{
		{"9.9e+09\twarn\tx.go", outcome{level: "warn"}},
		{"[Fri Jan 02 03:04:05 2026 [core:error] x", outcome{time: stamp0}},
		{"[Fri Jan 02 03:04:05 2026] x [core:error]", outcome{time: stamp0}},
		{"[Fri Jan 02 03:04:05 2026] [core:loud] ERROR", outcome{time: stamp0}},
		{"Fri Jan  2 03:04:05 2026 ERROR x", outcome{time: stamp0, level: "error"}},
		{"Fri Jan  2 03:04:05 2036 ERROR x", outcome{level: "error"}},
	})
}

func TestLevelsBetweenThoseOfSlog(t *testing.T) {
	for value, level := range map[string]string{
		"DEBUG-8": "trace", "DEBUG-1": "trace", "DEBUG+1": "debug", "INFO-4": "debug", "INFO-1": "debug", "INFO+2": "info", "WARN-1": "info",
		"WARN+3": "warn", "ERROR-1": "warn", "ERROR+3": "error", "ERROR+4": "fatal", "ERROR+99": "fatal",
		"INFO+100": "", "INFO+": "", "INFO2": "", "+2": "", "info+2": "", "LOUD+2": "", "INFO+2+2": "",
	} {
		checkLines(t, []lineCase{{`{"msg":"m","level":"` + value + `"}`, outcome{"", level, `"m"`, `{"level":"` + value + `"}`}}})
	}
}
