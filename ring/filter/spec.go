package filter

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"logwisp/ring"
)

// The limits of one filter. They bound what a subscriber can make the daemon
// do for each entry; past one of them Set and Compile return an *Error.
const (
	MaxValues       = 64   // values of all parameters together, empty ones not counted
	MaxValueBytes   = 4096 // bytes of one value
	MaxPatternBytes = 1024 // bytes of one RE2
	MaxInstructions = 1100 // instructions of all compiled RE2s together; x{n} takes n of them, and every byte of a text up to 20 ns for each

	// MaxWork is what the RE2s of a filter, and again its texts, may cost for one
	// entry: bytes that are looked at, times instructions or texts. With n of
	// these they look at the first MaxWork/n bytes of the texts of an entry.
	MaxWork = 4 << 20
)

// Spec is a filter as it was written, each field a parameter. The zero value
// lets everything pass, and so do empty strings.
type Spec struct {
	Level     string   // least severe level
	Levels    []string // level names, comma separated, and "unknown"
	Source    []string // globs
	NotSource []string // globs
	Q         []string // texts
	Re        []string // RE2s
	Not       []string // texts
	NotRe     []string // RE2s
	Field     []string // KEY OP VALUE
}

// names are the parameters in the order in which they are shown.
var names = []string{"level", "levels", "source", "not_source", "q", "re", "not", "not_re", "field"}

// Names returns the names of all parameters.
func Names() []string { return append([]string(nil), names...) }

// list returns the values of a parameter other than level, nil when there is
// no such parameter.
func (s *Spec) list(name string) *[]string {
	switch name {
	case "levels":
		return &s.Levels
	case "source":
		return &s.Source
	case "not_source":
		return &s.NotSource
	case "q":
		return &s.Q
	case "re":
		return &s.Re
	case "not":
		return &s.Not
	case "not_re":
		return &s.NotRe
	case "field":
		return &s.Field
	}
	return nil
}

// values returns the values of a parameter that are not empty.
func (s *Spec) values(name string) []string {
	if name == "level" {
		if s.Level == "" {
			return nil
		}
		return []string{s.Level}
	}
	var given []string
	for _, v := range *s.list(name) {
		if v != "" {
			given = append(given, v)
		}
	}
	return given
}

// Set adds one value of a parameter, as from a query. known is false, and
// nothing is done, for a name that is not a filter's. The error is an *Error;
// what only Compile finds, a bad RE2, is not looked for. A second level is an
// alternative like any repeated value, so the less severe one holds.
func (s *Spec) Set(name, value string) (known bool, err error) {
	list := s.list(name)
	if list == nil && name != "level" {
		return false, nil
	}
	if value == "" {
		return true, nil
	}
	if err := check(name, value); err != nil {
		return true, err
	}
	if list == nil {
		if s.Level == "" || levelNamed(value) < levelNamed(s.Level) {
			s.Level = value
		}
		return true, nil
	}
	if s.count() == MaxValues {
		return true, tooMany(name, value)
	}
	*list = append(*list, value)
	return true, nil
}

// count returns the number of values that are not empty.
func (s *Spec) count() int {
	n := 0
	for _, name := range names {
		n += len(s.values(name))
	}
	return n
}

func tooMany(name, value string) error {
	return &Error{Parameter: name, Value: value, Err: fmt.Errorf("a filter has at most %d values: join some into one RE2", MaxValues)}
}

// check finds what can be wrong with one value, except in an RE2.
func check(name, value string) error {
	if len(value) > MaxValueBytes {
		return &Error{
			Parameter: name, Value: value,
			Err: fmt.Errorf("%d bytes long, the most is %d", len(value), MaxValueBytes),
		}
	}
	switch name {
	case "level":
		if levelNamed(value) == ring.LevelUnknown {
			return unknownLevel(name, value, false)
		}
	case "levels":
		_, err := levelSet(value)
		return err
	case "source", "not_source":
		if _, err := path.Match(value, ""); err != nil {
			return &Error{Parameter: name, Value: value, Err: errors.New(`not a glob: * ? [a-z] and \ for the next character itself`)}
		}
	case "field":
		_, _, _, err := splitField(value)
		return err
	}
	return nil
}

// levelNamed returns the level of a name in any case, LevelUnknown for none.
func levelNamed(name string) ring.Level {
	for l := ring.LevelTrace; l <= ring.LevelFatal; l++ {
		if strings.EqualFold(name, l.String()) {
			return l
		}
	}
	return ring.LevelUnknown
}

// allLevels has the bit of every level, LevelUnknown included.
const allLevels = 1<<(ring.LevelFatal+1) - 1

// levelSet returns the bits of a comma list of levels.
func levelSet(value string) (set uint32, err error) {
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		l := levelNamed(name)
		if l == ring.LevelUnknown && !strings.EqualFold(name, "unknown") {
			return 0, unknownLevel("levels", name, true)
		}
		set |= 1 << l
	}
	return set, nil
}

func unknownLevel(parameter, value string, withUnknown bool) error {
	var known []string
	for l := ring.LevelTrace; l <= ring.LevelFatal; l++ {
		known = append(known, l.String())
	}
	if withUnknown {
		known = append(known, "unknown")
	}
	return &Error{
		Parameter: parameter, Value: value, Suggestion: nearest(value, known),
		Err: errors.New("no such level, there are " + strings.Join(known, ", ")),
	}
}
