package parse

import (
	"bytes"

	"logwisp/ring"
)

// textLine finds time and level at the start of a line whose message is the
// line itself.
func (p *Parser) textLine(line []byte, nowMicros int64, r *Result) {
	i := 0
	switch first := line[0]; {
	case first == '<':
		i, r.Level = syslogPriority(line)
	case isUpper(first):
		if s, level := p.klogLead(line, nowMicros); s.n > 0 {
			r.Level = level
			r.setTime(s, nowMicros)
			return
		}
		i = rubyLead(line)
	}
	if i < len(line) && line[i] == '[' {
		i++
	}
	s := p.leadingStamp(line[i:], nowMicros)
	switch {
	case s.n > 0:
		r.setTime(s, nowMicros)
		i += s.n
	case r.Level == ring.LevelUnknown:
		if s := p.accessStamp(line); s.n > 0 {
			r.setTime(s, nowMicros)
			return
		}
		i = 0 // what was skipped belongs to a stamp only
	}
	if r.Level == ring.LevelUnknown {
		r.Level = levelAt(line, i)
	}
}

// setTime makes a stamp the line's time if it may be one.
func (r *Result) setTime(s stamp, nowMicros int64) {
	if s.known && plausible(s.micros, nowMicros) {
		r.Micros, r.HasTime = s.micros, true
	}
}

// leadingStamp reads a time stamp of any kind that needs no context at the
// start of b.
func (p *Parser) leadingStamp(b []byte, nowMicros int64) stamp {
	switch {
	case len(b) < len("Jan _2 15:04:05"):
		return stamp{}
	case isUpper(b[0]):
		return p.monthStamp(b, nowMicros)
	case !isDigit(b[0]):
		return stamp{}
	case b[2] == '/':
		return p.clfStamp(b)
	}
	return p.dateStamp(b)
}

// syslogPriority reads the <PRI> at the start of a line that begins with the
// bracket, and the version of RFC 5424 behind it. It returns where the time stamp begins, 0 if there is no
// priority.
func syslogPriority(line []byte) (int, ring.Level) {
	i, n := 1, 0
	for ; i < len(line) && i < 4 && isDigit(line[i]); i++ {
		n = n*10 + int(line[i]-'0')
	}
	const facilities = 24
	if i == 1 || i == len(line) || line[i] != '>' || n >= facilities*8 {
		return 0, ring.LevelUnknown
	}
	i++
	if bytes.HasPrefix(line[i:], []byte("1 ")) {
		i += 2
	}
	level, _ := syslogLevel(n % 8)
	return i, level
}

// klogLead reads the lead of klog and glog, E0102 15:04:05.000000 or, with a
// year, E20060102 15:04:05.000000.
func (p *Parser) klogLead(line []byte, nowMicros int64) (stamp, ring.Level) {
	level := letterLevel(line[0])
	digits := digitsEnd(line, 1) - 1
	end := 1 + digits + len(" 15:04:05")
	if level == ring.LevelUnknown || digits != 4 && digits != 8 || len(line) < end || line[1+digits] != ' ' {
		return stamp{}, ring.LevelUnknown
	}
	month, day := twoDigits(line, digits-3), twoDigits(line, digits-1)
	if digits == 4 {
		return p.yearless(line, end, month, day, nowMicros), level
	}
	days, ok := dayNumber(twoDigits(line, 1)*100+twoDigits(line, 3), month, day)
	seconds := clock(line[end-8 : end])
	if !ok || seconds < 0 {
		return stamp{}, ring.LevelUnknown
	}
	micros, finer, n := fraction(line, end)
	local := days*secondsPerDay + seconds
	offset, _ := p.zoneOf(local)
	return stamp{micros: (local-offset)*microsPerSecond + micros, n: n, known: true, finer: finer}, level
}

func letterLevel(c byte) ring.Level {
	switch c {
	case 'D':
		return ring.LevelDebug
	case 'I':
		return ring.LevelInfo
	case 'W':
		return ring.LevelWarn
	case 'E':
		return ring.LevelError
	case 'F':
		return ring.LevelFatal
	}
	return ring.LevelUnknown
}

// rubyLead returns where the bracket of a Ruby logger's lead begins, as in
// E, [2006-01-02T15:04:05.000000 #1] ERROR -- : text; 0 if there is none.
func rubyLead(line []byte) int {
	if len(line) > 3 && (letterLevel(line[0]) != ring.LevelUnknown || line[0] == 'A') && string(line[1:4]) == ", [" {
		return 3
	}
	return 0
}

// accessWindow is how far into an access line its time may begin, in bytes.
const accessWindow = 256

// accessStamp finds the time of an access line in the common log format: in
// brackets behind host, identity and user, with a virtual host before them
// perhaps.
func (p *Parser) accessStamp(line []byte) stamp {
	i := bytes.IndexByte(line[:min(len(line), accessWindow)], '[')
	if i < 0 {
		return stamp{}
	}
	s := p.clfStamp(line[i+1:])
	end := i + 1 + s.n
	if s.n == 0 || end == len(line) || line[end] != ']' {
		return stamp{}
	}
	if words := singleSpaces(line[:i]); words != 3 && words != 4 {
		return stamp{}
	}
	return s
}

// singleSpaces returns the number of spaces in b, -1 when it begins with one or
// has two in a row.
func singleSpaces(b []byte) (n int) {
	before := byte(' ')
	for _, c := range b {
		if c == ' ' {
			if before == ' ' {
				return -1
			}
			n++
		}
		before = c
	}
	return n
}
