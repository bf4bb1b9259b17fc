package record

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/bytedance/sonic"

	"logwisp/ring"
)

var update = flag.Bool("update", false, "write the golden files anew")

// micros is 2024-01-01T12:00:00.123456Z.
const micros = 1704110400123456

func TestEntriesHaveTheirGoldenForm(t *testing.T) {
	var c Encoder
	var out []byte
	for _, e := range []Entry{
		{Micros: micros, Source: "app.log", Level: ring.LevelError, Message: []byte("Something went wrong"), Fields: []byte(`{"key":"value"}`)},
		{Micros: micros, Source: "app.log", Message: []byte("no level, no fields")},
		{Micros: micros + 1, Source: "other \"quoted\".log", Level: ring.LevelInfo, Message: []byte("tab\t, newline\n, quote \", backslash \\, bell \a, del \x7f")},
		{Micros: micros, Source: "a", Level: ring.LevelTrace, Message: []byte("caf\xe9 and \xff\xfe end, \xed\xa0\x80 too")},
		{Micros: micros, Source: "a", Level: ring.LevelDebug, Message: []byte("é中😀 \u2028 <b>&amp;</b>")},
		{Micros: micros, Source: "a", Level: ring.LevelFatal, Message: []byte(`"taken \u00e9 as it is"`), Quoted: true},
		{Micros: 0, Source: "a", Level: ring.LevelWarn, Message: []byte("cut"), Truncated: 17},
		{Micros: -1, Source: "a", Message: []byte("held"), Partial: true, Truncated: 2, Fields: []byte(`{"n":1e400,"o":{"p":[]}}`)},
		{Micros: micros, Source: "a", Message: []byte("empty object"), Fields: []byte(`{}`), Partial: true},
		{Micros: micros, Source: "", Message: nil},
	} {
		out = c.Append(out, &e)
	}
	golden(t, "entries.golden", out)
}

func TestControlObjectsHaveTheirGoldenForm(t *testing.T) {
	at := time.Date(2024, 1, 1, 12, 0, 0, 5e8, time.FixedZone("CET", 3600))
	var out []byte
	for _, h := range []Heartbeat{
		{Now: at, ActiveClients: 5, Uptime: time.Hour},
		{Now: at, ActiveClients: 5, Uptime: time.Hour, Timestamp: true},
		{Now: at, ActiveClients: 5, Uptime: time.Hour, Stats: true},
		{Now: at, ActiveClients: 5, Uptime: time.Hour, Timestamp: true, Stats: true},
	} {
		out = append(h.AppendComment(out), '\n')
		out = append(h.AppendJSON(out), '\n')
	}
	d := Drop{IDs: Epoch(7), From: 11, To: 133, Reason: "lagged", Total: 456}
	out = append(d.AppendJSON(out, false), '\n')
	out = append(d.AppendJSON(out, true), '\n')
	for _, v := range []any{
		Connected{ClientID: "sse-1", Epoch: "7", Head: "7-133", Oldest: "7-1", Version: "dev"},
		Disconnect{Reason: "server_shutdown"},
		Error{Error: "no such page", Code: 404},
	} {
		var err error
		if out, err = AppendJSON(out, v); err != nil {
			t.Fatal(err)
		}
		out = append(out, '\n')
	}
	golden(t, "control.golden", out)
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-update writes it anew):\n%s", name, got)
	}
}

func TestTimeIsFormattedLikeTheStandardLibrary(t *testing.T) {
	var c Encoder
	c.setSource("a")
	for _, at := range []int64{0, 1, -1, 999999, 1e6, -1e6, micros, 253402300799999999, -62135596800000000} {
		c.setTime(at)
		got := string(c.head[dateAt:fractionAt+6]) + "Z"
		if want := time.UnixMicro(at).UTC().Format("2006-01-02T15:04:05.000000Z07:00"); got != want {
			t.Errorf("%d: got %s, want %s", at, got, want)
		}
	}
}

func TestEncodingAnEntryAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var c Encoder
	e := Entry{Micros: micros, Source: "app.log", Level: ring.LevelInfo, Message: []byte(strings.Repeat("plain ", 20))}
	escaped := e
	escaped.Message = []byte(strings.Repeat("quote \" ", 20))
	dst := make([]byte, 0, 4096)
	for name, e := range map[string]*Entry{"plain": &e, "escaped": &escaped} {
		if n := testing.AllocsPerRun(1000, func() { dst = c.Append(dst[:0], e) }); n > 1 || name == "plain" && n > 0 {
			t.Errorf("%s: %v allocations an entry", name, n)
		}
	}
}

