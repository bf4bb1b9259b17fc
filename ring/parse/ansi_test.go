package parse

import (
	"bytes"
	"strings"
	"testing"
)

func TestEscapeSequencesAreRemoved(t *testing.T) {
	p := &Parser{}
	for line, want := range map[string]string{
		"plain":                                     "plain",
		"\x1b[31mERROR\x1b[0m x":                    "ERROR x",
		"\x1b[1;38;5;196mx\x1b[m":                   "x",
		"\x1b[2K\x1b[1Gx\x1b[?25l":                  "x",
		"\x1b[38:2::1:2:3mx":                        "x",
		"\x1b[ q\x1b[!px":                           "x",
		"\x1b]0;title\ax":                           "x",
		"\x1b]8;;http://h/\x1b\\link\x1b]8;;\x1b\\": "link",
		"\x1bP1$r\x1b\\x\x1b_a\x1b\\y\x1b^b\x1b\\z": "xyz",
		"\x1bcx\x1b(By\x1b=z\x1bMa":                 "xyza",
		"é\x1b[0m\xff\x1b[0m\x00":                   "é\xff\x00",
		// What is not complete stays.
		"x\x1b":            "x\x1b",
		"x\x1b[":           "x\x1b[",
		"x\x1b[31":         "x\x1b[31",
		"\x1b[31\x01m":     "\x1b[31\x01m",
		"\x1b[3é":          "\x1b[3é",
		"\x1b]0;title":     "\x1b]0;title",
		"\x1b]0;t\x1b[0mx": "]0;tx",
		"\x1bPx\ay":        "\x1bPx\ay",
		"\x1b\x1b[0mx":     "x",
		"\x1bé":            "\x1bé",
		"[31mx":            "[31mx",
	} {
		if got := string(p.StripANSI([]byte(line))); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

func TestALineWithoutEscapesIsReturnedItself(t *testing.T) {
	p := &Parser{}
	line := []byte("plain")
	if got := p.StripANSI(line); &got[0] != &line[0] {
		t.Error("it was copied")
	}
	coloured := []byte("\x1b[31mERROR\x1b[0m x")
	if n := testing.AllocsPerRun(100, func() { p.StripANSI(coloured) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	p.StripANSI(bytes.Repeat([]byte("x\x1b[0m"), 1<<18))
	if p.StripANSI(coloured); cap(p.stripped) > largeBuffer {
		t.Errorf("%d bytes kept", cap(p.stripped))
	}
}

func FuzzStripANSI(f *testing.F) {
	for _, s := range []string{"\x1b[31mERROR\x1b[0m x", "\x1b]8;;h\x1b\\l\x1b]8;;\a", "\x1bP\x1b\\", "\x1b]", "\x1b(B", strings.Repeat("\x1b]", 100)} {
		f.Add([]byte(s))
	}
	p := &Parser{}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		got := p.StripANSI(line)
		if !bytes.Equal(line, before) {
			t.Fatal("the line was changed")
		}
		// What is left is the line with pieces cut out that begin with an escape.
		rest := line
		for _, c := range got {
			for len(rest) > 0 && rest[0] != c {
				n := removed(rest)
				if n == 0 {
					t.Fatalf("%q became %q", line, got)
				}
				rest = rest[n:]
			}
			if c == escape {
				for n := removed(rest); n > 0; n = removed(rest) {
					rest = rest[n:]
				}
			}
			if len(rest) == 0 || rest[0] != c {
				t.Fatalf("%q became %q", line, got)
			}
			rest = rest[1:]
		}
		if again := (&Parser{}).StripANSI(got); !bytes.Equal(again, got) {
			t.Fatalf("%q became %q, and that %q", line, got, again)
		}
	})
}

// removed is how many bytes at the start of b do not stay.
func removed(b []byte) int {
	if len(b) == 0 || b[0] != escape {
		return 0
	}
	if n := sequenceEnd(b); n != cancelled {
		return n
	}
	return 1
}

func TestNoSequenceIsMadeOfWhatIsAroundAnother(t *testing.T) {
	var p Parser
	for line, want := range map[string]string{
		"\x1b\x1b[0m[31mx":        "[31mx",
		"\x1b[3\x1b[0m1mx":        "[31mx",
		"\x1b]0;a\x1b[0mb\x07x":   "]0;ab\x07x",
		"\x1bP\x1b\x1b[0m\\x":     "P\\x",
		"\x1b\x1b\x1b[0m[0m[31mx": "[0m[31mx",
	} {
		if got := string(p.StripANSI([]byte(line))); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
}
