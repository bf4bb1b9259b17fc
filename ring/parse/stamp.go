package parse

import (
	"strings"
	"time"
)

// stampLen is the length of the shortest time stamp, 2006-01-02 15:04:05.
const stampLen = 19

// stamp is a time stamp read at the start of some text.
type stamp struct {
	micros int64 // microseconds since 1970 UTC; only when known
	n      int   // its length in bytes, 0 when there is none
	known  bool  // the instant is certain: its zone is understood
	finer  bool  // the text says more than micros
}

// dateStamp reads 2006-01-02T15:04:05 at the start of b, with T or a space, dashes
// or slashes, an optional fraction behind a point or a comma and an optional
// zone. Without a zone it is local.
func (p *Parser) dateStamp(b []byte) stamp {
	if len(b) < stampLen || b[4] != b[7] || b[4] != '-' && b[4] != '/' {
		return stamp{}
	}
	if b[10] != 'T' && b[10] != ' ' && b[10] != 't' {
		return stamp{}
	}
	century, year := twoDigits(b, 0), twoDigits(b, 2)
	days, ok := dayNumber(century*100+year, twoDigits(b, 5), twoDigits(b, 8))
	seconds := clock(b[11:stampLen])
	if century < 0 || year < 0 || !ok || seconds < 0 {
		return stamp{}
	}
	micros, finer, n := fraction(b, stampLen)
	s := p.withZone(b, n, days*secondsPerDay+seconds)
	s.micros += micros
	s.finer = finer || isLeapSecond(b[:stampLen])
	return s
}

// withZone completes a stamp whose local time in seconds since 1970 ends at
// b[n] with the zone that may follow there.
func (p *Parser) withZone(b []byte, n int, local int64) stamp {
	if offset, end := numericZone(b, n); end > n {
		return stamp{micros: (local - offset) * microsPerSecond, n: end, known: true}
	}
	if n < len(b) && (isDigit(b[n]) || isLetter(b[n]) || b[n] == '_') {
		return stamp{}
	}
	word := zoneName(b, n)
	if string(word) == "UTC" || string(word) == "GMT" {
		return stamp{micros: local * microsPerSecond, n: n + 1 + len(word), known: true}
	}
	offset, ours := p.zoneOf(local)
	s := stamp{micros: (local - offset) * microsPerSecond, n: n, known: true}
	if len(word) > 0 {
		// An abbreviation means many zones: only our own is certain.
		s.n, s.known = n+1+len(word), string(word) == ours
	}
	return s
}

// numericZone reads Z or an offset at b[n], with a space before it only where
// it cannot be anything else. It returns the offset in seconds east of UTC and
// the index behind it, n when there is none.
func numericZone(b []byte, n int) (offset int64, end int) {
	if n == len(b) {
		return 0, n
	}
	if b[n]|0x20 == 'z' {
		return 0, wordEnd(b, n, n+1)
	}
	i := n
	if b[i] == ' ' {
		i++
	}
	if i+3 > len(b) || b[i] != '+' && b[i] != '-' {
		return 0, n
	}
	hours, minutes := twoDigits(b, i+1), 0
	end = i + 3
	if end < len(b) && b[end] == ':' {
		end++
	}
	if m := twoDigits(b, end); m >= 0 {
		minutes = m
		end += 2
	} else if end = i + 3; i > n && (end+1 >= len(b) || b[end] != ' ' || b[end+1] != '[') {
		return 0, n // " -03" alone may be a number of the message
	}
	if hours < 0 || hours > 23 || minutes > 59 {
		return 0, n
	}
	offset = int64(hours*secondsPerHour + minutes*secondsPerMinute)
	if b[i] == '-' {
		offset = -offset
	}
	return offset, wordEnd(b, n, end)
}

// wordEnd returns end if no word goes on there, else n.
func wordEnd(b []byte, n, end int) int {
	if end < len(b) && (isDigit(b[end]) || isLetter(b[end])) {
		return n
	}
	return end
}

// zoneName returns the zone abbreviation behind the space at b[n], nil if there
// is none.
func zoneName(b []byte, n int) []byte {
	if n+1 < len(b) && b[n] == ' ' && isUpper(b[n+1]) {
		word := b[n+1:]
		return word[:zoneWord(word)]
	}
	return nil
}

