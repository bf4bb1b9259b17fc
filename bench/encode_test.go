package bench

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"logwisp/ring"
	"logwisp/ring/record"
)

// entryMicros is the time of the first entry; each later one is 37 µs younger,
// so that a second is shared by many entries, as in a busy file.
const entryMicros = 1767225600000000

// jsonEntry is an entry as encoding/json wants it.
type jsonEntry struct {
	Time    string `json:"time"`
	Source  string `json:"source"`
	Level   string `json:"level,omitempty"`
	Message string `json:"message"`
}

// encodeWithJSON appends e to out the standard library's way.
func encodeWithJSON(encoder *json.Encoder, e *record.Entry) error {
	return encoder.Encode(&jsonEntry{
		Time:    time.UnixMicro(e.Micros).UTC().Format("2006-01-02T15:04:05.000000Z"),
		Source:  e.Source,
		Level:   e.Level.String(),
		Message: string(e.Message),
	})
}

// messages make entries of about 200 bytes.
var messages = []struct{ name, text string }{
	{"plain", "2026-01-01 00:00:00.000 INFO  [worker-7] request served method=GET path=/api/v1/items status=200 bytes=5120 ms=12"},
	{"escaped", `2026-01-01 00:00:00.000 INFO  [worker-7] request served "GET /api/v1/items HTTP/1.1" agent="curl\8.5" status=200`},
	{"unicode", "2026-01-01 00:00:00.000 INFO  [worker-7] Anfrage für „/größe“ beantwortet — Größe 5120 Bytes, Dauer 12 ms, Straße 7"},
}

func newEntry(message string) record.Entry {
	return record.Entry{Micros: entryMicros, Source: "app.log", Level: ring.LevelInfo, Message: []byte(message)}
}

func BenchmarkEncode(b *testing.B) {
	for _, m := range messages {
		var withJSON, copied float64
		b.Run(m.name+"/json", func(b *testing.B) {
			e := newEntry(m.text)
			var out bytes.Buffer
			encoder := json.NewEncoder(&out)
			encoder.SetEscapeHTML(false)
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				if err := encodeWithJSON(encoder, &e); err != nil {
					b.Fatal(err)
				}
				e.Micros += 37
			}
			withJSON = oneLine(b, out.Len())
		})
		b.Run(m.name+"/copy", func(b *testing.B) {
			e := newEntry(m.text)
			finished := new(record.Encoder).Append(nil, &e)
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				out = append(out[:0], finished...)
			}
			copied = oneLine(b, len(out))
		})
		b.Run(m.name+"/record", func(b *testing.B) {
			e := newEntry(m.text)
			var encoder record.Encoder
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				out = encoder.Append(out[:0], &e)
				e.Micros += 37
			}
			own := oneLine(b, len(out))
			times(b, withJSON, own, "x-json")
			times(b, copied, own, "x-copy")
		})
	}
}

func TestBothEncodersMakeTheSameEntry(t *testing.T) {
	for _, m := range messages {
		e := newEntry(m.text)
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		if err := encodeWithJSON(encoder, &e); err != nil {
			t.Fatal(err)
		}
		if own := new(record.Encoder).Append(nil, &e); !bytes.Equal(own, out.Bytes()) {
			t.Errorf("%s: record makes\n%s, encoding/json\n%s", m.name, own, out.Bytes())
		}
	}
}
