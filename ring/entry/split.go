package entry

import (
	"bytes"
	"unicode/utf8"
)

// Line is one line as the Splitter hands it over.
type Line struct {
	Text    []byte // without its line end; valid during the call only
	Cut     int64  // bytes cut off because the line is too long
	Partial bool   // the line had no newline
}

// Splitter cuts bytes that come in pieces, those of one file or connection,
// into lines. What it hands over does not depend on how the bytes were cut into
// calls of Feed.
//
// It holds at most limit+slack bytes, and no buffer at all between lines.
type Splitter struct {
	held    []byte // the beginning of a line whose end has not come
	dropped int64  // bytes of that line beyond held
	last    byte   // the last of the dropped bytes
	atStart bool   // the next line is the first there is
	left    int    // bytes of the Feed under way behind the line at hand
}

// slack is what is held beyond the limit, so that a byte order mark and a CR
// do not count, and a rune that crosses the limit can be seen whole.
const slack = 8

var byteOrderMark = []byte("\xef\xbb\xbf")

// Reset forgets what is held. atStart says that the next byte is the very
// first.
func (s *Splitter) Reset(atStart bool) { *s = Splitter{atStart: atStart} }

// Pending reports whether a fragment is held.
func (s *Splitter) Pending() bool { return len(s.held) > 0 || s.dropped > 0 }

// Left returns, while a line is handed over, how many bytes of the Feed under
// way follow its end.
func (s *Splitter) Left() int { return s.left }

// Memory returns the bytes of the buffer that is held.
func (s *Splitter) Memory() int { return cap(s.held) }

// Feed takes the next bytes and hands every line that ends in them to
// emit. Only new bytes are searched: a line that arrives byte by byte costs no
// more than one that arrives at once.
func (s *Splitter) Feed(data []byte, limit int, emit func(Line)) {
	for len(data) > 0 {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			s.Hold(data, limit)
			return
		}
		s.left = len(data) - i - 1
		switch {
		case s.Pending():
			s.Hold(data[:i], limit)
			s.End(false, limit, emit)
		case i > 0 && i <= limit && data[0] > ' ' && data[i-1] != '\r' && !s.atStart:
			emit(Line{Text: data[:i]}) // as whole would, with nothing to look for
		default:
			s.whole(data[:i], 0, 0, false, limit, emit)
		}
		data = data[i+1:]
	}
}

// Flush hands over the fragment that is held as a line of its own.
func (s *Splitter) Flush(limit int, emit func(Line)) {
	if s.left = 0; s.Pending() {
		s.End(true, limit, emit)
	}
}

// Hold keeps b, which belongs to the line under way, as far as the limit goes.
func (s *Splitter) Hold(b []byte, limit int) {
	if !s.Pending() {
		b = bytes.TrimLeft(b, "\x00")
	}
	if len(b) == 0 {
		return
	}
	room := max(0, min(limit+slack-len(s.held), len(b))) // the limit may have become less
	if need := len(s.held) + room; need > cap(s.held) {
		// Doubling, but never beyond what the limit can use.
		grown := make([]byte, len(s.held), min(max(2*cap(s.held), need), limit+slack))
		copy(grown, s.held)
		s.held = grown
	}
	s.held = append(s.held, b[:room]...)
	if room < len(b) {
		s.dropped += int64(len(b) - room)
		s.last = b[len(b)-1]
	}
}

// End hands over the held line and gives its memory back. Hold and End are for
// those who find the ends of lines themselves.
func (s *Splitter) End(partial bool, limit int, emit func(Line)) {
	text, dropped, last := s.held, s.dropped, s.last
	s.held, s.dropped, s.last = nil, 0, 0
	s.whole(text, dropped, last, partial, limit, emit)
}

// whole hands over one line: text, of which dropped more bytes followed, the
// last of them being last. Blank lines are left out.
func (s *Splitter) whole(text []byte, dropped int64, last byte, partial bool, limit int, emit func(Line)) {
	text = bytes.TrimLeft(text, "\x00")
	if s.atStart {
		text = bytes.TrimPrefix(text, byteOrderMark)
	}
	s.atStart = false
	switch {
	case dropped > 0 && last == '\r':
		dropped--
	case dropped == 0 && len(text) > 0 && text[len(text)-1] == '\r':
		text = text[:len(text)-1]
	}
	if total := int64(len(text)) + dropped; total > int64(limit) {
		text = text[:runeEnd(text, limit)]
		dropped = total - int64(len(text))
	}
	if dropped == 0 && Blank(text) {
		return
	}
	emit(Line{Text: text, Cut: dropped, Partial: partial})
}

// Cut returns what of a line is within a limit in bytes, ended as a Splitter does.
func Cut(line []byte, limit int) []byte { return line[:runeEnd(line, limit)] }

// runeEnd returns the largest length up to limit at which b can be cut without
// splitting a rune.
func runeEnd(b []byte, limit int) int {
	if len(b) <= limit {
		return len(b)
	}
	for n := limit; n > 0 && n > limit-utf8.UTFMax; n-- {
		if utf8.RuneStart(b[n]) {
			if r, size := utf8.DecodeRune(b[n:]); r != utf8.RuneError && n+size > limit {
				return n
			}
			return limit
		}
	}
	return limit
}

// Blank reports whether b is white space or empty.
func Blank(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\t' && c != '\r' && c != '\v' && c != '\f' {
			return false
		}
	}
	return true
}
