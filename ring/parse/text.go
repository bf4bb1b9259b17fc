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
		if p.klogLine(line, nowMicros, r) || p.logrusLine(line, nowMicros, r) {
			return
		}
		i = rubyLead(line)
	case first == '[':
		if p.apacheErrorLine(line, nowMicros, r) {
			return
		}
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
		if p.accessLine(line, nowMicros, r) {
			return
		}
		i = kitchenClock(line) // what was skipped belongs to a stamp only
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
	case isUpper(b[0]) && b[7] == ' ':
		return p.weekdayStamp(b)
	case isUpper(b[0]):
		return p.monthStamp(b, nowMicros)
	case !isDigit(b[0]):
		return stamp{}
	case b[2] == '/':
		return p.clfStamp(b)
	case b[1] == '.':
		return epochStamp(b)
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

// rubyLead returns where the bracket of a Ruby logger's lead begins, as in
// E, [2006-01-02T15:04:05.000000 #1] ERROR -- : text; 0 if there is none.
func rubyLead(line []byte) int {
	if len(line) > 3 && (letterLevel(line[0]) != ring.LevelUnknown || line[0] == 'A') && string(line[1:4]) == ", [" {
		return 3
	}
	return 0
}
