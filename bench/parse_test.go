package bench

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"logwisp/ring"
	"logwisp/ring/parse"
)

// parsed are lines that say much the same in four ways.
var parsed = []struct{ name, line string }{
	{"json", `{"time":"2026-01-01T12:30:45.123456Z","level":"info","msg":"request served","method":"GET","path":"/api/v1/items","status":200,"bytes":5120,"ms":12.5}`},
	{"logfmt", `time=2026-01-01T12:30:45.123456Z level=info msg="request served" method=GET path=/api/v1/items status=200 bytes=5120 ms=12.5`},
	{"access", `203.0.113.7 - - [01/Jan/2026:12:30:45 +0000] "GET /api/v1/items HTTP/1.1" 200 5120 "-" "Mozilla/5.0 (X11; Linux x86_64)"`},
	{"text", `2026-01-01T12:30:45.123456Z INFO [worker-7] request served: GET /api/v1/items, status 200, 5120 bytes in 12.5 ms`},
}

// The baseline takes the JSON line; the others are compared with it line for
// line, since they say much the same.
func BenchmarkParse(b *testing.B) {
	var baseline float64
	b.Run("json/map", func(b *testing.B) {
		line := []byte(parsed[0].line)
		b.ReportAllocs()
		for b.Loop() {
			var m map[string]any
			if err := json.Unmarshal(line, &m); err != nil {
				b.Fatal(err)
			}
		}
		baseline = oneLine(b, len(line))
	})
	for _, c := range parsed {
		b.Run(c.name+"/parse", func(b *testing.B) {
			line, now := []byte(c.line), time.Now().UnixMicro()
			var p parse.Parser
			var r parse.Result
			b.ReportAllocs()
			for b.Loop() {
				p.Line(line, now, &r)
			}
			own := oneLine(b, len(line))
			times(b, baseline, own, "x-map")
		})
	}
}

// A container runtime's line is taken apart before the line inside is parsed.
func BenchmarkContainerLine(b *testing.B) {
	now := time.Now().UnixMicro()
	b.Run("cri", func(b *testing.B) {
		line := []byte(`2026-01-01T12:30:45.123456789Z stdout F ` + parsed[0].line)
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := parse.ParseCRI(line, now); !ok {
				b.Fatal("not understood")
			}
		}
		oneLine(b, len(line))
	})
	b.Run("docker", func(b *testing.B) {
		var p parse.Parser
		line := fmt.Appendf(nil, `{"log":%q,"stream":"stdout","time":"2026-01-01T12:30:45.123456789Z"}`, parsed[0].line+"\n")
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := p.ParseDocker(line, now); !ok {
				b.Fatal("not understood")
			}
		}
		oneLine(b, len(line))
	})
}

func TestLinesOfBenchmarkParseAreUnderstood(t *testing.T) {
	for _, c := range parsed {
		var p parse.Parser
		var r parse.Result
		p.Line([]byte(c.line), time.Now().UnixMicro(), &r)
		if !r.HasTime || r.Level != ring.LevelInfo || (r.Fields == nil) != (c.name == "text" || c.name == "access") {
			t.Errorf("%s: time %v, level %q, fields %s", c.name, r.HasTime, r.Level, r.Fields)
		}
	}
}
