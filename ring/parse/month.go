package parse

import "time"

// monthOf returns the number of the month whose three letters are at b[i], 0
// if there is none.
func monthOf(b []byte, i int) int {
	if i+3 > len(b) {
		return 0
	}
	switch string(b[i : i+3]) {
	case "Jan":
		return 1
	case "Feb":
		return 2
	case "Mar":
		return 3
	case "Apr":
		return 4
	case "May":
		return 5
	case "Jun":
		return 6
	case "Jul":
		return 7
	case "Aug":
		return 8
	case "Sep":
		return 9
	case "Oct":
		return 10
	case "Nov":
		return 11
	case "Dec":
		return 12
	}
	return 0
}

// monthStamp reads the local time of RFC 3164, Jan _2 15:04:05, at the start
// of b.
func (p *Parser) monthStamp(b []byte, nowMicros int64) stamp {
	const n = len("Jan _2 15:04:05")
	if len(b) < n || b[3] != ' ' || b[6] != ' ' {
		return stamp{}
	}
	month := monthOf(b, 0)
	if month == 0 {
		return stamp{}
	}
	day := twoDigits(b, 4)
	if b[4] == ' ' && isDigit(b[5]) {
		day = int(b[5] - '0')
	}
	return p.yearless(b, n, month, day, nowMicros)
}

// yearless completes a stamp without a year, whose clock ends at b[n] and may
// have a fraction: of the years it can be it takes the one nearest to now, of those
// that a line may carry, wherever it is from.
func (p *Parser) yearless(b []byte, n, month, day int, nowMicros int64) stamp {
	seconds := clock(b[n-8 : n])
	if seconds < 0 {
		return stamp{}
	}
	now := nowMicros / microsPerSecond
	year := time.Unix(now, 0).UTC().Year()
	var local int64
	best := int64(-1)
	for y := max(year-1, 0); y <= year+1; y++ {
		days, ok := dayNumber(y, month, day)
		if !ok {
			continue
		}
		at := days*secondsPerDay + seconds
		if at > now+secondsPerDay+14*secondsPerHour { // see plausible
			continue
		}
		if d := max(at-now, now-at); best < 0 || d < best {
			local, best = at, d
		}
	}
	micros, finer, n := fraction(b, n)
	if best < 0 || n < len(b) && (isDigit(b[n]) || isLetter(b[n])) {
		return stamp{}
	}
	offset, _ := p.zoneOf(local)
	return stamp{micros: (local-offset)*microsPerSecond + micros, n: n, known: true, finer: finer}
}

// clfStamp reads the time of the common log format, 02/Jan/2006:15:04:05
// -0700, at the start of b.
func (p *Parser) clfStamp(b []byte) stamp {
	const dayLen, clockAt, zoneAt, n = len("02/Jan/2006"), len("02/Jan/2006:"), len("02/Jan/2006:15:04:05"), len("02/Jan/2006:15:04:05 -0700")
	if len(b) < n || b[2] != '/' || b[dayLen] != ':' || b[zoneAt] != ' ' {
		return stamp{}
	}
	days, ok := p.clfDayOf(b)
	seconds := clock(b[clockAt:zoneAt])
	offset, end := numericZone(b, zoneAt)
	if !ok || seconds < 0 || end != n {
		return stamp{}
	}
	return stamp{micros: (days*secondsPerDay + seconds - offset) * microsPerSecond, n: n, known: true}
}

// lastDay remembers the text of a day, 02/Jan/2006, as two words that overlap.
type lastDay struct {
	head, tail uint64
	days       int64 // since 1970
}

// clfDayOf returns the day, counted from 1970, that the first 11 bytes say.
func (p *Parser) clfDayOf(b []byte) (days int64, ok bool) {
	head, tail := load(b, 0), load(b, 3)
	if p.clfDay.head == head && p.clfDay.tail == tail {
		return p.clfDay.days, true
	}
	century, year := twoDigits(b, 7), twoDigits(b, 9)
	if days, ok = dayNumber(century*100+year, monthOf(b, 3), twoDigits(b, 0)); !ok {
		return 0, false
	}
	if century < 0 || year < 0 || b[2] != '/' || b[6] != '/' {
		return 0, false
	}
	p.clfDay = lastDay{head, tail, days}
	return days, true
}

// weekdayStamp reads the local time of ctime and of Apache's error log,
// Mon Jan _2 15:04:05 2006 with an optional fraction, at the start of b.
func (p *Parser) weekdayStamp(b []byte) stamp {
	const clockAt, n = len("Mon Jan _2 "), len("Mon Jan _2 15:04:05")
	if len(b) < n+len(" 2006") || b[3] != ' ' || b[7] != ' ' || b[10] != ' ' || !isWeekday(b[:3]) {
		return stamp{}
	}
	day := twoDigits(b, 8)
	if b[8] == ' ' && isDigit(b[9]) {
		day = int(b[9] - '0')
	}
	seconds := clock(b[clockAt:n])
	micros, finer, end := fraction(b, n)
	if seconds < 0 || end == len(b) || b[end] != ' ' {
		return stamp{}
	}
	century, year := twoDigits(b, end+1), twoDigits(b, end+3)
	days, ok := dayNumber(century*100+year, monthOf(b, 4), day)
	end += len(" 2006")
	if century < 0 || year < 0 || !ok || wordEnd(b, 0, end) == 0 {
		return stamp{}
	}
	local := days*secondsPerDay + seconds
	offset, _ := p.zoneOf(local)
	return stamp{micros: (local-offset)*microsPerSecond + micros, n: end, known: true, finer: finer}
}

func isWeekday(name []byte) bool {
	switch string(name) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return true
	}
	return false
}
