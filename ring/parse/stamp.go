package parse

import "math/bits"

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
	if len(b) < stampLen || b[13] != ':' || b[16] != ':' {
		return stamp{}
	}
	second := twoDigits(b, 17)
	local, ok := p.minuteOf(b)
	if !ok || uint(second) > 60 {
		return stamp{}
	}
	micros, finer, n := fraction(b, stampLen)
	s := p.withZone(b, n, local+int64(second))
	s.micros += micros
	s.finer = finer || isLeapSecond(b[:stampLen])
	return s
}

// lastMinute remembers the text of a minute, 2006-01-02T15:04, as two words,
// and what it means: the lines of a log come in the order of time.
type lastMinute struct {
	date, clock uint64
	local       int64 // seconds since 1970
}

// minuteOf returns the local time in seconds since 1970 that the first 16 of at
// least stampLen bytes say, the colon among them being known to be there.
func (p *Parser) minuteOf(b []byte) (local int64, ok bool) {
	date, clock := load(b, 0), load(b, wordLen)
	if p.minute.date == date && p.minute.clock == clock {
		return p.minute.local, true
	}
	if b[4] != b[7] || b[4] != '-' && b[4] != '/' || b[10] != 'T' && b[10] != ' ' && b[10] != 't' {
		return 0, false
	}
	century, year := twoDigits(b, 0), twoDigits(b, 2)
	days, ok := dayNumber(century*100+year, twoDigits(b, 5), twoDigits(b, 8))
	hour, minute := twoDigits(b, 11), twoDigits(b, 14)
	if century < 0 || year < 0 || !ok || uint(hour) > 23 || uint(minute) > 59 {
		return 0, false
	}
	local = days*secondsPerDay + int64(hour*secondsPerHour+minute*secondsPerMinute)
	p.minute = lastMinute{date, clock, local}
	return local, true
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
		if at := n + 1 + len(word); at+1 < len(b) && (b[at] == '+' || b[at] == '-') && isDigit(b[at+1]) {
			return withOffset(b, at, local)
		}
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

// withOffset completes a stamp with what is added to UTC or GMT in the sign and
// digits at b[i], as in GMT+01:00. An hour of one digit is not known.
func withOffset(b []byte, i int, local int64) stamp {
	if offset, end := numericZone(b, i); end > i {
		return stamp{micros: (local - offset) * microsPerSecond, n: end, known: true}
	}
	for i++; i < len(b) && (isDigit(b[i]) || b[i] == ':'); {
		i++
	}
	return stamp{micros: local * microsPerSecond, n: i}
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
	if i > n && (offset < -12*secondsPerHour || offset > 14*secondsPerHour) {
		return 0, n // no place has it: " -1500" is a number of the message
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
	i++
	if micros, ok := sixDigits(b, i); ok {
		return micros, false, i + 6
	}
	first := i
	for ; i < len(b) && i < first+6 && isDigit(b[i]); i++ {
		micros = micros*10 + int64(b[i]-'0')
	}
	micros *= fractionUnit[i-first]
	for ; i < len(b) && isDigit(b[i]); i++ {
		finer = finer || b[i] != '0'
	}
	return micros, finer, i
}

// sixDigits returns the number that six digits at b[i], and no more, make. It
// may say no at the end of b.
func sixDigits(b []byte, i int) (n int64, ok bool) {
	if i+wordLen > len(b) {
		return 0, false
	}
	d := load(b, i) ^ '0'*ones
	if bits.TrailingZeros64(notDigits(d))>>3 != 6 {
		return 0, false
	}
	d = d * (1 + 10<<8) >> 8 // pairs, in every other byte from the lowest
	return int64(d&0xff)*10_000 + int64(d>>16&0xff)*100 + int64(d>>32&0xff), true
}

// fractionUnit is the value in microseconds of the last of so many digits.
var fractionUnit = [7]int64{1: 100_000, 10_000, 1_000, 100, 10, 1}
