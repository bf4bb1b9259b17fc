package ingest

import (
	"bytes"

	"logwisp/ring/entry"
)

// framer cuts what comes on a stream into lines or messages.
type framer interface {
	// Feed hands those that end in data, which follows what came before, to emit.
	Feed(data []byte, limit int, emit func(entry.Line))
	// Flush hands over the fragment that is held.
	Flush(limit int, emit func(entry.Line))
	// Memory returns the bytes that are held.
	Memory() int
}

// frames is the framer of syslog over TCP, RFC 6587. Each message either says
// how long it is, `123 <14>…`, or ends with a newline; senders differ, some from
// message to message.
type frames struct {
	lines  entry.Splitter
	inLine bool          // the message under way ends with a newline
	left   int           // bytes to come of one that has said its length
	lead   [maxLead]byte // of one that has not shown which it is
	led    int           // bytes in lead
}

const (
	maxCountDigits = 8
	maxLead        = maxCountDigits + len(" <")
	maxCounted     = 64 << 20 // a longer message is not believed
)

func (f *frames) Memory() int { return f.lines.Memory() }

func (f *frames) Feed(data []byte, limit int, emit func(entry.Line)) {
	for len(data) > 0 {
		switch {
		case f.left > 0:
			data = f.counted(data, limit, emit)
		case f.inLine:
			data = f.line(data, limit, emit)
		case f.led == 0 && data[0]-'1' > 8: // no digit but 0: it says no length
			if c := data[0]; c == '\n' || c == '\r' || c == 0 {
				data = data[1:] // some end a counted message with one more
				continue
			}
			f.inLine = true
		default:
			data = f.begin(data, limit, emit)
		}
	}
}

// begin looks at one more byte of a message that began with a digit.
func (f *frames) begin(data []byte, limit int, emit func(entry.Line)) []byte {
	c := data[0]
	f.lead[f.led] = c
	f.led++
	lead := f.lead[:f.led]
	space := bytes.IndexByte(lead, ' ')
	switch {
	case space < 0 && c-'0' < 10 && f.led <= maxCountDigits, c == ' ' && space == f.led-1:
		return data[1:] // not clear yet
	case space > 0 && c == '<':
		count := 0
		for _, digit := range lead[:space] {
			count = count*10 + int(digit-'0')
		}
		if count <= maxCounted {
			f.led, f.left = 0, count
			return data // the bracket is the message's first
		}
	}
	f.led, f.inLine = 0, true
	f.lines.Feed(lead[:len(lead)-1], limit, emit)
	return data
}

// counted takes bytes of a message that has said its length.
func (f *frames) counted(data []byte, limit int, emit func(entry.Line)) []byte {
	n := min(f.left, len(data))
	if f.left -= n; f.left == 0 && !f.lines.Pending() && n <= limit {
		emit(entry.Line{Text: trimEnd(data[:n])})
		return data[n:]
	}
	f.lines.Hold(data[:n], limit)
	if f.left == 0 {
		f.lines.End(false, limit, func(l entry.Line) {
			l.Text = trimEnd(l.Text)
			emit(l)
		})
	}
	return data[n:]
}

// line takes bytes of a message that ends with a newline.
func (f *frames) line(data []byte, limit int, emit func(entry.Line)) []byte {
	n := bytes.IndexByte(data, '\n') + 1
	if n == 0 {
		n = len(data)
	} else {
		f.inLine = false
	}
	f.lines.Feed(data[:n], limit, emit)
	return data[n:]
}

// Flush leaves the message under way, so that what comes of it later is taken
// for that.
func (f *frames) Flush(limit int, emit func(entry.Line)) {
	if f.led > 0 {
		f.lines.Hold(f.lead[:f.led], limit)
		f.led, f.inLine = 0, true
	}
	f.lines.Flush(limit, emit)
}

// trimEnd takes off the line end that some senders count.
func trimEnd(text []byte) []byte { return bytes.TrimRight(text, "\r\n\x00") }
