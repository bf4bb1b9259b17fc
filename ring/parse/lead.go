package parse

import (
	"bytes"

	"logwisp/ring"
)

// klogLine parses a line that begins with the lead of klog or glog.
func (p *Parser) klogLine(line []byte, nowMicros int64, r *Result) bool {
	s, level := p.klogLead(line, nowMicros)
	if s.n == 0 {
		return false
	}
	r.Level = level
	r.setTime(s, nowMicros)
	return true
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

// letterLevel returns the level that a capital stands for in klog and in the
// lead of a Ruby logger.
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

// logrusLine parses a line that begins like those of logrus on a terminal: a
// level of four letters and, in brackets, a time or the seconds since the start.
func (p *Parser) logrusLine(line []byte, nowMicros int64, r *Result) bool {
	const open = len("INFO")
	if len(line) <= open || line[open] != '[' {
		return false
	}
	inside := line[open+1:]
	s := p.dateStamp(inside)
	end := s.n
	if end == 0 {
		end = digitsEnd(inside, 0)
	}
	if end < len("0000") || end == len(inside) || inside[end] != ']' {
		return false
	}
	level := logrusLevel(line[:open])
	if level == ring.LevelUnknown {
		return false
	}
	r.Level = level
	r.setTime(s, nowMicros)
	return true
}

// logrusLevel returns the level whose name logrus cuts to these four letters.
func logrusLevel(name []byte) ring.Level {
	switch string(name) {
	case "TRAC":
		return ring.LevelTrace
	case "DEBU":
		return ring.LevelDebug
	case "INFO":
		return ring.LevelInfo
	case "WARN":
		return ring.LevelWarn
	case "ERRO":
		return ring.LevelError
	case "FATA", "PANI":
		return ring.LevelFatal
	}
	return ring.LevelUnknown
}

// kitchenClock returns the index behind a time of day such as 3:04PM, with
// which zerolog begins its lines on a terminal, if a space follows; else 0.
func kitchenClock(line []byte) int {
	i := digitsEnd(line, 0)
	const rest = len(":04PM ")
	if i == 0 || i > 2 || len(line) < i+rest || line[i] != ':' {
		return 0
	}
	if minute := twoDigits(line, i+1); uint(minute) > 59 {
		return 0
	}
	if half := line[i+3]; half != 'A' && half != 'P' || line[i+4] != 'M' || line[i+5] != ' ' {
		return 0
	}
	return i + rest - 1
}

// epochStamp reads seconds since 1970 as zap writes them, 1.767323045e+09 and a
// tab.
func epochStamp(b []byte) stamp {
	const longest = len("1.7673230456789012e+09")
	n := bytes.IndexByte(b[:min(len(b), longest+1)], '\t')
	if n < 0 || !bytes.HasSuffix(b[:n], []byte("e+09")) {
		return stamp{}
	}
	micros, exact, ok := epoch(b[:n])
	if !ok {
		return stamp{}
	}
	return stamp{micros: micros, n: n, known: true, finer: !exact}
}
