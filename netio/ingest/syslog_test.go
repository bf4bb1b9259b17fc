package ingest

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"logwisp/ring/entry"
)

func dialUDP(t *testing.T, in *input) net.Conn {
	t.Helper()
	c, err := net.Dial("udp", in.address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func counted(message string) string { return fmt.Sprintf("%d %s", len(message), message) }

func TestSyslogOverTCPTakesBothFramingsOnOneConnection(t *testing.T) {
	r := newRig(t, Settings{}, Options{URL: "syslog+tcp://127.0.0.1:0", Tags: map[string]string{"dc": "eu", "app": "tag"}})
	r.send(counted("<11>1 2024-01-01T12:00:00.123456Z web1 nginx 12 ID1 [a@1 k=\"v\"] two\nlines") +
		"<30>1 - - - - - - ends with a newline\n" +
		counted("<27>Jan  1 12:00:00 db1 postgres[7]: counted") + "\n" + // some senders do
		"\n" + counted("<14>1 - web2 - - - - {\"msg\":\"served\",\"level\":\"debug\",\"ms\":5}\n") +
		"2024-01-01 no syslog at all\n" + counted("<14>1 - web1 - - - - last"))
	r.sees("two\nlines", "ends with a newline", "counted", "served", "2024-01-01 no syslog at all", "last")
	e := r.got[0]
	if e.Source != "web1" || e.Level != "error" || e.Time != "2024-01-01T12:00:00.123456Z" ||
		fmt.Sprint(e.Fields) != "map[app:nginx dc:eu facility:user hostname:web1 msgid:ID1 pid:12 structured_data:map[a@1:map[k:v]]]" {
		t.Errorf("got %+v", e)
	}
	if e := r.got[1]; e.Source != "127.0.0.1" || e.Level != "info" || e.Fields["app"] != "tag" {
		t.Errorf("got %+v", e)
	}
	if e := r.got[2]; e.Source != "db1" || e.Level != "error" || e.Fields["pid"] != "7" {
		t.Errorf("got %+v", e)
	}
	if e := r.got[3]; e.Source != "web2" || e.Level != "debug" || e.Fields["ms"] != 5.0 || e.Fields["hostname"] != "web2" {
		t.Errorf("got %+v", e)
	}
	if s := r.server.Stats()[0]; s.ParseErrors != 1 || s.Entries != 6 {
		t.Errorf("%d parse errors and %d entries, want 1 and 6", s.ParseErrors, s.Entries)
	}
}

func TestACountedMessageThatIsTooLongIsCutAndOneThatEndsEarlyIsPartial(t *testing.T) {
	r := newRig(t, Settings{}, Options{URL: "syslog+tcp://127.0.0.1:0", MaxLineBytes: 1024})
	const head = "<14>1 - - - - - - "
	text := strings.Repeat("x", 1024-len(head))
	r.send(counted(head+text) + counted(head+text+"yz") + "100 <14>half")
	r.sees(text, text, "half")
	if a, b := r.got[1].Fields["_truncated"], r.got[2].Fields["_partial"]; a != 2.0 || b != true || r.got[0].Fields["_truncated"] != nil {
		t.Errorf("got %+v", r.got)
	}
}

func TestSyslogOverUDPTakesOneMessageADatagram(t *testing.T) {
	r := newRig(t, Settings{}, Options{URL: "syslog+udp://127.0.0.1:0", MaxLineBytes: 2000})
	c := dialUDP(t, r.server.inputs[0])
	for _, m := range []string{
		"<11>1 2024-01-01T12:00:00Z web1 nginx - - - first\nsecond\n", "<30>Jan  1 12:00:00 db1 cron[1]: run\x00", "no priority", "\n", "",
		"<14>" + strings.Repeat("x", 5000),
	} {
		r.write(c, m)
	}
	r.sees("first\nsecond", "run", "no priority", strings.Repeat("x", 1996))
	for i, want := range []string{"web1", "db1", "127.0.0.1", "127.0.0.1"} {
		if r.got[i].Source != want {
			t.Errorf("entry %d has the source %q, want %q", i, r.got[i].Source, want)
		}
	}
	if r.got[3].Fields["_truncated"] != 3004.0 {
		t.Errorf("got %+v", r.got[3])
	}
	if s := r.server.Stats()[0]; s.Accepted != 6 || s.Entries != 4 || s.ParseErrors != 1 || s.Lost != 0 {
		t.Errorf("the figures are %+v", s)
	}
}

func TestDatagramsThatTheKernelHasNoRoomForAreCounted(t *testing.T) {
	const sent = 500
	r := newRig(t, Settings{}, Options{URL: "syslog+udp://127.0.0.1:0", Source: "s"})
	in := r.server.inputs[0]
	if err := in.socket.raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
	}); err != nil {
		t.Fatal(err)
	}
	var taken []*worker // so that nobody reads
	for range cap(r.server.workers.turns) {
		taken = append(taken, r.server.workers.take())
	}
	c := dialUDP(t, in)
	for i := range sent {
		r.write(c, fmt.Sprintf("<14>%d", i))
	}
	for _, w := range taken {
		r.server.workers.give(w)
	}
	r.until("all to be accounted for", func() bool {
		s := r.server.Stats()[0]
		return s.Lost > 0 && s.Entries+s.Lost == sent
	})
	lost := r.server.Stats()[0].Lost
	r.server.Stop()
	if s := r.server.Stats()[0]; s.Lost != lost {
		t.Errorf("%d are lost after the stop, %d before", s.Lost, lost)
	}
}

