package filter

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"logwisp/ring"
)

// IntakeOptions are the settings of [filter]: what does not enter the ring, and
// what of a line does not.
type IntakeOptions struct {
	Include []string `toml:"include" kong:"-"`                                                    // RE2s of which a line matches one, if there are any
	Exclude []string `toml:"exclude" kong:"-"`                                                    // RE2s of which it matches none
	Level   string   `toml:"level" kong:"-" enum:",trace,debug,info,warn,error,fatal" default:""` // the least severe; lines without a level enter
	Redact  []string `toml:"redact" kong:"-"`                                                     // RE2s whose matches become ***, in each value and in the line
}

// Intake returns what the settings make, nil when they let every line pass. The
// error names the setting.
func (o IntakeOptions) Intake() (*Intake, error) {
	in, err := NewIntake(o.Include, o.Exclude, o.Level, o.Redact)
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return in, nil
}

// Check returns everything that is wrong with the settings, as NewIntake does.
func (o IntakeOptions) Check() error {
	_, err := NewIntake(o.Include, o.Exclude, o.Level, o.Redact)
	return err
}

// Intake decides which lines enter the ring, and blackens what must not. A nil
// Intake admits every line as it is. One goroutine at a time uses an Intake.
type Intake struct {
	include, exclude, redact []*regexp.Regexp
	level                    ring.Level

	spans []Span // matches of redact in the line
	line  []byte // the line without them
}

// NewIntake compiles RE2s, each within MaxPatternBytes, all of one list within
// MaxInstructions, and the least severe level, "" for none. It returns nil when
// nothing is given. The error joins one *Error for each that is wrong, with include,
// exclude, level or redact as the parameter. An empty pattern is as good as none.
func NewIntake(include, exclude []string, level string, redact []string) (*Intake, error) {
	in := &Intake{}
	var wrong []error
	if level != "" {
		if err := check("level", level); err != nil {
			wrong = append(wrong, err)
		}
		in.level = levelNamed(level)
	}
	for _, list := range []struct {
		name   string
		given  []string
		result *[]*regexp.Regexp
	}{{"include", include, &in.include}, {"exclude", exclude, &in.exclude}, {"redact", redact, &in.redact}} {
		p := &patterns{}
		for _, pattern := range list.given {
			if pattern == "" {
				continue
			}
			re, err := p.compile(list.name, pattern, pattern)
			if err != nil {
				wrong = append(wrong, err)
				continue
			}
			*list.result = append(*list.result, re.Regexp)
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	if in.level == ring.LevelUnknown && len(in.include)+len(in.exclude)+len(in.redact) == 0 {
		return nil, nil
	}
	return in, nil
}

// Admit reports whether a line may enter: it matches one of include, if there
// are any, and none of exclude, and its level is severe enough. A line without a
// level is: it may belong to the one before it.
func (in *Intake) Admit(line []byte, level ring.Level) bool {
	if in == nil {
		return true
	}
	if level != ring.LevelUnknown && level < in.level {
		return false
	}
	if len(in.include) > 0 && !anyMatch(in.include, line) {
		return false
	}
	return !anyMatch(in.exclude, line)
}

func anyMatch(patterns []*regexp.Regexp, line []byte) bool {
	for _, re := range patterns {
		if re.Match(line) {
			return true
		}
	}
	return false
}

// Redacts reports whether there is anything to be redacted.
func (in *Intake) Redacts() bool { return in != nil && len(in.redact) > 0 }

// Mark stands for what was redacted, whatever its length.
const Mark = "***"

// Redact returns the line with every match of every pattern replaced by three
// asterisks: the line itself if there is none, else a text that is valid until
// the next call. All patterns see the line as it was; matches that overlap are
// replaced as one.
func (in *Intake) Redact(line []byte) []byte {
	if in == nil {
		return line
	}
	in.releaseLarge()
	in.spans = Unite(in.Matches(in.spans[:0], line))
	if len(in.spans) == 0 {
		return line
	}
	in.line = AppendRedacted(in.line[:0], line, in.spans)
	return in.line
}

// Span is a part of a text, from one byte up to another.
type Span struct{ From, To int }

// Matches appends what each of the patterns matches of a text to dst.
func (in *Intake) Matches(dst []Span, text []byte) []Span {
	for _, re := range in.redact {
		if !re.Match(text) { // costs no allocation, unlike looking for the places
			continue
		}
		for _, place := range re.FindAllIndex(text, -1) {
			if place[0] < place[1] {
				dst = append(dst, Span{place[0], place[1]})
			}
		}
	}
	return dst
}

// Unite sorts spans and unites those that overlap.
func Unite(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Or(a.From-b.From, a.To-b.To) })
	united := spans[:0]
	for _, s := range spans {
		if n := len(united); n > 0 && s.From < united[n-1].To {
			united[n-1].To = max(united[n-1].To, s.To)
			continue
		}
		united = append(united, s)
	}
	return united
}

// AppendRedacted appends a text with three asterisks for each of the spans, which are
// in order and do not overlap.
func AppendRedacted(dst, text []byte, spans []Span) []byte {
	copied := 0
	for _, s := range spans {
		dst = append(append(dst, text[copied:s.From]...), Mark...)
		copied = s.To
	}
	return append(dst, text[copied:]...)
}

// releaseLarge drops buffers that a very long line has left behind.
func (in *Intake) releaseLarge() {
	if cap(in.line) > 64<<10 {
		in.line = nil
	}
	if cap(in.spans) > 4<<10 {
		in.spans = nil
	}
}
