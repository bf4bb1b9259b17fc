package entry

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// split returns what a Splitter makes of data that comes in pieces.
func split(pieces [][]byte, limit int) (all []string) {
	s := Splitter{atStart: true}
	note := func(l Line) {
		all = append(all, fmt.Sprintf("%q %d %v", l.Text, l.Cut, l.Partial))
	}
	for _, p := range pieces {
		s.Feed(p, limit, note)
		if len(s.held) > limit+slack || cap(s.held) > limit+slack {
			panic("more is held than the limit allows")
		}
	}
	s.Flush(limit, note)
	return all
}

func TestSplitterHandsOverWhatALineHolds(t *testing.T) {
	f := func(data string, want ...string) {
		t.Helper()
		if got := split([][]byte{[]byte(data)}, 10); !slices.Equal(got, want) {
			t.Errorf("%q gives %q, want %q", data, got, want)
		}
	}
	f("")
	f("a\nb\n", `"a" 0 false`, `"b" 0 false`)
	f("a\nb", `"a" 0 false`, `"b" 0 true`)
	f("a\r\nb\r\r\nc\rd\n", `"a" 0 false`, `"b\r" 0 false`, `"c\rd" 0 false`)
	f("\n \t\r\n\r\n\v\na\n", `"a" 0 false`)
	f("\xef\xbb\xbfa\n\xef\xbb\xbfb\n", `"a" 0 false`, `"\ufeffb" 0 false`)
	f("\x00\x00a\x00b\n\x00\nc\n", `"a\x00b" 0 false`, `"c" 0 false`)
	f("0123456789\n", `"0123456789" 0 false`)
	f("0123456789\r\n", `"0123456789" 0 false`)
	f("\xef\xbb\xbf0123456789\r\n", `"0123456789" 0 false`)
	f("0123456789a\n", `"0123456789" 1 false`)
	f("0123456789abcdef\r\nx\n", `"0123456789" 6 false`, `"x" 0 false`)
	f("012345678é\n", `"012345678" 2 false`)
	f("01234567日本\n", `"01234567" 6 false`)
	f("0123456789abcdef", `"0123456789" 6 true`)
	f("\x800123456\x80\x80\x80\x80\x80\n", `"\x800123456\x80\x80" 3 false`)
	f(strings.Repeat("\x00", 50)+"a\n", `"a" 0 false`)
}

// FuzzSplitter checks that lines do not depend on how the bytes come, and that
// no byte is lost: what is handed over and what is said to be cut add up.
func FuzzSplitter(f *testing.F) {
	f.Add([]byte("a\r\nbcd\n\x00\x00e\xc3\xa9"), uint16(3), uint8(20))
	f.Add([]byte("\xef\xbb\xbf01234567890123456789\r\n\r\n"), uint16(0x0101), uint8(9))
	f.Add(bytes.Repeat([]byte("é"), 40), uint16(7), uint8(11))
	f.Fuzz(func(t *testing.T, data []byte, seed uint16, small uint8) {
		limit := 8 + int(small)
		whole := split([][]byte{data}, limit)
		var pieces [][]byte
		for rest, x := data, uint32(seed)|1; len(rest) > 0; {
			x = x*1664525 + 1013904223
			n := min(int(x>>28)+1, len(rest))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		if cut := split(pieces, limit); !slices.Equal(whole, cut) {
			t.Errorf("%q in pieces %q gives %q, whole %q", data, pieces, cut, whole)
		}
		accountForBytes(t, data, limit)
	})
}

// accountForBytes compares the sums with a plain reading of the rules.
func accountForBytes(t *testing.T, data []byte, limit int) {
	t.Helper()
	var want, have int
	for i, l := range bytes.Split(data, []byte("\n")) {
		l = bytes.TrimLeft(l, "\x00")
		if i == 0 {
			l = bytes.TrimPrefix(l, byteOrderMark)
		}
		l = bytes.TrimSuffix(l, []byte("\r"))
		if len(bytes.Trim(l, " \t\r\v\f")) > 0 || len(l) > limit {
			want += len(l)
		}
	}
	s := Splitter{atStart: true}
	sum := func(l Line) {
		have += len(l.Text) + int(l.Cut)
		if len(l.Text) > limit {
			t.Errorf("a line of %d bytes, limit %d", len(l.Text), limit)
		}
	}
	s.Feed(data, limit, sum)
	s.Flush(limit, sum)
	if want != have {
		t.Errorf("%q: %d bytes handed over or cut, want %d", data, have, want)
	}
}

func TestSplitterKeepsNoMemoryBetweenLines(t *testing.T) {
	var s Splitter
	s.Feed(bytes.Repeat([]byte("x"), 5000), 10000, func(Line) {})
	s.Feed([]byte("y\n"), 10000, func(Line) {})
	if s.held != nil {
		t.Error("a buffer is held without a fragment")
	}
	chunk := []byte(strings.Repeat("a line of ordinary length\n", 100))
	n := 0
	count := func(Line) { n++ }
	if allocs := testing.AllocsPerRun(100, func() { s.Feed(chunk, 10000, count) }); allocs != 0 {
		t.Errorf("%v allocations for whole lines, want none", allocs)
	}
}
