package parse

import (
	"bytes"
	"math/bits"
	"unicode/utf8"
)

// CRI is what a container runtime wrote about one piece of a container's
// output. Its slices point into the line or, from ParseDocker, into the Parser.
type CRI struct {
	Micros  int64  // when the runtime read it, microseconds since 1970 UTC; the present where that is absurd
	Stream  []byte // stdout or stderr
	Partial bool   // the output's line goes on in the next piece of the stream
	Text    []byte // the piece, without its line end; it may be any bytes
	Attrs   []byte // nil, or the JSON object in which Docker puts labels and variables
}

// ParseCRI takes a line of a Kubernetes container log apart, as in
//
//	2006-01-02T15:04:05.999999999Z stdout F text
//
// It reports false for any other line. The time has a zone, the stream is
// stdout or stderr, and the first tag, of those that colons separate, is F for
// a full line or P for a partial one. An empty text may lack the space before
// it.
func ParseCRI(line []byte, nowMicros int64) (CRI, bool) {
	s := zonedStamp(line)
	if s.n == 0 || s.n == len(line) || line[s.n] != ' ' {
		return CRI{}, false
	}
	stream, rest, ok := bytes.Cut(line[s.n+1:], []byte(" "))
	if !ok || !isStream(stream) {
		return CRI{}, false
	}
	tags, text, _ := bytes.Cut(rest, []byte(" "))
	if len(tags) == 0 || tags[0] != 'F' && tags[0] != 'P' || len(tags) > 1 && tags[1] != ':' {
		return CRI{}, false
	}
	return CRI{Micros: orNow(s.micros, nowMicros), Stream: stream, Partial: tags[0] == 'P', Text: text}, true
}

// zonedStamp reads 2006-01-02T15:04:05 with an optional fraction and a zone as
// a number at the start of b. It needs no Parser.
func zonedStamp(b []byte) stamp {
	if len(b) <= stampLen || b[4] != '-' || b[7] != '-' || b[10] != 'T' {
		return stamp{}
	}
	century, year := twoDigits(b, 0), twoDigits(b, 2)
	days, ok := dayNumber(century*100+year, twoDigits(b, 5), twoDigits(b, 8))
	seconds := clock(b[11:stampLen])
	if century < 0 || year < 0 || !ok || seconds < 0 {
		return stamp{}
	}
	micros, finer, n := fraction(b, stampLen)
	if n == len(b) || b[n] == ' ' {
		return stamp{}
	}
	offset, end := numericZone(b, n)
	if end == n {
		return stamp{}
	}
	micros += (days*secondsPerDay + seconds - offset) * microsPerSecond
	return stamp{micros: micros, n: end, known: true, finer: finer}
}

// orNow returns a time, or the present if no line may carry that time.
func orNow(micros, nowMicros int64) int64 {
	if !plausible(micros, nowMicros) {
		return nowMicros
	}
	return micros
}

func isStream(name []byte) bool {
	return string(name) == "stdout" || string(name) == "stderr"
}

// ParseDocker takes a line of Docker's json-file apart, as in
//
//	{"log":"text\n","stream":"stdout","time":"2006-01-02T15:04:05.999999999Z"}
//
// It reports false for any other line, such as one with a further member that
// is not attrs. A log without a newline at its end is partial. The result is
// valid until the next call of ParseDocker; the Text may be given to Line of
// the same Parser.
func (p *Parser) ParseDocker(line []byte, nowMicros int64) (CRI, bool) {
	if len(line) == 0 || line[0] != '{' {
		return CRI{}, false
	}
	if p.docker == nil {
		p.docker = &Parser{}
	}
	return p.docker.dockerLine(line, nowMicros)
}

// dockerLine is ParseDocker, for a Parser that does nothing else: the keys of
// the lines before are then those of Docker.
func (p *Parser) dockerLine(line []byte, nowMicros int64) (c CRI, ok bool) {
	p.releaseLarge(len(line))
	end, members := p.scanObject(line, 0)
	const needed = uint32(1<<keyLog | 1<<keyStream | 1<<keyTime)
	if end != len(line) || members != bits.OnesCount32(p.seen) || p.seen&^(1<<keyAttrs) != needed {
		return CRI{}, false
	}
	if p.seen != needed {
		m := p.found[keyAttrs]
		if line[m.value] != '{' || p.traits&tops != 0 && !utf8.Valid(line[m.value:m.end]) {
			return CRI{}, false
		}
		c.Attrs = p.oneLine(line[m.value:m.end])
	}
	log, isText := p.foundString(line, keyLog)
	c.Stream, _ = p.foundString(line, keyStream)
	at, _ := p.foundString(line, keyTime)
	s := zonedStamp(at)
	if !isText || !isStream(c.Stream) || s.n == 0 || s.n != len(at) {
		return CRI{}, false
	}
	c.Micros = orNow(s.micros, nowMicros)
	c.Text, c.Partial = p.dockerText(log)
	return c, true
}

// foundString returns the inside of the string that is the value of a known
// key.
func (p *Parser) foundString(line []byte, k key) (inside []byte, ok bool) {
	m := p.found[k]
	if line[m.value] != '"' {
		return nil, false
	}
	return line[m.value+1 : m.end-1], true
}

// dockerText returns the text of a log and whether it is partial: in the line
// if nothing but its end is escaped, else in p.text.
func (p *Parser) dockerText(log []byte) (text []byte, partial bool) {
	plain, ended := bytes.CutSuffix(log, []byte(`\n`))
	if bytes.IndexByte(plain, '\\') < 0 {
		return plain, !ended
	}
	p.text = appendUnescaped(p.text[:0], log)
	text, ended = bytes.CutSuffix(p.text, []byte("\n"))
	if ended {
		text = bytes.TrimSuffix(text, []byte("\r"))
	}
	return text, !ended
}
