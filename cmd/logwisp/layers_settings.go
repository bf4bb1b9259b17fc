package main

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// kind is the form of value a setting takes.
type kind int

const (
	kindBoolean kind = iota
	kindInteger
	kindSize // bytes: an integer, or a string with a unit
	kindFloat
	kindText
	kindList    // of strings
	kindMapping // of strings to strings, with free keys
	kindTable
	kindTables // an array of tables
)

// setting is what the tags of one struct field say about one key. It
// describes a type, not a value, and is the same for all elements of an array
// of tables.
type setting struct {
	name     string // the last part of the key
	index    []int  // of the field in the struct of its table
	kind     kind
	fallback string // the default, as text
	enum     []string
	min, max string     // as text, "" = no limit
	flag     string     // without the dashes, "" = none
	help     string     // the help text of the flag
	secret   bool       // not to be shown
	children []*setting // of a table or of the tables of an array
}

// settingsOf lists the keys of a struct type, in the order of its fields. A
// field is a key when it has a toml tag other than "-"; an embedded struct
// without one adds its keys to those of the struct around it. Tags: toml
// (key), name (flag, unless kong:"-"), default, help, enum (comma separated),
// min, max, type:"bytes" for sizes, secret:"" for what is never shown.
//
// It panics on a key of a type that no value of a file could have, and on a
// limit or default that does not suit its own key: both are errors in the
// program that any run shows.
func settingsOf(table reflect.Type) []*setting {
	var settings []*setting
	for field := range fieldsOf(table) {
		name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
		switch {
		case name == "-":
		case name == "" && field.Anonymous && field.Type.Kind() == reflect.Struct:
			for _, inner := range settingsOf(field.Type) {
				inner.index = append([]int{field.Index[0]}, inner.index...)
				settings = append(settings, inner)
			}
		case name != "" && field.IsExported():
			settings = append(settings, settingOf(table, name, field))
		}
	}
	return settings
}

// fieldsOf iterates over the direct fields of a struct type.
func fieldsOf(table reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range table.NumField() {
			if !yield(table.Field(i)) {
				return
			}
		}
	}
}

func settingOf(table reflect.Type, name string, field reflect.StructField) *setting {
	tag := field.Tag
	s := &setting{
		name:     name,
		index:    field.Index,
		kind:     kindOf(table, field),
		fallback: tag.Get("default"),
		min:      tag.Get("min"),
		max:      tag.Get("max"),
		help:     tag.Get("help"),
	}
	_, s.secret = tag.Lookup("secret")
	if list, ok := tag.Lookup("enum"); ok {
		for value := range strings.SplitSeq(list, ",") {
			s.enum = append(s.enum, strings.TrimSpace(value))
		}
	}
	if tag.Get("kong") != "-" {
		s.flag = tag.Get("name")
	}
	switch s.kind {
	case kindTable:
		s.children = settingsOf(field.Type)
	case kindTables:
		s.children = settingsOf(field.Type.Elem())
	default:
		s.mustSuit(table, field)
	}
	return s
}

// mustSuit panics unless the default and the limits can be values of the key.
func (s *setting) mustSuit(table reflect.Type, field reflect.StructField) {
	for _, limit := range []string{s.min, s.max} {
		if limit != "" && !s.parse(reflect.New(field.Type).Elem(), limit) {
			panic(fmt.Sprintf("%s.%s: limit %q is no value of the key", table, field.Name, limit))
		}
	}
	fallback := reflect.New(field.Type).Elem()
	if s.fallback != "" && !(s.parse(fallback, s.fallback) && s.allows(fallback)) {
		panic(fmt.Sprintf("%s.%s: default %q is not %s", table, field.Name, s.fallback, s.wanted()))
	}
}

func kindOf(table reflect.Type, field reflect.StructField) kind {
	t := field.Type
	number := t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64
	switch {
	case field.Tag.Get("type") == "bytes" && number:
		return kindSize
	case number:
		return kindInteger
	case t.Kind() == reflect.Bool:
		return kindBoolean
	case t.Kind() == reflect.Float32, t.Kind() == reflect.Float64:
		return kindFloat
	case t.Kind() == reflect.String:
		return kindText
	case t.Kind() == reflect.Struct:
		return kindTable
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		return kindList
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return kindTables
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String && t.Elem().Kind() == reflect.String:
		return kindMapping
	}
	panic(fmt.Sprintf("%s.%s: type %s cannot be a key", table, field.Name, t))
}

// setDefaults sets each key of a table to its default, or to the zero value
// when it has none.
func setDefaults(settings []*setting, table reflect.Value) {
	for _, s := range settings {
		value := table.FieldByIndex(s.index)
		if s.kind == kindTable {
			setDefaults(s.children, value)
			continue
		}
		value.SetZero()
		if s.fallback != "" {
			s.parse(value, s.fallback) // settingOf has tried it
		}
	}
}

// eachSetting calls visit for each key below a table that has a value: the
// leaves and, before their elements, the arrays of tables. Paths are dotted,
// elements are numbered from 0: "monitor.targets[0].path".
func eachSetting(settings []*setting, table reflect.Value, parent string, visit func(s *setting, path string, value reflect.Value)) {
	for _, s := range settings {
		value, path := table.FieldByIndex(s.index), joinKey(parent, s.name)
		switch s.kind {
		case kindTable:
			eachSetting(s.children, value, path, visit)
		case kindTables:
			visit(s, path, value)
			for i := range value.Len() {
				eachSetting(s.children, value.Index(i), elementKey(path, i), visit)
			}
		default:
			visit(s, path, value)
		}
	}
}

// eachPath calls visit for each key that can be, tables included. Arrays of
// tables are not numbered here: "monitor.targets.path".
func eachPath(settings []*setting, parent string, visit func(s *setting, path string)) {
	for _, s := range settings {
		path := joinKey(parent, s.name)
		visit(s, path)
		eachPath(s.children, path, visit)
	}
}

// joinKey appends one part to a dotted path. A part that TOML would need
// quotes for is quoted, which keeps different keys different.
func joinKey(parent, name string) string {
	bare := name != "" && strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
	}) < 0
	if !bare {
		name = strconv.Quote(name)
	}
	if parent == "" {
		return name
	}
	return parent + "." + name
}

// elementKey is the path of one element of an array.
func elementKey(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}

var elementNumber = regexp.MustCompile(`\[[0-9]+\]`)

// withoutElements is a path as it stands in the header of a table.
func withoutElements(path string) string {
	return elementNumber.ReplaceAllString(path, "")
}
