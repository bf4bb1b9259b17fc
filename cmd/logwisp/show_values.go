package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"logwisp/netio"
)

// shown is a text of a configuration as it may be seen: a key tagged secret and
// what is secret in a URL are masked.
func (s *setting) shown(text string) string {
	if s.secret && text != "" {
		return netio.Masked
	}
	if !strings.Contains(text, "://") {
		return text
	}
	return netio.ShownURL(text)
}

// plainText is the value as a variable or a flag has it.
func (s *setting) plainText(value reflect.Value) string {
	switch s.kind {
	case kindSize:
		return sizeText(value)
	case kindText:
		return s.shown(value.String())
	case kindList, kindMapping:
		return strings.Join(s.items(value), ",")
	}
	return fmt.Sprint(value)
}

// tomlText is the value as a file has it.
func (s *setting) tomlText(value reflect.Value) string {
	switch s.kind {
	case kindSize:
		if text := sizeText(value); strings.HasSuffix(text, "B") {
			return quoted(text)
		}
	case kindFloat:
		text := strconv.FormatFloat(value.Float(), 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	case kindText:
		return quoted(s.shown(value.String()))
	case kindList:
		return "[" + strings.Join(quotedAll(s.items(value)), ", ") + "]"
	case kindMapping:
		var pairs []string
		for _, name := range keysOf(value) {
			pairs = append(pairs, joinKey("", name)+" = "+quoted(s.shown(entryOf(value, name))))
		}
		return "{" + strings.Join(pairs, ", ") + "}"
	}
	return fmt.Sprint(value)
}

// jsonText is the value in JSON: a size is its number of bytes.
func (s *setting) jsonText(value reflect.Value) string {
	switch s.kind {
	case kindText:
		return quoted(s.shown(value.String()))
	case kindList:
		return "[" + strings.Join(quotedAll(s.items(value)), ",") + "]"
	case kindMapping:
		var pairs []string
		for _, name := range keysOf(value) {
			pairs = append(pairs, quoted(name)+":"+quoted(s.shown(entryOf(value, name))))
		}
		return "{" + strings.Join(pairs, ",") + "}"
	}
	return fmt.Sprint(value)
}

// items lists the elements of a list, and of a mapping as NAME=VALUE.
func (s *setting) items(value reflect.Value) []string {
	var items []string
	if s.kind == kindMapping {
		for _, name := range keysOf(value) {
			items = append(items, name+"="+s.shown(entryOf(value, name)))
		}
		return items
	}
	for i := range value.Len() {
		items = append(items, s.shown(value.Index(i).String()))
	}
	return items
}

func keysOf(mapping reflect.Value) []string {
	names := map[string]bool{}
	for _, key := range mapping.MapKeys() {
		names[key.String()] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func entryOf(mapping reflect.Value, name string) string {
	return mapping.MapIndex(reflect.ValueOf(name).Convert(mapping.Type().Key())).String()
}

// sizeText is a number of bytes in the largest unit that leaves no fraction.
func sizeText(value reflect.Value) string {
	number := uint64(0)
	if value.CanUint() {
		number = value.Uint()
	} else {
		number = uint64(value.Int()) // a size is never negative
	}
	units := []string{"", "KiB", "MiB", "GiB", "TiB"}
	unit := 0
	for number > 0 && number%1024 == 0 && unit < len(units)-1 {
		number, unit = number/1024, unit+1
	}
	return strconv.FormatUint(number, 10) + units[unit]
}

// quoted is a string of both JSON and TOML.
func quoted(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always can be
	return strings.ReplaceAll(strings.TrimSuffix(out.String(), "\n"), "\x7f", `\u007f`)
}

func quotedAll(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = quoted(text)
	}
	return all
}