// TestSonicRunsNatively fails where sonic would quietly fall back to the
// standard library, which is several times slower.
func TestSonicRunsNatively(t *testing.T) {
	if sonic.APIKind != sonic.UseSonicJSON {
		t.Errorf("sonic.APIKind is %v: this Go version or architecture has no native sonic", sonic.APIKind)
	}
}

// FuzzAppend holds the promise of the wire: whatever the message, an entry is
// one line of valid JSON in valid UTF-8 and decodes to what went in.
func FuzzAppend(f *testing.F) {
	f.Add("app.log", []byte("message"), int64(micros), byte(3), false, int64(0))
	f.Add("a\nb", []byte("\xff\x00\"\\\u2028\ud7ff"), int64(-1), byte(9), true, int64(5))
	f.Fuzz(func(t *testing.T, source string, message []byte, at int64, level byte, partial bool, cut int64) {
		at %= 253402300800000000
		if at < 0 {
			at = -at
		}
		var c Encoder
		e := Entry{Micros: at, Source: source, Level: ring.Level(level), Message: message, Partial: partial, Truncated: max(cut, 0)}
		line := c.Append([]byte("before\n"), &e)
		line, ok := bytes.CutPrefix(line, []byte("before\n"))
		if !ok || bytes.IndexByte(line, '\n') != len(line)-1 {
			t.Fatalf("not one line: %q", line)
		}
		if !utf8.Valid(line) {
			t.Fatalf("not UTF-8: %q", line)
		}
		var got struct {
			Time, Source, Level, Message string
			Fields                       map[string]any
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		want := string([]rune(string(message)))
		if got.Message != want || got.Source != string([]rune(source)) || got.Level != e.Level.String() {
			t.Fatalf("got %+v from %q", got, line)
		}
		if stamp, err := time.Parse(time.RFC3339Nano, got.Time); err != nil || stamp.UnixMicro() != at {
			t.Fatalf("time %q, want %d: %v", got.Time, at, err)
		}
		if (got.Fields["_partial"] == true) != partial || (got.Fields["_truncated"] != nil) != (cut > 0) {
			t.Fatalf("fields %v", got.Fields)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	message := []byte(strings.Repeat("a line of an access log with nothing to escape ", 3))
	e := Entry{Micros: micros, Source: "app.log", Level: ring.LevelInfo, Message: message}
	b.Run("Encoder", func(b *testing.B) {
		var c Encoder
		dst := make([]byte, 0, 4096)
		for b.Loop() {
			dst = c.Append(dst[:0], &e)
		}
		b.SetBytes(int64(len(dst)))
	})
	b.Run("Encoder-escaped", func(b *testing.B) {
		var c Encoder
		e := e
		e.Message = []byte(strings.Repeat(`10.0.0.1 "GET /index.html HTTP/1.1" 200 `, 4))
		dst := make([]byte, 0, 4096)
		for b.Loop() {
			dst = c.Append(dst[:0], &e)
		}
		b.SetBytes(int64(len(dst)))
	})
	b.Run("encoding-json", func(b *testing.B) {
		type entry struct {
			Time    time.Time `json:"time"`
			Source  string    `json:"source"`
			Level   string    `json:"level"`
			Message string    `json:"message"`
		}
		v := entry{time.UnixMicro(micros).UTC(), "app.log", "info", string(message)}
		for b.Loop() {
			if _, err := json.Marshal(&v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestOnlyTextThatStandsForItselfIsCopied(t *testing.T) {
	for n := range 80 {
		for at := range n {
			for b := range 256 {
				s := bytes.Repeat([]byte("#"), n) // the byte that is nearest to being taken for a quote
				s[at] = byte(b)
				dst := make([]byte, n)
				plain := copyPlain(dst, s)
				if plain != (b >= 0x20 && b < 0x80 && b != '"' && b != '\\') {
					t.Fatalf("%q: plain is %t", s, plain)
				}
				if plain && !bytes.Equal(dst, s) {
					t.Fatalf("%q was copied as %q", s, dst)
				}
			}
		}
	}
}

func TestEveryByteOfAStringIsDecodedAsItWas(t *testing.T) {
	for n := range 20 {
		for at := range n {
			for b := range rune(0x180) {
				want := strings.Repeat("é", at) + string(b) + strings.Repeat("z", n-at)
				var got string
				text := appendString([]byte("x"), []byte(want))[1:]
				if err := json.Unmarshal(text, &got); err != nil || got != want {
					t.Fatalf("%q was encoded as %s: %v", want, text, err)
				}
			}
		}
	}
}
