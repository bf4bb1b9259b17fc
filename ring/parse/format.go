package parse

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"logwisp/ring"
)

// Format says how a Parser reads lines.
type Format uint8

// The formats. A line that does not have the one named is read as text.
const (
	Auto   Format = iota // JSON or logfmt where a line is certainly that, else text
	JSON                 // one JSON object a line
	Logfmt               // key=value pairs, whatever the keys
	Text                 // time and level at the start, the line is the message
	Regex                // the groups of Parser.Pattern
)

var formatNames = [...]string{"auto", "json", "logfmt", "text", "regex"}

// String returns the name that ParseFormat knows.
func (f Format) String() string {
	if int(f) < len(formatNames) {
		return formatNames[f]
	}
	return fmt.Sprintf("Format(%d)", uint8(f))
}

// ParseFormat returns the format of that name, in lower case. The error lists
// the names there are.
func ParseFormat(name string) (Format, error) {
	for f, known := range formatNames {
		if name == known {
			return Format(f), nil
		}
	}
	return Auto, fmt.Errorf("unknown format %q: use one of %s", name, strings.Join(formatNames[:], ", "))
}

// maxPattern is the length in bytes of the longest pattern.
const maxPattern = 4096

// The groups with a meaning of their own.
const (
	groupTime    = "time"
	groupLevel   = "level"
	groupMessage = "message"
)

// CompilePattern compiles the pattern of the format Regex, in RE2 syntax, at
// most 4,096 bytes long. It needs a named group: time, level and message are
// what they say, any other becomes a field. Names that begin with an
// underscore are LogWisp's own.
func CompilePattern(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, errors.New("the pattern is empty: give a regular expression with named groups such as (?P<message>.*)")
	}
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("the pattern is %d bytes long: use at most %d", len(pattern), maxPattern)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	named := false
	for i, name := range re.SubexpNames() {
		if name != "" && re.SubexpIndex(name) != i {
			return nil, fmt.Errorf("pattern %q has two groups %q: rename one", pattern, name)
		}
		if strings.HasPrefix(name, "_") {
			return nil, fmt.Errorf("pattern %q: the group %q begins with an underscore, which is reserved: rename it", pattern, name)
		}
		named = named || name != ""
	}
	if !named {
		return nil, fmt.Errorf("pattern %q has no named group: name at least one, such as (?P<message>.*)", pattern)
	}
	return re, nil
}

// Configure sets Format, Pattern and Location from settings: the name of a
// format, a pattern for regex and only for that, and a zone like Europe/Berlin,
// UTC or local. Empty texts are auto, no pattern and local. The errors name the
// setting.
func (p *Parser) Configure(format, regex, timezone string) (err error) {
	if format != "" {
		if p.Format, err = ParseFormat(format); err != nil {
			return fmt.Errorf("format: %w", err)
		}
	}
	switch isRegex := p.Format == Regex; {
	case isRegex && regex == "":
		return errors.New("format is regex: set regex to a pattern with named groups")
	case !isRegex && regex != "":
		return fmt.Errorf("regex is given, but format is %s: set format = \"regex\"", p.Format)
	case isRegex:
		if p.Pattern, err = CompilePattern(regex); err != nil {
			return fmt.Errorf("regex: %w", err)
		}
	}
	if timezone != "" && timezone != "local" {
		if p.Location, err = time.LoadLocation(timezone); err != nil {
			return fmt.Errorf("timezone %q is not known: use a name like Europe/Berlin, UTC or local", timezone)
		}
	}
	return nil
}

// regexLine parses a line by the Pattern. It reports false, with r untouched,
// when there is none or the line does not match.
//
// The message is that of the group only if the match takes the whole line:
// otherwise what lies outside the match would be lost. Text between the groups
// is left out, since the pattern says so. A time or level that says more than
// the entry, or is not understood, becomes a field.
func (p *Parser) regexLine(line []byte, nowMicros int64, r *Result) bool {
	if p.Pattern == nil {
		return false
	}
	if !utf8.Valid(line) {
		line = p.repair(line)
	}
	at := p.Pattern.FindSubmatchIndex(line)
	if at == nil {
		return false
	}
	r.Message = line
	whole := at[0] == 0 && at[1] == len(line)
	b := append(p.fields[:0], '{')
	for i, name := range p.Pattern.SubexpNames() {
		if name == "" || at[2*i] < 0 {
			continue
		}
		value := line[at[2*i]:at[2*i+1]]
		if p.takeGroup(name, value, whole, nowMicros, r) {
			continue
		}
		b = append(append(append(b, '"'), name...), '"', ':')
		b = append(appendQuoted(b, value), ',')
	}
	p.fields = b
	if len(b) > 1 {
		b[len(b)-1] = '}'
		r.Fields = b
	}
	return true
}

// takeGroup takes a group with a meaning into r. It reports whether the entry
// says all of it now.
func (p *Parser) takeGroup(name string, value []byte, whole bool, nowMicros int64, r *Result) bool {
	switch name {
	case groupMessage:
		if whole {
			r.Message = value
		}
		return true // else it is a part of the line
	case groupLevel:
		level, exact := levelValue(keyLevel, value)
		if len(value) == 1 {
			level, exact = letterLevel(value[0]), true
		}
		r.Level = level
		return level != ring.LevelUnknown && exact
	case groupTime:
		micros, exact, ok := p.anyTime(value, nowMicros)
		if !ok || !plausible(micros, nowMicros) {
			return false
		}
		r.Micros, r.HasTime = micros, true
		return exact
	}
	return false
}

// anyTime reads a time of any form that takes all of value.
func (p *Parser) anyTime(value []byte, nowMicros int64) (micros int64, exact, ok bool) {
	if micros, exact, ok = p.timeValue(value); ok {
		return micros, exact, true
	}
	s := p.leadingStamp(value, nowMicros)
	return s.micros, !s.finer, s.known && s.n > 0 && s.n == len(value)
}
