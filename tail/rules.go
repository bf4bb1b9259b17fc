package tail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/parse"
)

// Filter are the settings of [filter]: what does not enter the ring, and what
// of a line does not.
type Filter struct {
	Include []string `toml:"include" kong:"-"`                                                    // RE2s of which a line matches one, if there are any
	Exclude []string `toml:"exclude" kong:"-"`                                                    // RE2s of which it matches none
	Level   string   `toml:"level" kong:"-" enum:",trace,debug,info,warn,error,fatal" default:""` // the least severe; lines without a level enter
	Redact  []string `toml:"redact" kong:"-"`                                                     // RE2s whose matches become ***
}

// rules is what a target says about the lines of its files.
type rules struct {
	parser  parse.Parser
	joiner  *joiner // nil: every line is an entry
	tags    []byte  // members for the fields object, without braces; nil = none
	strip   bool    // escape sequences of terminals are removed
	limiter *rate.Limiter
}

// newRules compiles what t says.
func newRules(t *Target) (*rules, error) {
	r := &rules{strip: t.StripANSI}
	var err error
	if t.Format != "" {
		if r.parser.Format, err = parse.ParseFormat(t.Format); err != nil {
			return nil, fmt.Errorf("target %s: format: %w", t.Path, err)
		}
	}
	switch isRegex := r.parser.Format == parse.Regex; {
	case isRegex && t.Regex == "":
		return nil, fmt.Errorf("target %s: format is regex: set regex to a pattern with named groups", t.Path)
	case !isRegex && t.Regex != "":
		return nil, fmt.Errorf("target %s: regex is given, but format is %s: set format = \"regex\"", t.Path, r.parser.Format)
	case isRegex:
		if r.parser.Pattern, err = parse.CompilePattern(t.Regex); err != nil {
			return nil, fmt.Errorf("target %s: regex: %w", t.Path, err)
		}
	}
	if r.joiner, err = newJoiner(t.Multiline); err != nil {
		return nil, fmt.Errorf("target %s: %w", t.Path, err)
	}
	if t.Timezone != "" && t.Timezone != "local" {
		if r.parser.Location, err = time.LoadLocation(t.Timezone); err != nil {
			return nil, fmt.Errorf("target %s: timezone %q is not known: use a name like Europe/Berlin, UTC or local", t.Path, t.Timezone)
		}
	}
	if n := t.MaxLinesPerSecond; n < 0 {
		return nil, fmt.Errorf("target %s: max_lines_per_second is %d: must not be negative (0 = no limit)", t.Path, n)
	} else if n > 0 {
		r.limiter = rate.NewLimiter(rate.Limit(n), n)
	}
	r.tags, err = members(t.Tags)
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", t.Path, err)
	}
	return r, nil
}

// maxTags is how many bytes the tags of a target may take in an entry.
const maxTags = 4096

// members returns the members of a JSON object, in the order of their keys.
func members(tags map[string]string) ([]byte, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	for key := range tags {
		if key == "" || key[0] == '_' {
			return nil, fmt.Errorf("tag %q: a key must not be empty or begin with _, such keys are LogWisp's own", key)
		}
	}
	object, err := json.Marshal(tags) // sorts the keys
	if err != nil {
		return nil, fmt.Errorf("tags: %w", err)
	}
	if len(object) > maxTags {
		return nil, fmt.Errorf("tags take %d bytes in every entry: at most %d", len(object), maxTags)
	}
	return object[1 : len(object)-1], nil
}

// merge appends the fields object that holds fields, which is nil or an object
// on one line, and the members that fields does not have.
func merge(dst, fields, members []byte) []byte {
	if end := bytes.LastIndexByte(fields, '}'); end > 0 && len(bytes.TrimSpace(fields[1:end])) > 0 {
		members = without(members, fields)
		if dst = append(dst, fields[:end]...); len(members) > 0 {
			dst = append(dst, ',')
		}
	} else {
		dst = append(dst, '{')
	}
	return append(append(dst, members...), '}')
}

// without leaves those members out whose key fields has: what the line says
// counts.
func without(members, fields []byte) []byte {
	var own, line map[string]json.RawMessage
	if json.Unmarshal(slices.Concat([]byte("{"), members, []byte("}")), &own) != nil {
		return members
	}
	clash := false
	for key := range own {
		quoted, _ := json.Marshal(key)
		clash = clash || bytes.Contains(fields, quoted)
	}
	if !clash || json.Unmarshal(fields, &line) != nil {
		return members
	}
	for key := range line {
		delete(own, key)
	}
	if len(own) == 0 {
		return nil
	}
	object, err := json.Marshal(own)
	if err != nil {
		return members
	}
	return object[1 : len(object)-1]
}

// admit says whether a parsed line enters the ring, and counts it if not.
func (w *Watcher) admit(text []byte, level ring.Level) bool {
	if !w.intake.Admit(text, level) {
		w.stats.filtered.Add(1)
		return false
	}
	if l := w.current.rules.limiter; l != nil && !l.Allow() {
		w.stats.sampled.Add(1)
		return false
	}
	return true
}

// newIntake compiles [filter].
func newIntake(f Filter) (*filter.Intake, error) {
	in, err := filter.NewIntake(f.Include, f.Exclude, f.Level, f.Redact)
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return in, nil
}
