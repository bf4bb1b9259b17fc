package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"

	"logwisp/netio"
)

// byteOrderMark is what some editors put before a text. TOML has no place
// for it, but its user cannot see it either.
var byteOrderMark = []byte("\ufeff")

// loadFile assigns what the file says. A file that is not TOML gives one
// problem, as nothing after a syntax error can be trusted.
func (l *loading) loadFile() {
	doc := bytes.TrimPrefix(l.TOML, byteOrderMark)
	// Unknown to any struct: go-toml would stop at the first value of a wrong
	// type, and all problems are to be reported at once.
	var file map[string]any
	if err := toml.Unmarshal(doc, &file); err != nil {
		at := problem{Where: l.File, Message: strings.TrimPrefix(err.Error(), "toml: ")}
		if syntax, ok := errors.AsType[*toml.DecodeError](err); ok {
			at.line, at.column = syntax.Position()
			at.Where = fmt.Sprintf("%s:%d:%d", l.File, at.line, at.column)
		}
		l.problems = append(l.problems, at)
		return
	}
	a := &assignment{loading: l, places: placesOf(doc)}
	a.table(l.settings, l.root, file, "")
}

// assignment copies a decoded file into the configuration.
type assignment struct {
	*loading
	places places
}

// at starts a problem with the value at a path.
func (a *assignment) at(path string) problem {
	return a.places.at(a.File, path)
}

// at starts a problem with the value at a path of the file they are of.
func (ps places) at(file, path string) problem {
	p := problem{Where: file, Key: path}
	if spot, ok := ps[path]; ok {
		p.line, p.column = spot.line, spot.column
		p.Where = fmt.Sprintf("%s:%d:%d", file, spot.line, spot.column)
	}
	return p
}

// origin records that the value at a path came from the file.
func (a *assignment) origin(path string) {
	place := a.File
	if spot, ok := a.places[path]; ok {
		place += ":" + strconv.Itoa(spot.line)
	}
	a.origins[path] = place
}

// table assigns the keys of one table to the struct that is its value.
func (a *assignment) table(settings []*setting, table reflect.Value, raw map[string]any, parent string) {
	known := make(map[string]*setting, len(settings))
	for _, s := range settings {
		known[s.name] = s
	}
	for name, item := range raw {
		path := joinKey(parent, name)
		if s := known[name]; s != nil {
			a.value(s, table.FieldByIndex(s.index), item, path)
			continue
		}
		p := a.at(path)
		p.Message = "unknown key"
		if meant := a.nearestKey(settings, parent, name); meant != "" {
			p.Hint = "did you mean " + meant + "?"
		}
		a.problems = append(a.problems, p)
	}
}

// value assigns one key of any form.
func (a *assignment) value(s *setting, value reflect.Value, raw any, path string) {
	switch s.kind {
	case kindTable:
		if table, ok := raw.(map[string]any); ok {
			a.table(s.children, value, table, path)
			return
		}
		a.refuse(a.at(path), s, s.describe(raw), tableHint(raw, path))
	case kindTables:
		a.tables(s, value, raw, path)
	case kindList, kindMapping:
		if a.items(s, value, raw, path) {
			a.origin(path)
		}
	default:
		// Tried on the side: a bad value leaves that of the layer below.
		trial := reflect.New(value.Type()).Elem()
		if !s.assign(trial, raw) || !s.allows(trial) {
			a.refuse(a.at(path), s, s.describe(raw), s.hintFor(raw))
			return
		}
		value.Set(trial)
		a.origin(path)
	}
}

// tables assigns an array of tables. Its elements replace those of the layer
// below, and keys that an element leaves out have their defaults.
func (a *assignment) tables(s *setting, value reflect.Value, raw any, path string) {
	array, ok := raw.([]any)
	if !ok {
		a.refuse(a.at(path), s, s.describe(raw), "write [["+withoutElements(path)+"]]")
		return
	}
	list := reflect.MakeSlice(value.Type(), len(array), len(array))
	value.Set(list)
	a.origin(path)
	for i, item := range array {
		element, key := list.Index(i), elementKey(path, i)
		setDefaults(s.children, element)
		eachSetting(s.children, element, key, func(_ *setting, path string, _ reflect.Value) {
			a.origins[path] = "default"
		})
		table, ok := item.(map[string]any)
		if !ok {
			p := a.at(key)
			p.Message = "want a table, have " + s.describe(item)
			a.problems = append(a.problems, p)
			continue
		}
		a.table(s.children, element, table, key)
	}
}