// framed returns what frames make of data that comes in pieces.
func framed(pieces [][]byte, limit int) (all []string) {
	var f frames
	note := func(l entry.Line) { all = append(all, fmt.Sprintf("%q %d %v", l.Text, l.Cut, l.Partial)) }
	for _, p := range pieces {
		f.Feed(p, limit, note)
		if f.Memory() > limit+8 {
			panic("more is held than the limit allows")
		}
	}
	f.Flush(limit, note)
	return all
}

func TestFramesTellCountsFromTextThatBeginsLikeThem(t *testing.T) {
	f := func(data string, want ...string) {
		t.Helper()
		if got := framed([][]byte{[]byte(data)}, 20); !slices.Equal(got, want) {
			t.Errorf("%q gives %q, want %q", data, got, want)
		}
	}
	f("")
	f("5 <1>ab6 <1>cde<2>f\n5 <1>gh", `"<1>ab" 0 false`, `"<1>cde" 0 false`, `"<2>f" 0 false`, `"<1>gh" 0 false`)
	f("5 <1>ab\r\n\x00\n5 <1>cd", `"<1>ab" 0 false`, `"<1>cd" 0 false`)
	f("7 <1>a\nb\n", `"<1>a\nb" 0 false`)
	f("200 OK\n5 apples\n007 <1>x\n0 <1>\n", `"200 OK" 0 false`, `"5 apples" 0 false`, `"007 <1>x" 0 false`, `"0 <1>" 0 false`)
	f("123456789 <1>x\n99999999 <1>x\n", `"123456789 <1>x" 0 false`, `"99999999 <1>x" 0 false`)
	f("5  <1>ab\n", `"5  <1>ab" 0 false`)
	f("12", `"12" 0 true`)
	f("12 ", `"12 " 0 true`)
	f("12 <1>", `"<1>" 0 true`)
	f("30 <1>45678901234567890123456789<2>x\n", `"<1>45678901234567890" 10 false`, `"2>x" 0 false`)
	f("29 <1>45678901234567890123456789<2>x\n", `"<1>45678901234567890" 9 false`, `"<2>x" 0 false`)
}

// FuzzFrames checks that messages do not depend on how the bytes come, and that
// none is longer than the limit.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("5 <1>ab6 <1>cde<2>f\n5 <1>gh\n200 OK\n"), uint16(3), uint8(20))
	f.Add([]byte("30 <1>45678901234567890123456789<2>x\n12 <"), uint16(9), uint8(1))
	f.Add([]byte("123456789 <1>x\n99999999 <1>x\n1 <"), uint16(1), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, seed uint16, small uint8) {
		limit := 8 + int(small)
		whole := framed([][]byte{data}, limit)
		var pieces [][]byte
		for rest, x := data, uint32(seed)|1; len(rest) > 0; {
			x = x*1664525 + 1013904223
			n := min(int(x>>28)+1, len(rest))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		if cut := framed(pieces, limit); !slices.Equal(whole, cut) {
			t.Errorf("%q in pieces %q gives %q, whole %q", data, pieces, cut, whole)
		}
		bytesIn, bytesOut := len(bytes.Trim(data, "\r\n\x00 \t\v\f")), 0
		var fr frames
		count := func(l entry.Line) {
			bytesOut += len(l.Text) + int(l.Cut)
			if len(l.Text) > limit {
				t.Errorf("a message of %d bytes, limit %d", len(l.Text), limit)
			}
		}
		fr.Feed(data, limit, count)
		fr.Flush(limit, count)
		if bytesOut > len(data) || bytesIn > 0 && bytesOut == 0 {
			t.Errorf("%q: %d bytes of %d came out", data, bytesOut, len(data))
		}
	})
}
