package tail

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"unicode/utf16"
)

// wide returns text as UTF-16.
func (e encoding) wide(text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = e.order().(binary.AppendByteOrder).AppendUint16(b, unit)
	}
	return string(b)
}

// encodings runs a test for files in UTF-16, with a byte order mark and
// without.
func encodings(t *testing.T, test func(h *harness, e encoding, mark string)) {
	for name, e := range map[string]encoding{"little": wideLittle, "big": wideBig} {
		for _, mark := range []string{"", "\ufeff"} {
			t.Run(name+map[string]string{"": " unmarked"}[mark], func(t *testing.T) {
				scenario(t, func(_ *testing.T, h *harness) { test(h, e, mark) })
			})
		}
	}
}

func TestUTF16IsReadAsTextHoweverItIsWritten(t *testing.T) {
	encodings(t, func(h *harness, e encoding, mark string) {
		h.start(".:*.log")
		f := h.writer("app.log")
		all := mark + "ordinary first line\r\ngrüße 😀 日本\nਊ਀Ċ\n\nlast\n"
		h.write(f, e.wide(all)[:2]) // one byte without a mark is a text of its own
		for _, b := range []byte(e.wide(all)[2:]) {
			h.lookAtAll()
			h.write(f, string([]byte{b}))
		}
		h.append("app.log", e.wide("in one go 😀\n"))
		h.wants([]string{"ordinary first line", "grüße 😀 日本", "ਊ਀Ċ", "last", "in one go 😀"})
		if at := h.w.names[h.path("app.log")].file; at.whole != int64(len(e.wide(all))+len(e.wide("in one go 😀\n"))) {
			h.t.Errorf("the position is %d", at.whole)
		}
	})
}

func TestHalfASurrogatePairInUTF16BecomesTheReplacementCharacter(t *testing.T) {
	encodings(t, func(h *harness, e encoding, mark string) {
		unit := func(u uint16) string {
			return string(e.order().(binary.AppendByteOrder).AppendUint16(nil, u))
		}
		h.start("app.log")
		h.append("app.log", e.wide(mark+"first line\na")+unit(0xd83d)+e.wide("b\n")+unit(0xdc00)+e.wide("c\nd")+
			unit(0xd83d)+unit(0xd83d)+unit(0xde00)+e.wide("\n"))
		h.wants([]string{"first line", "a\ufffdb", "\ufffdc", "d\ufffd😀"})
	})
}

func TestUTF16PresentAtStartIsReadFromItsLastLine(t *testing.T) {
	encodings(t, func(h *harness, e encoding, mark string) {
		h.append("app.log", e.wide(mark+text(lines("old", 5000))+"begun, "))
		h.start("app.log")
		h.append("app.log", e.wide("ended\nnew\n"))
		h.wants([]string{"begun, ended", "new"})
	})
}

func TestUTF16GoesOnAfterARestart(t *testing.T) {
	encodings(t, func(h *harness, e encoding, mark string) {
		h.restart("app.log")
		h.append("app.log", e.wide(mark+text(lines("a", 50))+"begun, "))
		h.sees("a row 00049")
		h.stop()
		h.append("app.log", e.wide("ended\n"+text(lines("down", 5))))
		h.restart("app.log")
		h.append("app.log", e.wide("up 😀\n"))
		h.wants(append(append(lines("a", 50), "begun, ended"), append(lines("down", 5), "up 😀")...))
	})
}

func TestATruncationMayChangeTheEncoding(t *testing.T) {
	encodings(t, func(h *harness, e encoding, mark string) {
		h.start(".:*.log*")
		h.append("app.log", e.wide(mark+text(lines("a", 60))))
		h.sees("a row 00059")
		h.append("app.log", e.wide("unread\n"))
		h.copy("app.log", "app.log.1")
		h.truncate("app.log")
		h.append("app.log", text(lines("narrow", 3)))
		h.sees("narrow row 00002")
		h.truncate("app.log")
		h.until("the truncation is seen", func() bool { return h.w.names[h.path("app.log")].file.pos == 0 })
		h.append("app.log", e.wide(mark+text(lines("b", 3))))
		h.wants(append(lines("a", 60), "unread"), lines("narrow", 3), lines("b", 3))
	})
}

func TestAHoleInUTF16IsSkipped(t *testing.T) {
	encodings(t, func(h *harness, e encoding, mark string) {
		f, err := os.Create(h.path("hole.log"))
		h.must(err)
		defer f.Close()
		h.start("hole.log")
		h.write(f, e.wide(mark+text(lines("a", 20000))))
		h.sees("a row 19999")
		h.truncate("hole.log")
		h.write(f, e.wide("after hole one\nafter hole two\n"))
		h.wants(lines("a", 20000), []string{"after hole one", "after hole two"})
	})
}

