package parse

import (
	"bytes"
	"strings"

	"logwisp/ring"
)

// levelWindow is how many bytes from its start a line may have before a level, and
// stampWindow behind a time stamp: the name of a thread may be long.
const (
	levelWindow = 64
	stampWindow = 256
)

// levelAt returns the level that stands at the start of a text line or behind
// its time stamp, which ended at i. A level is known by its place, never by
// its mere presence: only bracketed tokens, numbers, dashes, a zone and what
// stands between two dashes may precede it.
func levelAt(line []byte, i int) ring.Level {
	window := line[:min(len(line), i+levelWindow)]
	if i > 0 {
		window = line[:min(len(line), i+stampWindow)]
	}
	stampEnd := i
	dash := false // the last token was a lone dash
	for i >= 0 && i < len(window) {
		switch c := window[i]; {
		case isBlank(c) || c == '|' || c == ':' || c == ']':
			i++
			continue
		case c == '[':
			n := bytes.IndexByte(window[i:], ']')
			if n < 0 {
				return ring.LevelUnknown
			}
			inside := bytes.TrimSpace(window[i+1 : i+n])
			if level, _ := levelWord(inside); level != ring.LevelUnknown {
				return level
			}
			if level, ok := behindClock(inside); ok {
				return level
			}
			i += n + 1
		case isDigit(c) || c == '#':
			i = numberTokenEnd(window, i)
		case c == '-' && !dash && i+1 < len(window) && isBlank(window[i+1]):
			dash = true
			i++
			continue
		default:
			if level := plainWord(line, i); level != ring.LevelUnknown {
				return level
			}
			if stampEnd > 0 {
				if level := namedLevel(line, window, stampEnd, i); level != ring.LevelUnknown {
					return level
				}
			}
			switch {
			case dash:
				i = betweenDashes(window, i)
			case stampEnd > 0 && len(bytes.TrimSpace(window[stampEnd:i])) == 0 && zoneWord(window[i:]) > 0:
				i += zoneWord(window[i:])
			default:
				return ring.LevelUnknown
			}
		}
		dash = false
	}
	return ring.LevelUnknown
}

// behindClock returns the level in what stands in brackets, as in [15:04:05 INF] or
// [15:04:05.123 ERR]. It reports false when there is none; ??? is one that has no name.
func behindClock(inside []byte) (level ring.Level, ok bool) {
	n := len("15:04:05")
	if len(inside) < n || clock(inside[:n]) < 0 {
		return ring.LevelUnknown, false
	}
	for n < len(inside) && (isDigit(inside[n]) || inside[n] == '.' || inside[n] == ',') {
		n++
	}
	if n == len(inside) || inside[n] != ' ' {
		return ring.LevelUnknown, false
	}
	word := bytes.TrimSpace(inside[n:])
	level, _ = levelWord(word)
	return level, level != ring.LevelUnknown || string(word) == "???"
}

// namedLevel returns the level behind the word at line[i], with a colon after it:
// that of a logger's channel right behind the time stamp, as in "app.ERROR: text", or
// behind user and database of PostgreSQL, as in "web@shop ERROR:  text".
func namedLevel(line, window []byte, stampEnd, i int) ring.Level {
	end, at, dot := i, false, -1
	for ; end < len(window) && !isBlank(window[end]) && window[end] != ':'; end++ {
		switch c := window[end]; {
		case c == '@':
			at = true
		case c == '.':
			dot = end
		}
	}
	word := dot + 1
	switch {
	case at && end < len(window) && isBlank(window[end]):
		word = skipBlank(window, end)
		for end = word; end < len(window) && isUpper(window[end]); {
			end++
		}
	case dot <= i || len(bytes.Trim(window[stampEnd:i], " \t]")) > 0:
		return ring.LevelUnknown
	}
	if end == word || end >= len(line) || line[end] != ':' {
		return ring.LevelUnknown
	}
	for _, c := range line[word:end] {
		if !isUpper(c) {
			return ring.LevelUnknown
		}
	}
	level, _ := levelWord(line[word:end])
	return level
}

// plainWord returns the level of the word at line[i] if it stands there as a
// level does: in capitals and delimited, before a colon, or alone between tabs
// or pipes.
func plainWord(line []byte, i int) ring.Level {
	if !beginsLevel[line[i]] {
		return ring.LevelUnknown
	}
	end, upper := i, true
	for end < len(line) && isLetter(line[end]) && end-i <= longestLevel {
		upper = upper && isUpper(line[end])
		end++
	}
	if end == len(line) {
		if !upper {
			return ring.LevelUnknown
		}
	} else if !upper && !setApart(line, i, end) || strings.IndexByte(" \t[]|:", line[end]) < 0 {
		return ring.LevelUnknown
	}
	level, _ := levelWord(line[i:end])
	return level
}

// setApart reports whether a word in lower case stands as a level does: before
// a colon that is one of prose, or in a column.
func setApart(line []byte, i, end int) bool {
	if line[end] == ':' {
		return end+1 == len(line) || strings.IndexByte(":=/", line[end+1]) < 0
	}
	return i > 0 && inColumn(line, i, end)
}

// inColumn reports whether line[i:end] is alone between tabs, or between
// pipes, which may have spaces around.
func inColumn(line []byte, i, end int) bool {
	if i > 0 && line[i-1] == '\t' {
		return line[end] == '\t'
	}
	for i > 0 && line[i-1] == ' ' {
		i--
	}
	for end < len(line) && line[end] == ' ' {
		end++
	}
	return i > 0 && line[i-1] == '|' && end < len(line) && line[end] == '|'
}

// betweenDashes returns the index of the lone dash that follows the word at
// b[i], -1 if there is none.
func betweenDashes(b []byte, i int) int {
	for i < len(b) && !isBlank(b[i]) {
		i++
	}
	if i+2 < len(b) && b[i+1] == '-' && isBlank(b[i+2]) {
		return i + 1
	}
	return -1
}

// numberTokenEnd returns the index behind the number at b[i], such as a
// process or thread id, -1 if what stands there is more than a number.
func numberTokenEnd(b []byte, i int) int {
	for i < len(b) && (isDigit(b[i]) || b[i] == '#' || b[i] == '.') {
		i++
	}
	if i < len(b) && !isBlank(b[i]) && b[i] != '[' && b[i] != ']' && b[i] != ':' && b[i] != '|' {
		return -1
	}
	return i
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