// items assigns an array or a table of strings, and reports whether all of
// its items are good.
func (a *assignment) items(s *setting, value reflect.Value, raw any, path string) bool {
	trial, before := reflect.New(value.Type()).Elem(), len(a.problems)
	item := &setting{kind: kindText, enum: s.enum}
	text := reflect.New(value.Type().Elem()).Elem()
	try := func(raw any, path string) bool {
		if item.assign(text, raw) && item.allows(text) {
			return true
		}
		a.refuse(a.at(path), item, item.describe(raw), item.hintFor(raw))
		return false
	}
	switch raw := raw.(type) {
	case []any:
		if s.kind != kindList {
			a.refuse(a.at(path), s, s.describe(raw), "")
			return false
		}
		trial.Set(reflect.MakeSlice(value.Type(), 0, len(raw)))
		for i, one := range raw {
			if try(one, elementKey(path, i)) {
				trial.Set(reflect.Append(trial, text))
			}
		}
	case map[string]any:
		if s.kind != kindMapping {
			a.refuse(a.at(path), s, s.describe(raw), "")
			return false
		}
		trial.Set(reflect.MakeMapWithSize(value.Type(), len(raw)))
		for name, one := range raw {
			if try(one, joinKey(path, name)) {
				setEntry(trial, name, text.String())
			}
		}
	default:
		a.refuse(a.at(path), s, s.describe(raw), s.hintFor(raw))
	}
	if len(a.problems) > before {
		return false
	}
	value.Set(trial)
	if trial.Len() == 0 {
		value.SetZero() // as the default of a list without any
	}
	return true
}

// assign sets a leaf from a value of a file, and reports whether it has the
// form of the setting.
func (s *setting) assign(value reflect.Value, raw any) bool {
	switch raw := raw.(type) {
	case bool:
		if s.kind == kindBoolean {
			value.SetBool(raw)
			return true
		}
	case int64:
		switch s.kind {
		case kindInteger, kindSize:
			return setSigned(value, raw)
		case kindFloat:
			value.SetFloat(float64(raw))
			return true
		}
	case float64:
		if s.kind == kindFloat {
			value.SetFloat(raw)
			return !math.IsNaN(raw) && !math.IsInf(raw, 0)
		}
	case string:
		if s.kind == kindText || s.kind == kindSize {
			return s.parse(value, raw)
		}
	}
	return false
}

// hintFor says how to correct a value that a leaf does not take.
func (s *setting) hintFor(raw any) string {
	text, isText := raw.(string)
	switch {
	case isText && s.enum != nil:
		return s.nearestAllowed(text)
	case isText && s.kind == kindList:
		return "write [" + strconv.Quote(shorten(text)) + "]"
	case isText && looksBare(s.kind, text):
		return "remove the quotes"
	}
	switch raw.(type) {
	case bool, int64, float64:
		if s.kind == kindText {
			return "put it in quotes"
		}
	}
	return ""
}

// looksBare reports whether the text would be good without its quotes.
func looksBare(k kind, text string) bool {
	var err error
	switch k {
	case kindBoolean:
		return text == "true" || text == "false"
	case kindInteger:
		_, err = strconv.ParseInt(text, 10, 64)
	case kindFloat:
		_, err = strconv.ParseFloat(text, 64)
	default:
		return false
	}
	return err == nil
}

func tableHint(raw any, path string) string {
	if array, ok := raw.([]any); ok && len(array) > 0 {
		if _, ok := array[0].(map[string]any); ok {
			return "write [" + withoutElements(path) + "]"
		}
	}
	return ""
}

// describe names a value of a file, unless it may be secret.
func (s *setting) describe(raw any) string {
	if text, ok := raw.(string); ok {
		if s.secret || slices.ContainsFunc(s.children, func(c *setting) bool { return c.secret }) {
			return "a string"
		}
		raw = netio.ShownURL(text)
	}
	return describe(raw)
}

// describe names a value of a file for a message: `the string "x"`.
func describe(raw any) string {
	switch raw := raw.(type) {
	case string:
		return "the string " + strconv.Quote(shorten(raw))
	case int64:
		return strconv.FormatInt(raw, 10)
	case float64:
		return "the number " + strconv.FormatFloat(raw, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(raw)
	case []any:
		return "an array"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}

// shorten cuts a text that would flood a message.
func shorten(text string) string {
	const limit = 80 // bytes
	if len(text) <= limit {
		return text
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
