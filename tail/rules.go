package tail

import (
	"fmt"

	"golang.org/x/time/rate"

	"logwisp/ring/entry"
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
	if err := r.parser.Configure(t.Format, t.Regex, t.Timezone); err != nil {
		return nil, fmt.Errorf("target %s: %w", t.Path, err)
	}
	var err error
	if r.joiner, err = newJoiner(t.Multiline); err != nil {
		return nil, fmt.Errorf("target %s: %w", t.Path, err)
	}
	if n := t.MaxLinesPerSecond; n < 0 {
		return nil, fmt.Errorf("target %s: max_lines_per_second is %d: must not be negative (0 = no limit)", t.Path, n)
	} else if n > 0 {
		r.limiter = rate.NewLimiter(rate.Limit(n), n)
	}
	r.tags, err = entry.Members(t.Tags)
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", t.Path, err)
	}
	return r, nil
}

// newIntake compiles [filter].
func newIntake(f Filter) (*filter.Intake, error) {
	in, err := filter.NewIntake(f.Include, f.Exclude, f.Level, f.Redact)
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return in, nil
}
