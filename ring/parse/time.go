package parse

import (
	"math/bits"
	"time"
)

// timeValue reads the value of a time key: a time stamp that takes all of it,
// or an epoch number. exact is false when the value says more than micros.
func (p *Parser) timeValue(value []byte) (micros int64, exact, ok bool) {
	if len(value) >= stampLen && (value[4] == '-' || value[4] == '/') {
		s := p.dateStamp(value)
		return s.micros, !s.finer, s.known && s.n == len(value)
	}
	return epoch(value)
}

// epoch reads a JSON number as a time since 1970 in seconds, milliseconds,
// microseconds or nanoseconds, told apart by magnitude, without going through
// a float: it is exact to the microsecond. exact is false when digits beyond
// that are lost.
func epoch(value []byte) (micros int64, exact, ok bool) {
	mantissa, exp, cut, ok := decimal(value)
	if !ok || mantissa == 0 {
		return 0, false, false
	}
	digits := decimalDigits(mantissa) + exp // of the integer part
	switch {
	case digits < 9 || digits > 19:
		return 0, false, false
	case digits < 12: // seconds
		exp += 6
	case digits < 15: // milliseconds
		exp += 3
	case digits > 17: // nanoseconds
		exp -= 3
	}
	// The result has 9 to 18 digits, so neither loop runs long or overflows.
	for ; exp > 0; exp-- {
		mantissa *= 10
	}
	for ; exp < 0; exp++ {
		cut = cut || mantissa%10 != 0
		mantissa /= 10
	}
	return int64(mantissa), !cut, true
}

// decimal reads a JSON number that is not negative as mantissa * 10^exp. cut
// reports that digits other than zero beyond the nineteenth were left out.
func decimal(b []byte) (mantissa uint64, exp int, cut, ok bool) {
	if len(b) == 0 || !isDigit(b[0]) || numberEnd(b, 0) != len(b) {
		return 0, 0, false, false
	}
	const full = 1e18 // one more digit still fits
	fraction := 0
	for i, c := range b {
		switch {
		case c == '.':
			fraction = 1
		case !isDigit(c):
			e, ok := exponent(b[i+1:])
			return mantissa, exp + e, cut, ok
		case mantissa < full:
			mantissa = mantissa*10 + uint64(c-'0')
			exp -= fraction
		default:
			cut = cut || c != '0'
			exp += 1 - fraction
		}
	}
	return mantissa, exp, cut, true
}

// exponent reads the digits behind the e of a valid JSON number; more than two
// are no time.
func exponent(b []byte) (e int, ok bool) {
	negative := b[0] == '-'
	if !isDigit(b[0]) {
		b = b[1:]
	}
	if len(b) > 2 {
		return 0, false
	}
	for _, c := range b {
		e = e*10 + int(c-'0')
	}
	if negative {
		e = -e
	}
	return e, true
}

// decimalDigits returns the number of decimal digits of n, which is not 0.
func decimalDigits(n uint64) int {
	d := bits.Len64(n) * 1233 >> 12 // the digits, or one less
	if d < 20 && n >= powersOf10[d] {
		d++
	}
	return d
}

var powersOf10 = func() (p [20]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

const (
	secondsPerMinute = 60
	secondsPerHour   = 3600
	secondsPerDay    = 86400
	microsPerSecond  = 1e6
)

// localMinute remembers the zone of one local minute: the lines of a log come
// in the order of time, and asking the zone's table costs more than the rest.
type localMinute struct {
	valid    bool
	location *time.Location // as in Parser.Location; only compared
	minute   int64          // local seconds since 1970 / 60
	offset   int64          // seconds east of UTC
	name     string         // the zone's abbreviation
}

// zoneOf returns the offset and the abbreviation of the Parser's zone at a
// local time given in seconds since 1970. Of an hour that comes twice it is
// the one time.Date chooses.
func (p *Parser) zoneOf(local int64) (offset int64, name string) {
	minute := local / secondsPerMinute
	if p.local.valid && p.local.minute == minute && p.local.location == p.Location {
		return p.local.offset, p.local.name
	}
	location := p.Location
	if location == nil {
		location = time.Local
	}
	t := time.Date(1970, time.January, 1, 0, 0, int(minute*secondsPerMinute), 0, location)
	name, seconds := t.Zone()
	p.local = localMinute{true, p.Location, minute, int64(seconds), name}
	return p.local.offset, name
}

// dayNumber returns the days from 1970-01-01 to a date of the Gregorian
// calendar; ok is false for a date it does not have. year is 0 to 9999.
func dayNumber(year, month, day int) (days int64, ok bool) {
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	// The year is taken to begin in March, so that the leap day is its last.
	if month -= 3; month < 0 {
		month += 12
		year--
	}
	// Year 0 begins, in this count, one year late: shift by a whole cycle.
	year += 400
	of := (153*month+2)/5 + day - 1
	return int64(year*365+year/4-year/100+year/400+of) - 719468 - 146097, true
}

var monthDays = [13]uint8{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func daysIn(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return int(monthDays[month])
}
