package web

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/valyala/fasthttp"

	"logwisp/netio"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// The parameters of /stream beside those of filters.
var streamParameters = []string{
	"tail", "since", "from", "last_event_id", "follow", "limit", "batch_ms", "max_rate",
	"heartbeat", "ids", "format", "name",
}

const (
	maxNameBytes = 128
	maxBatch     = 1000 // milliseconds
	maxHeartbeat = 86400
	maxCount     = 1 << 40 // of entries
)

// query is a checked query. Of a parameter that is given twice and is not a
// filter's the last value counts; an empty value is as good as none.
type query struct {
	filter *filter.Filter // nil: every entry
	values map[string]string
}

// badParameter is what is wrong with a query.
type badParameter struct {
	parameter, suggestion string
	err                   error
}

func (e *badParameter) Error() string { return e.err.Error() }

// body returns the answer's body.
func (e *badParameter) body() record.Error {
	return record.Error{Error: e.Error(), Parameter: e.parameter, Suggestion: e.suggestion}
}

// bad says what is wrong with a value: want what it has to be, or else.
func bad(parameter, value, want string) error {
	accepted, _ := strings.CutPrefix(want, "want ")
	return &badParameter{parameter, accepted, fmt.Errorf("%s=%.80q: %s", parameter, value, want)}
}

// parseQuery checks a query whose parameters are those of filters and known.
func parseQuery(args *fasthttp.Args, known []string, sourceName func(uint16) string) (*query, error) {
	q := &query{values: make(map[string]string)}
	var spec filter.Spec
	for key, text := range args.All() {
		name, value := string(key), string(text)
		isFilter, err := spec.Set(name, value)
		switch {
		case err != nil:
			return nil, badFilter(err)
		case isFilter:
		case !slices.Contains(known, name):
			return nil, unknownParameter(name, append(filter.Names(), known...))
		case value != "":
			q.values[name] = value
		}
	}
	f, err := filter.Compile(spec, sourceName)
	if err != nil {
		return nil, badFilter(err)
	}
	if f.Key() != "" {
		q.filter = f
	}
	return q, nil
}

// formOf is what the parameters of filters are to be.
var formOf = map[string]string{
	"level": "a level, of trace, debug, info, warn, error and fatal", "levels": "levels, as in warn,error",
	"source": "a glob, as in *.log", "not_source": "a glob, as in *.log",
	"re": "an RE2", "not_re": "an RE2", "q": "a text", "not": "a text", "field": "KEY=VALUE, or != > >= < <= ~ in place of =",
}

func badFilter(err error) error {
	e := &badParameter{err: err}
	if of, ok := errors.AsType[*filter.Error](err); ok {
		e.parameter, e.suggestion = of.Parameter, of.Suggestion
		if e.suggestion == "" {
			e.suggestion = formOf[of.Parameter]
		}
	}
	return e
}

func unknownParameter(name string, known []string) error {
	e := &badParameter{parameter: name, suggestion: nearest(name, known)}
	e.err = fmt.Errorf("unknown parameter %.80q", name)
	if e.suggestion != "" {
		e.err = fmt.Errorf("%w; did you mean %s?", e.err, e.suggestion)
	} else {
		e.suggestion = strings.Join(known, ", ")
		e.err = fmt.Errorf("%w; there are %s", e.err, e.suggestion)
	}
	return e
}

