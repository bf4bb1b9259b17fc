package tail

import (
	"fmt"

	"golang.org/x/time/rate"

	"logwisp/ring/entry"
	"logwisp/ring/filter"
	"logwisp/ring/parse"
)

// Filter are the settings of [filter].
type Filter = filter.IntakeOptions

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
		return nil, err
	}
	var err error
	if r.joiner, err = newJoiner(t.Multiline); err != nil {
		return nil, err
	}
	if n := t.MaxLinesPerSecond; n < 0 {
		return nil, fmt.Errorf("max_lines_per_second is %d: must not be negative (0 = no limit)", n)
	} else if n > 0 {
		r.limiter = rate.NewLimiter(rate.Limit(n), n)
	}
	r.tags, err = entry.Members(t.Tags)
	if err != nil {
		return nil, err
	}
	return r, nil
}