// zoneWord returns the length of the zone abbreviation at the start of b, 0 if
// there is none.
func zoneWord(b []byte) int {
	n := 0
	for n < len(b) && n < 5 && isUpper(b[n]) {
		n++
	}
	if wordEnd(b, 0, n) == 0 {
		return 0
	}
	switch string(b[:n]) {
	case "UTC", "GMT", "WET", "WEST", "CET", "CEST", "EET", "EEST", "BST", "IST", "MSK", "TRT",
		"EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "AKST", "AKDT", "HST", "BRT", "ART",
		"JST", "KST", "HKT", "SGT", "PKT", "WIB", "AEST", "AEDT", "ACST", "ACDT", "AWST", "NZST", "NZDT",
		"SAST", "EAT", "CAT", "WAT":
		return n
	}
	return 0
}

// twoDigits returns the number the two digits at b[i] make, -1 if there are
// none.
func twoDigits(b []byte, i int) int {
	if i+2 > len(b) || !isDigit(b[i]) || !isDigit(b[i+1]) {
		return -1
	}
	return int(b[i]-'0')*10 + int(b[i+1]-'0')
}

// clock returns the seconds since midnight of 15:04:05, -1 if b is not such a
// time. A leap second counts as the first one of the next minute.
func clock(b []byte) int64 {
	hour, minute, second := twoDigits(b, 0), twoDigits(b, 3), twoDigits(b, 6)
	if uint(hour) > 23 || uint(minute) > 59 || uint(second) > 60 || b[2] != ':' || b[5] != ':' {
		return -1
	}
	return int64(hour*secondsPerHour + minute*secondsPerMinute + second)
}

// isLeapSecond reports whether a stamp that ends in its seconds names the 60th.
func isLeapSecond(b []byte) bool { return b[len(b)-2] == '6' }

// fraction reads the fraction of a second at b[i], if any. finer reports that
// it has digits other than zero beyond the microsecond.
func fraction(b []byte, i int) (micros int64, finer bool, end int) {
	if i+1 >= len(b) || b[i] != '.' && b[i] != ',' || !isDigit(b[i+1]) {
		return 0, false, i
	}
	unit := int64(100_000)
	for i++; i < len(b) && isDigit(b[i]); i++ {
		micros += int64(b[i]-'0') * unit
		finer = finer || unit == 0 && b[i] != '0'
		unit /= 10
	}
	return micros, finer, i
}

// monthOf returns the number of the month whose three letters are at b[i], 0
// if there is none.
func monthOf(b []byte, i int) int {
	const names = "JanFebMarAprMayJunJulAugSepOctNovDec"
	if i+3 > len(b) {
		return 0
	}
	if n := strings.Index(names, string(b[i:i+3])); n >= 0 && n%3 == 0 {
		return n/3 + 1
	}
	return 0
}

// monthStamp reads the local time of RFC 3164, Jan _2 15:04:05, at the start
// of b.
func (p *Parser) monthStamp(b []byte, nowMicros int64) stamp {
	const n = len("Jan _2 15:04:05")
	month := monthOf(b, 0)
	if month == 0 || len(b) < n || b[3] != ' ' || b[6] != ' ' {
		return stamp{}
	}
	day := twoDigits(b, 4)
	if b[4] == ' ' && isDigit(b[5]) {
		day = int(b[5] - '0')
	}
	return p.yearless(b, n, month, day, nowMicros)
}

// yearless completes a stamp without a year, whose clock ends at b[n] and may
// have a fraction: of the years it can be it takes the one nearest to now.
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
func clfStamp(b []byte) stamp {
	const clockAt, zoneAt, n = len("02/Jan/2006:"), len("02/Jan/2006:15:04:05"), len("02/Jan/2006:15:04:05 -0700")
	if len(b) < n || b[2] != '/' || b[6] != '/' || b[11] != ':' || b[zoneAt] != ' ' {
		return stamp{}
	}
	century, year := twoDigits(b, 7), twoDigits(b, 9)
	days, ok := dayNumber(century*100+year, monthOf(b, 3), twoDigits(b, 0))
	seconds := clock(b[clockAt:zoneAt])
	offset, end := numericZone(b, zoneAt)
	if century < 0 || year < 0 || !ok || seconds < 0 || end != n {
		return stamp{}
	}
	return stamp{micros: (days*secondsPerDay + seconds - offset) * microsPerSecond, n: n, known: true}
}
