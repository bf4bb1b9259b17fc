package bench

import (
	"bytes"
	"strconv"

	"logwisp/ring/parse"
	"logwisp/ring/record"
)

// Lines of the end-to-end benchmark are numbered, and the number of a line is
// also the seq of its entry. Numbers start high enough to have the same number
// of digits for ever: so all lines, entries and events are equally long, what
// each client must receive is known byte by byte, and making it costs little.
const (
	firstNumber = 100_000_000_000
	digits      = 12
	epoch       = 1

	// blockLines is how many lines are written and checked at once.
	blockLines = 512
)

// stencil makes blocks of equally long texts that differ in their numbers only.
type stencil struct {
	block  []byte // blockLines copies of one text
	width  int    // of one text in bytes
	places []int  // where in a text its number stands
}

// newStencil takes the text that stands for firstNumber.
func newStencil(text []byte) *stencil {
	s := &stencil{block: bytes.Repeat(text, blockLines), width: len(text)}
	number := strconv.AppendInt(nil, firstNumber, 10)
	for at := 0; ; {
		i := bytes.Index(text[at:], number)
		if i < 0 {
			return s
		}
		s.places = append(s.places, at+i)
		at += i + digits
	}
}

// fill puts the block that begins with line n, counted from 0, into dst, which
// is as long as s.block.
func (s *stencil) fill(dst []byte, n uint64) {
	copy(dst, s.block)
	for i := range blockLines {
		text := dst[i*s.width : (i+1)*s.width]
		number := firstNumber + n + uint64(i)
		for _, at := range s.places {
			rest := number
			for d := digits - 1; d >= 0; d-- {
				text[at+d] = byte('0' + rest%10)
				rest /= 10
			}
		}
	}
}

// fileLine is the line of the file that has firstNumber.
var fileLine = []byte("2026-01-01T00:00:00.000000Z INFO  [worker-7] request " +
	strconv.Itoa(firstNumber) + " served: GET /api/v1/items, status 200, 5120 bytes\n")

// wireText returns what a client of kind tcp or sse receives for fileLine in a
// file called app.log.
func wireText(kind string) []byte {
	var p parse.Parser
	var r parse.Result
	// The line's own year tells its time: the present is of no importance.
	p.Line(bytes.TrimSuffix(fileLine, []byte("\n")), entryMicros, &r)
	entry := new(record.Encoder).Append(nil, &record.Entry{
		Micros: r.Micros, Source: "app.log", Level: r.Level,
		Message: r.Message, Quoted: r.Quoted, Fields: r.Fields,
	})
	if kind == "tcp" {
		return entry
	}
	event := append(record.AppendID([]byte("id: "), epoch, firstNumber), "\ndata: "...)
	return append(append(event, entry...), '\n')
}
