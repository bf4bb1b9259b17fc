package main

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const (
	variablePrefix     = "LOGWISP_"
	configFileVariable = "LOGWISP_CONFIG_FILE"
)

// variableName is the variable of a key: LOGWISP_TCPSERVER_PORT is that of
// tcpserver.port.
func variableName(path string) string {
	return variablePrefix + strings.ReplaceAll(strings.ToUpper(path), ".", "_")
}

// loadEnvironment assigns the variables that are set and not empty, and warns
// about those that begin like ours and mean nothing.
func (l *loading) loadEnvironment() {
	set, names := l.ourVariables()
	known := append([]string{configFileVariable}, l.KnownVariables...)
	for path, read := range l.Variables {
		known = append(known, variableName(path))
		l.readVariable(path, set[variableName(path)], read)
	}
	leaves := func(s *setting, path string, value reflect.Value) {
		name := variableName(path)
		_, special := l.Variables[path]
		if special || s.kind == kindTables {
			return
		}
		known = append(known, name)
		if text := set[name]; text != "" {
			l.assignVariable(s, path, value, text)
		}
	}
	// Elements of arrays have no variables: a visit must not descend to them.
	eachSetting(withoutArrays(l.settings), l.root, "", leaves)
	slices.Sort(known) // so that the nearest name is always the same one
	for _, name := range names {
		if !slices.Contains(known, name) {
			l.problems = append(l.problems, unknownVariable(name, known))
		}
	}
}

// ourVariables are the variables with our prefix, and their names in order.
func (l *loading) ourVariables() (set map[string]string, names []string) {
	set = map[string]string{}
	for _, entry := range l.Environ {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || !strings.HasPrefix(name, variablePrefix) {
			continue
		}
		if _, again := set[name]; !again {
			names = append(names, name)
			set[name] = value
		}
	}
	slices.Sort(names)
	return set, names
}

func (l *loading) assignVariable(s *setting, path string, value reflect.Value, text string) {
	name := variableName(path)
	trial := reflect.New(value.Type()).Elem()
	if !s.parse(trial, text) || !s.allows(trial) {
		at := problem{Where: name, Key: path, layer: layerEnvironment}
		l.refuse(at, s, strconv.Quote(shorten(text)), s.nearestAllowed(text))
		return
	}
	value.Set(trial)
	l.origins[path] = name
}

func (l *loading) readVariable(path, text string, read func(string) error) {
	if text == "" {
		return
	}
	name := variableName(path)
	if err := read(text); err != nil {
		l.problems = append(l.problems, problem{
			Where: name, Key: path, Message: err.Error(), layer: layerEnvironment,
		})
		return
	}
	l.origins.replace(path, name)
}

func unknownVariable(name string, known []string) problem {
	p := problem{
		Where: name, Message: "unknown variable, ignored", Warning: true, layer: layerEnvironment,
	}
	if meant := nearest(name, known); meant != "" {
		p.Hint = fmt.Sprintf("did you mean %s?", meant)
	}
	return p
}

// withoutArrays copies the settings without the arrays of tables.
func withoutArrays(settings []*setting) []*setting {
	var kept []*setting
	for _, s := range settings {
		if s.kind == kindTables {
			continue
		}
		plain := *s
		plain.children = withoutArrays(s.children)
		kept = append(kept, &plain)
	}
	return kept
}
