package record

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"logwisp/ring"
)

// TestAnEntryIsTakenApartAsItWasPutTogether encodes any entry and looks at its
// parts, and at its text for people.
func TestAnEntryIsTakenApartAsItWasPutTogether(t *testing.T) {
	var encoder Encoder
	text := rapid.StringOf(rapid.SampledFrom([]rune("ab\"\\\r\n\t\x00/é\u2028𝄞{},:")))
	rapid.Check(t, func(t *rapid.T) {
		e := Entry{
			Micros: 1, Source: text.Draw(t, "source"), Message: []byte(text.Draw(t, "message")),
			Level: ring.Level(rapid.IntRange(0, 6).Draw(t, "level")), Partial: rapid.Bool().Draw(t, "partial"),
		}
		if rapid.Bool().Draw(t, "fields") {
			e.Fields = []byte(`{"a":{"b":"}\n"}}`)
		}
		line := encoder.Append(nil, &e)
		p := Split(line)
		if string(p.Time) != "1970-01-01T00:00:00.000001Z" || string(p.Level) != e.Level.String() ||
			string(AppendDecoded(nil, p.Source)) != e.Source || string(AppendDecoded(nil, p.Message)) != string(e.Message) {
			t.Fatalf("%s is taken apart as %s %q %s %q", line, p.Time, p.Source, p.Level, p.Message)
		}
		var want struct{ Fields json.RawMessage }
		if err := json.Unmarshal(line, &want); err != nil || string(want.Fields) != string(p.Fields) {
			t.Fatalf("%s has fields %s, got %s (%v)", line, want.Fields, p.Fields, err)
		}
		for i, c := range AppendText(nil, line) {
			if (c == '\r' || c == '\n') && i != len(AppendText(nil, line))-1 {
				t.Fatalf("%s becomes more than one line", line)
			}
		}
	})
}

func TestEveryEscapeIsDecoded(t *testing.T) {
	for raw, want := range map[string]string{
		`\"\\\/\b\f\n\r\t`:   "\"\\/\b\f\n\r\t",
		`\u00e9\uD834\uDD1E`: "é𝄞",
		`\ud834x\udd1e`:      "\uFFFDx\uFFFD",
		`\ud834\n`:           "\uFFFD\n",
		`\u12`:               "\uFFFD12",
		`a\`:                 `a\`,
	} {
		if got := string(AppendDecoded(nil, []byte(raw))); got != want {
			t.Errorf("%s is decoded as %q, want %q", raw, got, want)
		}
	}
}

func TestTextForPeopleHasOneLineAnEntry(t *testing.T) {
	line := `{"time":"T","source":"a\nb","message":"x\r\ny\tz \\n \"q\""}` + "\n"
	if got, want := string(AppendText(nil, []byte(line))), "T - a\\nb x\\r\\ny\tz \\n \"q\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNoticesOfWhatIsNotThere(t *testing.T) {
	g := Gap{IDs: Epoch(7), Requested: 10, Resumed: 905, Missed: 894}
	if got, want := string(g.AppendJSON(nil, true)), `{"type":"gap","requested":"7-10","resumed":"7-905","missed":894}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	d := Drop{IDs: Epoch(7), Count: 3, From: 10, To: 30, Reason: "sampled", Total: 5}
	if got, want := string(d.AppendJSON(nil, false)), `{"count":3,"from":"7-10","to":"7-30","reason":"sampled","total":5}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(AppendLine(nil, Reset{Type: "reset", Reason: "epoch"})), `{"type":"reset","reason":"epoch"}`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