func TestALongLineInUTF16IsCutAndTakesNoMoreMemoryThanTheLimit(t *testing.T) {
	encodings(t, func(h *harness, e encoding, mark string) {
		h.start("app.log")
		h.append("app.log", e.wide(mark+"before the long line\n"))
		part := e.wide(strings.Repeat("日", 1<<19))
		for range 4 {
			h.append("app.log", part)
			h.lookAtAll()
			f := h.w.names[h.path("app.log")].file
			if n := f.split.Memory(); n > 1<<20+64 || cap(h.w.decoded) > 2*readSize {
				h.t.Fatalf("%d bytes are held, and %d for decoding", n, cap(h.w.decoded))
			}
		}
		h.append("app.log", e.wide("\nafter\n"))
		h.sees("after")
		if cut := h.got[1].Fields["_truncated"]; cut != float64(4*3<<19-len(h.got[1].Message)) || len(h.got[1].Message) < 1<<20-3 {
			h.t.Errorf("_truncated is %v of a message of %d bytes", cut, len(h.got[1].Message))
		}
	})
}

func TestTheFirstBytesOfAFileTellItsEncoding(t *testing.T) {
	f := func(head string, was, want encoding, known bool) {
		t.Helper()
		if e, ok := encodingOf([]byte(head), was); e != want || ok != known {
			t.Errorf("%q is in encoding %d, %v; want %d, %v", head, e, ok, want, known)
		}
	}
	f("", wideBig, wideBig, true)
	f("a", plain, plain, true)
	f("\xff", plain, plain, false)
	f("\xff\xfe", plain, wideLittle, true)
	f("\xfe\xff", plain, wideBig, true)
	f("\xef\xbb\xbfa", wideBig, plain, true)
	f("a\x00", plain, wideLittle, false)
	f("\x00a", plain, wideBig, false)
	f("a\x00\n\x00", plain, wideLittle, true)
	f("\x00a\x00\n", wideLittle, wideBig, true)
	f("a\x00b\x00c\x00\xe5\x65", plain, wideLittle, true)
	f("a\x00\xe5\x65\xe5\x65b\x00", plain, wideLittle, true)
	f("a\x00\xe5\x65\xe5\x65", plain, plain, true)
	f("a\x00b", plain, wideLittle, false)
	f("\x00", plain, plain, false)
	f("key\x00value\x00", plain, plain, true)
	f("a\x00\x00b", plain, plain, true)
	f("\x00\x00\x00\x00a\x00", wideLittle, wideLittle, true)
	f("\x00\x00\x00\x00abc", plain, plain, true)
	f("ab\x00\x00cd", plain, plain, true)
	f("plain text", wideBig, plain, true)
}

// FuzzEncoding checks against the standard library that text does not depend on
// how its bytes come, and where lines end.
func FuzzEncoding(f *testing.F) {
	f.Add([]byte("a\x00\n\x00\x3d\xd8\x00\xde\n\x00"), uint16(3), false)
	f.Add([]byte("\xd8\x3d\xde\x00\x0a\x0a\x00\x0a\xd8"), uint16(0x0101), true)
	f.Fuzz(func(t *testing.T, data []byte, seed uint16, big bool) {
		e := wideLittle
		if big {
			e = wideBig
		}
		var units []uint16
		end := 0
		for i := 0; i+2 <= len(data); i += 2 {
			units = append(units, e.order().Uint16(data[i:]))
			if units[i/2] == '\n' {
				end = i + 2
			}
		}
		if got := e.lineEnd(data); got != end {
			t.Errorf("whole lines end at %d of %q, want %d", got, data, end)
		}
		var got, waiting []byte
		for rest := data; len(rest) > 0; seed = seed*31 + 7 {
			n := min(1+int(seed%5), len(rest))
			waiting = append(waiting, rest[:n]...)
			rest = rest[n:]
			whole := e.whole(waiting)
			got = e.decode(got, waiting[:whole])
			waiting = waiting[whole:]
			if len(waiting) > 3 {
				t.Fatalf("%d bytes wait", len(waiting))
			}
		}
		want := []byte(string(utf16.Decode(units[:len(units)-len(waiting)/2])))
		if !bytes.Equal(got, want) {
			t.Errorf("%q is %q, want %q", data, got, want)
		}
	})
}
