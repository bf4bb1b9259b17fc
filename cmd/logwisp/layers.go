package main

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// sources are the layers above the defaults, weakest first. Every one of
// them is optional.
type sources struct {
	// File is the name of the file that TOML was read from, as it shall
	// appear in problems and origins.
	File string
	// TOML is the content of that file.
	TOML []byte
	// Environ is the environment as os.Environ returns it.
	Environ []string
	// Variables reads, by the dotted path of the key ("monitor.targets"), the
	// variables that need more than one value: arrays of tables. Such a
	// function stores what it read in the configuration itself.
	Variables map[string]func(value string) error
	// KnownVariables are variables that belong to something else than a key
	// and are not to be warned about. LOGWISP_CONFIG_FILE always is one.
	KnownVariables []string
	// Flags is the parsed command line, Scratch a pointer to the struct of
	// the type of the configuration that kong filled from it. Only what the
	// user gave is taken from it. Both or none.
	Flags   *kong.Context
	Scratch any
}

// origins tells for each key, by its dotted path, where its value came from:
// "default", "logwisp.toml:12", "LOGWISP_TCPSERVER_PORT" or "--tcp-port".
// An array of tables is there as a whole and with the keys of each element,
// "monitor.targets[0].path".
type origins map[string]string

// replace records a new origin of an array of tables and forgets those of its
// former elements.
func (o origins) replace(path, origin string) {
	maps.DeleteFunc(o, func(known, _ string) bool { return strings.HasPrefix(known, path+"[") })
	o[path] = origin
}

// of returns the origin of a key, or of the array it belongs to when its
// elements have none of their own; "" for a path that is no key.
func (o origins) of(path string) string {
	for {
		if origin, ok := o[path]; ok {
			return origin
		}
		end := strings.LastIndexByte(path, '[')
		if end < 0 {
			return ""
		}
		path = path[:end]
	}
}

// problem is one thing wrong with the configuration.
type problem struct {
	Where   string // "logwisp.toml:12:3", "LOGWISP_TCPSERVER_PORT", "--tcp-port"
	Key     string // dotted path of the key, "" when there is none
	Message string // what is wrong, without the place
	Hint    string // what to do about it, "" when nothing is known
	Warning bool   // the configuration can be used all the same

	layer  layer // of the place, for the order of a report
	line   int   // from 1, 0 outside of a file
	column int   // in bytes, from 1
}

// String formats a problem as "where: key: message (hint)", on one line.
func (p problem) String() string {
	parts := make([]string, 0, 3)
	for _, part := range []string{p.Where, p.Key, p.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	text := strings.Join(parts, ": ")
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	return text
}

// sortProblems puts problems in the order of a report: the file from top to
// bottom, then the variables and then the flags by name.
func sortProblems(problems []problem) {
	slices.SortStableFunc(problems, func(a, b problem) int {
		return cmp.Or(
			cmp.Compare(a.layer, b.layer),
			cmp.Compare(a.line, b.line),
			cmp.Compare(a.column, b.column),
			cmp.Compare(a.Where, b.Where),
		)
	})
}

// broken reports whether a problem among them is more than a warning.
func broken(problems []problem) bool {
	return slices.ContainsFunc(problems, func(p problem) bool { return !p.Warning })
}

// layer is one source of values; a higher one wins.
type layer int

const (
	layerFile layer = iota
	layerEnvironment
	layerFlags
)

// loading is the state of one call of load.
type loading struct {
	sources
	settings []*setting
	root     reflect.Value
	origins  origins
	problems []problem
}

// load fills the struct that cfg points to: every key gets its default, then
// the value of the file, of its variable and of its flag, where there is one.
// A bad value is reported and leaves the value of the layer below, so that
// all problems come out in one go, in the order of a report; broken tells
// whether cfg may be used. Fields without a toml tag are left alone.
//
// It panics when the tags of the struct are not well formed (see settingsOf).
func load(cfg any, from sources) (origins, []problem) {
	pointer := reflect.ValueOf(cfg)
	l := &loading{
		sources:  from,
		settings: settingsOf(pointer.Type().Elem()),
		root:     pointer.Elem(),
		origins:  origins{},
	}
	setDefaults(l.settings, l.root)
	eachSetting(l.settings, l.root, "", func(_ *setting, path string, _ reflect.Value) {
		l.origins[path] = "default"
	})
	l.loadFile()
	l.loadEnvironment()
	l.loadFlags()
	sortProblems(l.problems)
	return l.origins, l.problems
}

// refuse records that a value does not suit a setting.
func (l *loading) refuse(at problem, s *setting, have, hint string) {
	at.Message = fmt.Sprintf("want %s, have %s", s.wanted(), have)
	at.Hint = hint
	l.problems = append(l.problems, at)
}
