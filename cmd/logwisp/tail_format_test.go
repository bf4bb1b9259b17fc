package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

// printed is what flags of tail make of one entry.
func printed(t *testing.T, entry string, args ...string) string {
	t.Helper()
	line, parser := newTestParser(t)
	if _, err := parser.Parse(arrange(parser.Model.Node, append([]string{"tail"}, args...))); err != nil {
		t.Fatal(err)
	}
	c := &line.Tail
	id, rest := cutID([]byte(entry))
	return string(c.formatter(c.Color == "always").entry(nil, rest, id != nil))
}

func TestEntryIsPrintedInEachForm(t *testing.T) {
	local := time.Date(2024, 1, 1, 12, 0, 0, 123456000, time.UTC).Local()
	const rest = `"time":"2024-01-01T12:00:00.123456Z","source":"app.log","level":"error","message":"it broke\nhere",` +
		`"fields":{"user":"joe","n":1.50,"q":"a b","o":{"k":[1,null]},"e":"","b":true,"u":"é"}}`
	const entry = `{"id":"7-1",` + rest
	const fields = `user=joe n=1.50 q="a b" o={"k":[1,null]} e="" b=true u=é`
	for _, c := range []struct{ entry, args, want string }{
		{entry, "-o json", "{" + rest},
		{"{" + rest, "-o json", "{" + rest},
		{entry, "-o raw", `it broke\nhere`},
		{entry, "-o raw --raw", "it broke\nhere"},
		{entry, "", local.Format("2006-01-02 15:04:05.000") + ` ERROR app.log it broke\nhere ` + fields},
		{entry, "-t utc", `2024-01-01T12:00:00.123456Z ERROR app.log it broke\nhere ` + fields},
		{entry, "-t time", local.Format("15:04:05.000") + ` ERROR app.log it broke\nhere ` + fields},
		{entry, "-t none", `ERROR app.log it broke\nhere ` + fields},
		{entry, "-t delta", `    +0.000 ERROR app.log it broke\nhere ` + fields},
		{`{"source":"a","message":"m","fields":{ "user": "joe" , "n" : 1.50 ,"o": [1, "a"] }}`, "-t none", `-     a m user=joe n=1.50 o=[1, "a"]`},
		{`{"time":"soon","source":"a","message":"m"}`, "", `soon -     a m`},
		{`no \x1b JSON`, "-t none", `-      no \x1b JSON`},
		{`no JSON`, "-o json", `no JSON`},
		{
			`{"time":"t","source":"a","level":"info","message":"one two one","fields":{"k":"one"}}`, "-t none --color always -H one -H t.o",
			"\x1b[32mINFO \x1b[0m \x1b[34ma\x1b[0m \x1b[7mone\x1b[27m \x1b[7mtwo\x1b[27m \x1b[7mone\x1b[27m \x1b[2mk=\x1b[0m\x1b[7mone\x1b[27m",
		},
		{`{"id":"7-1","message":"one"}`, "-o json --color always -H one", "{\"message\":\"\x1b[7mone\x1b[27m\"}"},
		{`{"message":"one"}`, "-o raw -H one", "one"},
	} {
		got := printed(t, c.entry, strings.Fields(c.args)...)
		want := c.want
		if strings.Contains(c.args, "always") { // the source's colour may be any
			got = regexp.MustCompile(`\x1b\[3\dma\x1b`).ReplaceAllString(got, "\x1b[34ma\x1b")
		}
		if got != want+"\n" {
			t.Errorf("%s of %s:\n%q, want\n%q", c.args, c.entry, got, want+"\n")
		}
	}
}

func TestTextOfLogsDoesNothingToTheTerminal(t *testing.T) {
	for text, want := range map[string]string{
		"plain, tab\t and é 日本": "plain, tab\t and é 日本",
		"\x1b[31mred\x1b[0m\a":  `\x1b[31mred\x1b[0m\x07`,
		"a\r\nb\x00\x7f":        `a\r\nb\x00\x7f`,
		"\u009b31m":             `\u009b31m`,
		"\x9b31m\xff":           `\x9b31m\xff`,
		"a\u202eb\u2066c\u2028": `a\u202eb\u2066c\u2028`,
		"\ufffd":                "\ufffd",
		"cut \xc3":              `cut \xc3`,
		"":                      "",
	} {
		if got := escaped(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	// In whatever part of an entry it stands.
	evil := `\u001b]0;x\u0007\u009b`
	entry := fmt.Sprintf(`{"time":"%[1]s","source":"%[1]s","level":"%[1]s","message":"%[1]s","fields":{"%[1]s":"%[1]s","k":{"%[1]s":"%[1]s"}}}`, evil)
	for _, args := range []string{"", "-o raw", "-t utc", "-t none -H x --color never"} {
		got := printed(t, entry, strings.Fields(args)...)
		for _, r := range strings.TrimSuffix(got, "\n") {
			if r < ' ' || r >= 0x7f && r < 0xa0 {
				t.Errorf("%q prints %U: %q", args, r, got)
				break
			}
		}
	}
}

func TestColoursFollowTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		when, name, value string
		want              bool
	}{
		{"always", "NO_COLOR", "1", true},
		{"never", "CLICOLOR_FORCE", "1", false},
		{"auto", "", "", false}, // a buffer is no terminal
		{"auto", "CLICOLOR_FORCE", "1", true},
		{"auto", "CLICOLOR_FORCE", "0", false},
	} {
		env := func(name string) string {
			if name == c.name {
				return c.value
			}
			return ""
		}
		if got := colors(c.when, io.Discard, env); got != c.want {
			t.Errorf("--color %s with %s=%s: %v, want %v", c.when, c.name, c.value, got, c.want)
		}
	}
}

