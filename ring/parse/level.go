package parse

import (
	"bytes"

	"logwisp/ring"
)

// longestLevel is the length of the longest word levelWord knows.
const longestLevel = len("informational")

// beginsLevel says which letters a word that levelWord knows can begin with.
// Most words of most lines end here.
var beginsLevel = func() (set [256]bool) {
	for _, c := range []byte("tdiwefnscap") {
		set[c], set[c-'a'+'A'] = true, true
	}
	return set
}()

// levelWord returns the level a word names in any case, LevelUnknown for any
// other word. exact is false when the word says more than the level.
func levelWord(word []byte) (level ring.Level, exact bool) {
	if len(word) < 3 || len(word) > longestLevel || !beginsLevel[word[0]] {
		return ring.LevelUnknown, false
	}
	var lower [longestLevel]byte
	for i, c := range word {
		if !isLetter(c) {
			return ring.LevelUnknown, false
		}
		lower[i] = c | 0x20
	}
	switch string(lower[:len(word)]) {
	case "trace", "trc", "trce":
		return ring.LevelTrace, true
	case "debug", "dbg", "dbug":
		return ring.LevelDebug, true
	case "info", "inf", "information", "informational":
		return ring.LevelInfo, true
	case "warn", "warning", "wrn":
		return ring.LevelWarn, true
	case "error", "err", "eror":
		return ring.LevelError, true
	case "fatal", "ftl":
		return ring.LevelFatal, true
	case "notice":
		return ring.LevelInfo, false
	case "severe", "fail":
		return ring.LevelError, false
	case "critical", "crit", "alert", "emerg", "emergency", "panic", "dpanic":
		return ring.LevelFatal, false
	}
	return ring.LevelUnknown, false
}

// levelValue returns the level a level key's value stands for: a word, or a
// number, whose scale depends on the key. LevelUnknown when it is neither;
// exact is false when the value says more than the level.
func levelValue(k key, value []byte) (level ring.Level, exact bool) {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return ring.LevelUnknown, false
	}
	if !isDigit(value[0]) {
		if isDigit(value[len(value)-1]) {
			return slogLevel(value)
		}
		return levelWord(value)
	}
	if len(value) > 2 || !isDigit(value[len(value)-1]) {
		return ring.LevelUnknown, false
	}
	n := int(value[0] - '0')
	if len(value) == 2 {
		n = n*10 + int(value[1]-'0')
	}
	switch k {
	case keyLevel, keyLvl:
		return pinoLevel(n)
	case keySeverity, keyPriority:
		return syslogLevel(n)
	case keySeverityNumber:
		return otelLevel(n)
	}
	return ring.LevelUnknown, false
}

// lastLevel remembers what the value of a level key meant: a log has few
// levels, and most lines that of the line before.
type lastLevel struct {
	word  uint64 // the value, with its quotes
	key   key
	level ring.Level
	exact bool
}

// levelOf is levelValue for a value that stands in the line, with its quotes
// or without.
func (p *Parser) levelOf(line []byte, k key, m member) (level ring.Level, exact bool) {
	n := m.end - m.value
	if n > wordLen || m.value+wordLen > len(line) {
		return levelValue(k, unquoted(line[m.value:m.end]))
	}
	w := load(line, m.value) & (1<<(8*n) - 1)
	if last := &p.level; last.word != w || last.key != k {
		level, exact = levelValue(k, unquoted(line[m.value:m.end]))
		p.level = lastLevel{w, k, level, exact}
	}
	return p.level.level, p.level.exact
}

// slogLevel maps the name of a level between those of slog: the one below and
// the distance from it, as in WARN+2 or DEBUG-4.
func slogLevel(value []byte) (level ring.Level, exact bool) {
	sign := bytes.LastIndexAny(value, "+-")
	if sign < 0 || len(value)-sign > len("+99") || digitsEnd(value, sign+1) != len(value) {
		return ring.LevelUnknown, false
	}
	n := 0
	for _, c := range value[sign+1:] {
		n = n*10 + int(c-'0')
	}
	if value[sign] == '-' {
		n = -n
	}
	switch string(value[:sign]) {
	case "DEBUG":
		n -= 4
	case "INFO":
	case "WARN":
		n += 4
	case "ERROR":
		n += 8
	default:
		return ring.LevelUnknown, false
	}
	switch {
	case n < -4:
		return ring.LevelTrace, false
	case n >= 12:
		return ring.LevelFatal, false
	}
	return ring.LevelTrace + ring.Level((n+8)/4), false
}

// pinoLevel maps the numbers of pino and bunyan, 10 to 60 in steps of ten; one
// in between counts as the step below.
func pinoLevel(n int) (level ring.Level, exact bool) {
	if n < 10 || n > 60 {
		return ring.LevelUnknown, false
	}
	return ring.LevelTrace + ring.Level(n/10-1), n%10 == 0
}

// syslogLevel maps a syslog severity, 0 to 7.
func syslogLevel(n int) (level ring.Level, exact bool) {
	switch n {
	case 0, 1, 2:
		return ring.LevelFatal, false
	case 3:
		return ring.LevelError, true
	case 4:
		return ring.LevelWarn, true
	case 5:
		return ring.LevelInfo, false
	case 6:
		return ring.LevelInfo, true
	case 7:
		return ring.LevelDebug, true
	}
	return ring.LevelUnknown, false
}

// otelLevel maps an OpenTelemetry severity number, 1 to 24 with four to each
// level.
func otelLevel(n int) (level ring.Level, exact bool) {
	if n < 1 || n > 24 {
		return ring.LevelUnknown, false
	}
	return ring.LevelTrace + ring.Level((n-1)/4), (n-1)%4 == 0
}
