package tail

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"logwisp/ring"
)

// ingestLines are lines of about 195 bytes of the kinds that files hold.
var ingestLines = []struct {
	name string
	line func(i int) string
}{
	{"text", func(i int) string {
		return fmt.Sprintf("%08d request served by worker seven: GET /api/v1/items, then the answer of five thousand one hundred and twenty bytes was sent within twelve milliseconds to the client that had asked for it", i)
	}},
	{"stamped", func(i int) string {
		return fmt.Sprintf("2026-01-01T12:%02d:%02d.%06dZ INFO [worker-7] request served: GET /api/v1/items, status 200, 5120 bytes in 12.5 ms, agent Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0, id %06d", i/60000%60, i/1000%60, i%1000*1000, i)
	}},
	{"access", func(i int) string {
		return fmt.Sprintf(`203.0.113.%d - - [01/Jan/2026:12:%02d:%02d +0000] "GET /api/v1/items?page=%d HTTP/1.1" 200 5120 "https://example.com/start" "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"`, i%250, i/60000%60, i/1000%60, i)
	}},
	{"json", func(i int) string {
		return fmt.Sprintf(`{"time":"2026-01-01T12:%02d:%02d.%06dZ","level":"info","msg":"request served","method":"GET","path":"/api/v1/items","status":200,"bytes":5120,"ms":12.5,"agent":"Mozilla/5.0 (X11; Linux x86_64)","id":%d}`, i/60000%60, i/1000%60, i%1000*1000, i)
	}},
	{"mixed", func(i int) string { // JSON whose keys are those of the line before only now and then
		lead := fmt.Sprintf(`{"level":"%s","time":"2026-01-01T12:%02d:%02d.%06dZ",`, []string{"info", "warn", "error"}[i%3], i/60000%60, i/1000%60, i%1000*1000)
		switch i * 7919 % 5 {
		case 0, 1:
			return lead + fmt.Sprintf(`"message":"request served","request":{"method":"GET","path":"/api/v1/items","status":200},"duration_ms":12.5,"request_id":"%016x","user":"u%05d"}`, i, i)
		case 2:
			return lead + fmt.Sprintf(`"message":"the cache was asked for an item that it does not hold","component":"cache","key":"items/%05d/of/user/%05d","hits":%d}`, i, i, i)
		case 3:
			return lead + fmt.Sprintf(`"caller":"server/conn.go:317","message":"connection closed by the other side","remote":"10.0.0.%d:443","bytes":%d,"err":"read: \"reset\" by peer"}`, i%250, i)
		}
		return lead + fmt.Sprintf(`"user":"u%05d","message":"signed in","roles":["reader","writer"],"agent":"Mozilla/5.0 (X11; Linux x86_64)","second_factor":true}`, i)
	}},
	{"logfmt", func(i int) string {
		return fmt.Sprintf(`time=2026-01-01T12:%02d:%02d.%06dZ level=info msg="request served" method=GET path=/api/v1/items status=200 bytes=5120 ms=12.5 agent="Mozilla/5.0 (X11; Linux x86_64)" id=%d`, i/60000%60, i/1000%60, i%1000*1000, i)
	}},
}

// BenchmarkIngest is what one line costs from the block that was read to the
// page in the ring: splitting, parsing, encoding, publishing. Each operation
// takes a block of text lines and one of the kind in turn, so that a machine
// whose speed changes changes both: x-text is the rate as a share of that of
// plain text lines.
func BenchmarkIngest(b *testing.B) {
	text, textLines := ingestBlock(ingestLines[0].line)
	for _, kind := range ingestLines {
		b.Run(kind.name, func(b *testing.B) {
			block, lines := ingestBlock(kind.line)
			if bytes.Count(block, []byte{'\n'}) != lines {
				b.Fatal("the lines hold newlines")
			}
			w, err := New(Options{CheckInterval: 100, MaxLineBytes: 1 << 20, MaxFiles: 1, Targets: []Target{{Path: b.TempDir()}}},
				ring.New(ring.Options{Entries: 1 << 16, Bytes: 64 << 20}), slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			defer w.Close()
			f := &file{source: "app.log", sourceID: w.ring.Source("app.log"), rules: w.roots[0].rules, wrapping: bare}
			take := func(block []byte) time.Duration {
				began := time.Now()
				w.begin(f)
				f.split.Feed(block, 1<<20, w.emit)
				return time.Since(began)
			}
			b.ReportAllocs()
			var ofText, ofKind time.Duration
			for b.Loop() {
				ofText += take(text)
				ofKind += take(block)
			}
			ratio := float64(ofText) / float64(ofKind) * float64(lines) / float64(textLines)
			b.ReportMetric(float64(ofKind.Nanoseconds())/float64(b.N)/float64(lines), "ns/line")
			b.ReportMetric(float64(b.N)*float64(len(block))/1e6/ofKind.Seconds(), "MB/s")
			b.ReportMetric(ratio, "x-text")
		})
	}
}

// ingestBlock returns whole lines that just fit one read, and their number.
func ingestBlock(line func(i int) string) (block []byte, lines int) {
	for ; len(block) < readSize-256; lines++ {
		block = append(append(block, line(lines)...), '\n')
	}
	return block, lines
}