// number returns the value of a parameter, otherwise when it is not given.
func (q *query) number(name string, low, high, otherwise uint64) (uint64, error) {
	value, given := q.values[name]
	if !given {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || n < low || n > high {
		return 0, bad(name, value, fmt.Sprintf("want a number from %d to %d", low, high))
	}
	return n, nil
}

// flag returns the value of a parameter that is 0 or 1.
func (q *query) flag(name string, otherwise bool) (bool, error) {
	switch value := q.values[name]; value {
	case "":
		return otherwise, nil
	case "0", "false":
		return false, nil
	case "1", "true":
		return true, nil
	default:
		return false, bad(name, value, "want 0 or 1")
	}
}

// choice returns the value of a parameter that is one of some words, the first
// of them when it is not given.
func (q *query) choice(name string, words ...string) (string, error) {
	value, given := q.values[name]
	if !given {
		return words[0], nil
	}
	if !slices.Contains(words, value) {
		err := bad(name, value, "want "+strings.Join(words, ", "))
		if near := nearest(value, words); near != "" {
			err.(*badParameter).suggestion = near
		}
		return "", err
	}
	return value, nil
}

// subscription returns what a stream is asked for, without its form and place.
func (q *query) subscription(policy netio.HeartbeatPolicy) (netio.Subscription, error) {
	sub := netio.Subscription{Name: q.values["name"], Filter: q.filter}
	if len(sub.Name) > maxNameBytes || strings.ContainsFunc(sub.Name, unicode.IsControl) {
		return sub, bad("name", sub.Name, fmt.Sprintf("want at most %d bytes, none of them a control character", maxNameBytes))
	}
	follow, err := q.flag("follow", true)
	if err != nil {
		return sub, err
	}
	sub.NoFollow = !follow
	if sub.Limit, err = q.number("limit", 1, maxCount, 0); err != nil {
		return sub, err
	}
	rate, err := q.number("max_rate", 0, 1<<30, 0)
	if err != nil {
		return sub, err
	}
	sub.MaxRate = int(rate)
	batch, err := q.number("batch_ms", 0, maxBatch, 0)
	if err != nil {
		return sub, err
	}
	sub.Batch = time.Duration(batch) * time.Millisecond
	if q.values["heartbeat"] == "off" {
		sub.Heartbeat = &netio.HeartbeatPolicy{}
		return sub, nil
	}
	seconds, err := q.number("heartbeat", 1, maxHeartbeat, 0)
	if err != nil {
		return sub, bad("heartbeat", q.values["heartbeat"], fmt.Sprintf("want off or seconds from 1 to %d", maxHeartbeat))
	}
	if seconds > 0 {
		policy.Interval = time.Duration(seconds) * time.Second
		sub.Heartbeat = &policy
	}
	return sub, nil
}

// place returns where a stream starts: of several positions the first in the
// order of the cases counts, but all are checked. resume is the Last-Event-ID
// header, head the newest entry to be counted for tail. It may read all that the
// ring holds.
func (q *query) place(e *netio.Engine, resume string, head uint64, gone func() bool) (netio.Position, error) {
	var from netio.Position
	var err error
	if value := q.values["from"]; value != "" {
		if from, err = e.From(value); err != nil {
			return from, bad("from", value, "want earliest, latest or an id, which is <epoch>-<seq>")
		}
	}
	since, err := q.since(time.Now())
	if err != nil {
		return from, err
	}
	tail, err := q.number("tail", 0, maxCount, 0)
	if err != nil {
		return from, err
	}
	switch {
	case resume != "":
		return e.Resume(resume), nil
	case q.values["last_event_id"] != "":
		return e.Resume(q.values["last_event_id"]), nil
	case q.values["from"] != "":
		return from, nil
	case !since.IsZero():
		return e.Since(since), nil
	case q.values["tail"] != "":
		return e.Last(tail, q.filter, head, gone), nil
	}
	return from, nil
}

// looksBack reports whether place may have to read what is held.
func (q *query) looksBack() bool {
	return q.values["since"] != "" || q.values["tail"] != "" && netio.Selective(q.filter)
}

// since returns the time that since names, zero when it is not given.
func (q *query) since(now time.Time) (time.Time, error) {
	value, given := q.values["since"]
	if !given {
		return time.Time{}, nil
	}
	t, err := netio.ParseSince(strings.Replace(value, " ", "+", 1), now) // a plus that was not escaped
	if err != nil {
		return t, bad("since", value, err.Error())
	}
	return t, nil
}