func TestLinesComeWholeHoweverTheyAreRead(t *testing.T) {
	var text bytes.Buffer
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 400 {
		size := random.IntN(200)
		if i%100 == 7 {
			size = 3 * readBytes / 2 // does not fit the buffer
		}
		text.WriteString(strings.Repeat("x", size) + "\n")
	}
	whole := text.String()
	for name, from := range map[string]io.Reader{
		"at once": strings.NewReader(whole + "torn"),
		"halves":  iotest.HalfReader(strings.NewReader(whole + "torn")),
		"bytes":   iotest.OneByteReader(strings.NewReader(whole[:readBytes/8] + "torn")),
		"last":    iotest.DataErrReader(strings.NewReader(whole)),
	} {
		var got strings.Builder
		lines := &lineReader{from: from}
		for {
			block, err := lines.block()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
			if len(block) == 0 || block[len(block)-1] != '\n' {
				t.Fatalf("%s: a block ends within a line", name)
			}
			got.Write(block)
		}
		want := whole
		if name == "bytes" {
			want = whole[:strings.LastIndexByte(whole[:readBytes/8], '\n')+1]
		}
		if got.String() != want {
			t.Errorf("%s: %d bytes, want %d", name, got.Len(), len(want))
		}
	}
}

func TestIDIsCutOffOnlyWhereItIsOne(t *testing.T) {
	for line, want := range map[string][2]string{
		`{"id":"7-1","time":"t"}`: {"7-1", `"time":"t"}`},
		`{"time":"t","id":"x"}`:   {"", `{"time":"t","id":"x"}`},
		`{"id":"7-1"}`:            {"", `{"id":"7-1"}`},
		`{"id":"7-1`:              {"", `{"id":"7-1`},
		`{"id":"`:                 {"", `{"id":"`},
		``:                        {"", ``},
	} {
		id, entry := cutID([]byte(line))
		if string(id) != want[0] || string(entry) != want[1] {
			t.Errorf("%s: id %q and %q", line, id, entry)
		}
	}
}

// brokenPipe is a standard output that nobody reads.
type brokenPipe struct{ error }

func (b brokenPipe) Write([]byte) (int, error) { return 0, b.error }

func TestBrokenPipeEndsQuietlyAndFullDiskDoesNot(t *testing.T) {
	_, address := startFake(t, "tcp", connectedLine+entryLine(1)+"!hold\n")
	for _, c := range []struct {
		err  error
		code int
		says string
	}{{syscall.EPIPE, 0, ""}, {syscall.ENOSPC, exitFailure, "standard output: no space left"}} {
		line, parser := newTestParser(t)
		if _, err := parser.Parse([]string{"tail", address}); err != nil {
			t.Fatal(err)
		}
		var messages bytes.Buffer
		f, err := line.Tail.follower(&stdio{brokenPipe{c.err}, &messages})
		if err != nil {
			t.Fatal(err)
		}
		code := report(f.run(t.Context()), &messages)
		if code != c.code || !strings.Contains(messages.String(), c.says) || c.says == "" && messages.Len() > 0 {
			t.Errorf("%v: exit code %d, %q", c.err, code, &messages)
		}
	}
}

func TestStatusLineMakesWayForEntriesAndComesBack(t *testing.T) {
	var terminal bytes.Buffer
	s := &screen{std: &stdio{&terminal, &terminal}, rated: true, shared: true}
	s.text, s.entries = append(s.text, "one\ntwo\n"...), 2
	_ = s.flush()
	s.setStatus(2, 0)
	s.draw()
	s.lost = 1204
	s.text, s.entries = append(s.text, "three\n"...), 3
	_ = s.flush()
	s.setStatus(1000, s.drops)
	s.notice("note")
	s.erase()
	const want = "one\ntwo\n2 entries, 2/s" + eraseLine + "three\n2 entries, 2/s" +
		eraseLine + "logwisp: note\n3 entries, 1,000/s, 1,204 lost" + eraseLine
	if got := terminal.String(); got != want {
		t.Errorf("the terminal got\n%q, want\n%q", got, want)
	}
}

// The cost of an entry on its way from the socket to a program that reads it.
func BenchmarkTailJSON(b *testing.B) {
	entry := `{"id":"1795361890502-1733","time":"2024-01-01T12:00:00.123456Z","source":"app.log","level":"info","message":"` +
		strings.Repeat("x", 130) + `","fields":{"key":"value"}}` + "\n"
	block := []byte(strings.Repeat(entry, readBytes/len(entry)))
	f := &follower{tailCommand: &tailCommand{}, format: asItCame{}, out: newScreen(&stdio{io.Discard, io.Discard})}
	b.SetBytes(int64(len(entry)))
	for n := 0; n < b.N; n += readBytes / len(entry) {
		if err := f.take(block, nil); err != nil {
			b.Fatal(err)
		}
		if err := f.out.flush(); err != nil {
			b.Fatal(err)
		}
	}
}
