package main

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// parse sets a value from the text of a variable, a tag or a flag, and
// reports whether the text has the form of the setting. Limits are left to
// allows. Lists are comma separated, mappings are "key=value,…".
func (s *setting) parse(value reflect.Value, text string) bool {
	switch s.kind {
	case kindText:
		value.SetString(text)
		return true
	case kindList:
		value.Set(listOf(value.Type(), splitList(text)))
		return true
	case kindMapping:
		return parseMapping(value, splitList(text))
	}
	text = strings.TrimSpace(text)
	switch s.kind {
	case kindBoolean:
		truth, ok := parseBoolean(text)
		value.SetBool(truth)
		return ok
	case kindInteger:
		return parseInteger(value, text)
	case kindSize:
		return parseSize(value, text)
	case kindFloat:
		number, err := strconv.ParseFloat(text, 64)
		value.SetFloat(number)
		return err == nil && !math.IsNaN(number) && !math.IsInf(number, 0)
	}
	return false
}

// parseBoolean takes what kong takes for a flag, and on and off.
func parseBoolean(text string) (truth, ok bool) {
	switch strings.ToLower(text) {
	case "true", "1", "yes", "on":
		return true, true
	case "false", "0", "no", "off":
		return false, true
	}
	return false, false
}

func parseInteger(value reflect.Value, text string) bool {
	if value.CanUint() {
		number, err := strconv.ParseUint(text, 10, value.Type().Bits())
		value.SetUint(number)
		return err == nil
	}
	number, err := strconv.ParseInt(text, 10, value.Type().Bits())
	value.SetInt(number)
	return err == nil
}

// parseSize sets a number of bytes. A comma is refused: it would be taken for
// a separator of thousands, so that 1,5GiB became fifteen.
func parseSize(value reflect.Value, text string) bool {
	number, err := humanize.ParseBytes(text)
	if err != nil || strings.Contains(text, ",") {
		return false
	}
	return setUnsigned(value, number)
}

// setUnsigned sets an integer of any type, unless the number does not fit.
func setUnsigned(value reflect.Value, number uint64) bool {
	if value.CanUint() {
		value.SetUint(number)
		return !value.OverflowUint(number)
	}
	if number > math.MaxInt64 || value.OverflowInt(int64(number)) {
		return false
	}
	value.SetInt(int64(number))
	return true
}

// setSigned sets an integer of any type, unless the number does not fit.
func setSigned(value reflect.Value, number int64) bool {
	if number >= 0 {
		return setUnsigned(value, uint64(number))
	}
	if value.CanUint() || value.OverflowInt(number) {
		return false
	}
	value.SetInt(number)
	return true
}

func splitList(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// splitURLs is splitList for URLs. One of NATS may name several servers: what has no
// scheme behind it is another.
func splitURLs(text string) (urls []string) {
	for _, item := range splitList(text) {
		if last := len(urls) - 1; last >= 0 && isNATS(urls[last]) && item != stdin && !strings.Contains(item, "://") {
			urls[last] += "," + item
		} else {
			urls = append(urls, item)
		}
	}
	return urls
}

// listOf makes a slice of the type, whose elements are of a kind of string.
func listOf(list reflect.Type, items []string) reflect.Value {
	value := reflect.MakeSlice(list, len(items), len(items))
	for i, item := range items {
		value.Index(i).SetString(item)
	}
	return value
}

func parseMapping(value reflect.Value, pairs []string) bool {
	value.Set(reflect.MakeMapWithSize(value.Type(), len(pairs)))
	for _, pair := range pairs {
		name, item, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return false
		}
		setEntry(value, strings.TrimSpace(name), strings.TrimSpace(item))
	}
	return true
}

func setEntry(mapping reflect.Value, name, item string) {
	t := mapping.Type()
	mapping.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), reflect.ValueOf(item).Convert(t.Elem()))
}

// allows reports whether a value is within the limits of the setting and,
// when it has an enum, in that.
func (s *setting) allows(value reflect.Value) bool {
	if s.kind == kindSize && value.CanInt() && value.Int() < 0 {
		return false
	}
	if s.min != "" && s.compare(value, s.min) < 0 || s.max != "" && s.compare(value, s.max) > 0 {
		return false
	}
	if s.enum == nil {
		return true
	}
	if s.kind == kindList {
		for i := range value.Len() {
			if !slices.Contains(s.enum, value.Index(i).String()) {
				return false
			}
		}
		return true
	}
	return slices.Contains(s.enum, fmt.Sprint(value))
}

// compare orders a number and a limit given as text.
func (s *setting) compare(value reflect.Value, limit string) int {
	bound := reflect.New(value.Type()).Elem()
	s.parse(bound, limit)
	switch {
	case value.CanInt():
		return cmp.Compare(value.Int(), bound.Int())
	case value.CanUint():
		return cmp.Compare(value.Uint(), bound.Uint())
	case value.CanFloat():
		return cmp.Compare(value.Float(), bound.Float())
	}
	return 0
}

// wanted describes the values a setting takes: "an integer from 0 to 65535".
func (s *setting) wanted() string {
	if s.enum != nil {
		allowed := make([]string, len(s.enum))
		for i, value := range s.enum {
			allowed[i] = strconv.Quote(value)
			if s.kind != kindText && s.kind != kindList {
				allowed[i] = value
			}
		}
		if s.kind == kindList {
			return "an array of " + strings.Join(allowed, ", ")
		}
		return "one of " + strings.Join(allowed, ", ")
	}
	form := map[kind]string{
		kindBoolean: "true or false", kindInteger: "an integer", kindSize: "a size (bytes, or a string like \"64KiB\")",
		kindFloat: "a number", kindText: "a string", kindList: "an array of strings",
		kindMapping: "a table of strings", kindTable: "a table", kindTables: "an array of tables",
	}[s.kind]
	switch {
	case s.min != "" && s.max != "":
		form += " from " + s.min + " to " + s.max
	case s.min != "":
		form += " of at least " + s.min
	case s.max != "":
		form += " of at most " + s.max
	}
	return form
}

// nearestAllowed is a hint at the enum value that the text was meant to be.
func (s *setting) nearestAllowed(text string) string {
	if value := nearest(text, s.enum); value != "" {
		return "did you mean " + strconv.Quote(value) + "?"
	}
	return ""
}
