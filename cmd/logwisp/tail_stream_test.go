package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// pieces hands out a text in pieces of a size.
type pieces struct {
	text string
	size int
}

func (p *pieces) Read(dst []byte) (int, error) {
	if p.text == "" {
		return 0, io.EOF
	}
	n := copy(dst, p.text[:min(p.size, len(p.text))])
	p.text = p.text[n:]
	return n, nil
}

// FuzzStreamIsReadTheSameHoweverItIsCut: the client reads whatever a server
// sends in the same way whether it comes at once or byte by byte, to the same
// end, and prints of entries what is in them.
func FuzzStreamIsReadTheSameHoweverItIsCut(f *testing.F) {
	for _, text := range []string{
		`{"type":"connected","head":"1-5"}` + "\n" + `{"id":"1-6","time":"t","source":"s","message":"m"}` + "\n" + `{"time":"t"}` + "\n",
		`{"type":"drop","count":5,"to":"1-9"}` + "\n\n" + `{"type":"gap","missed":18446744073709551615}` + "\n" + `{"type":"reset"}` + "\n",
		`{"type":"heartbeat","id":"1-7"}` + "\n" + `{"type":"disconnect","reason":"limit"}` + "\nmore\n", `{"type":"error","error":"token","code":401}` + "\n",
		`{"type":5}` + "\n", `{"type":` + "\n", `{"id":"` + "\n", `{"id":"x"}` + "\n", `{"id":"x",` + "\n", "torn", "\n\n\n", "\x00\xff\n",
	} {
		f.Add(text, uint8(0), false)
		f.Add(text, uint8(7), true)
	}
	f.Fuzz(func(t *testing.T, text string, size uint8, discard bool) {
		read := func(size int) (printed, last, end string) {
			var out, messages bytes.Buffer
			fol := &follower{
				tailCommand: &tailCommand{Follow: true}, format: asItCame{raw: true}, out: newScreen(&stdio{&out, &messages}),
				server: &address{scheme: "tcp", host: "localhost:9090"}, discard: discard,
			}
			lines := &lineReader{from: &pieces{text, size}}
			var err error
			for err == nil {
				var block []byte
				if block, err = lines.block(); err == nil {
					err = fol.take(block, func() {})
				}
				if flushed := fol.out.flush(); flushed != nil {
					t.Fatal(flushed)
				}
			}
			return out.String(), string(fol.lastID), err.Error()
		}
		printed, last, end := read(len(text) + 1)
		if p, l, e := read(int(size) + 1); p != printed || l != last || e != end {
			t.Errorf("%q: printed %q up to %q, ended with %s; in pieces of %d: %q up to %q, %s", text, printed, last, end, size+1, p, l, e)
		}
		for line := range strings.Lines(printed) {
			if strings.HasPrefix(line, controlPrefix) && !strings.Contains(text, `{"id":"`) {
				t.Errorf("%q: a control line is printed", text)
			}
			if !strings.Contains(text, strings.TrimPrefix(line, "{")) {
				t.Errorf("%q: %q is printed", text, line)
			}
		}
	})
}
