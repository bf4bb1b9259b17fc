package main

import (
	"fmt"
	"reflect"

	"github.com/alecthomas/kong"
)

// negatedByPrefix is how kong stores the tag negatable:"".
const negatedByPrefix = "_"

// sizes teaches kong the fields tagged type:"bytes": "64KiB", "1MB", "4096".
func sizes() kong.Option {
	return kong.NamedMapper("bytes", kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto("size", &text); err != nil {
			return err
		}
		number := reflect.New(target.Type()).Elem()
		if !parseSize(number, text) {
			return fmt.Errorf("want a size like 64KiB, have %q", shorten(text))
		}
		target.Set(number)
		return nil
	}))
}

// givenFlags lists the flags that were on the command line, in the order in
// which each was first given, without those kong filled from defaults.
func givenFlags(ctx *kong.Context) []*kong.Flag {
	var given []*kong.Flag
	seen := map[*kong.Flag]bool{}
	for _, step := range ctx.Path {
		if step.Flag == nil || step.Resolved || seen[step.Flag] {
			continue
		}
		seen[step.Flag] = true
		given = append(given, step.Flag)
	}
	return given
}

// flagName is a flag as the user gave it, "--no-enable-tcp" for a negated one.
func flagName(flag *kong.Flag) string {
	switch {
	case !flag.Negated:
		return "--" + flag.Name
	case flag.Tag.Negatable == negatedByPrefix:
		return "--no-" + flag.Name
	}
	return "--" + flag.Tag.Negatable
}

// loadFlags copies the values of the flags that were given from the struct
// that kong filled. Flags of anything else than that struct are left to
// their owner.
func (l *loading) loadFlags() {
	if l.Flags == nil || l.Scratch == nil {
		return
	}
	scratch := reflect.ValueOf(l.Scratch).Elem()
	if scratch.Type() != l.root.Type() {
		panic("sources.Scratch is not of the type of the configuration")
	}
	// A field is found by its address and type, whatever the name of its flag
	// is made of. No two leaves share an address: none has size zero.
	type leaf struct {
		*setting
		path         string
		value, given reflect.Value
	}
	leaves := map[any]leaf{}
	into := map[string]reflect.Value{}
	plain := withoutArrays(l.settings)
	eachSetting(plain, l.root, "", func(_ *setting, path string, value reflect.Value) {
		into[path] = value
	})
	eachSetting(plain, scratch, "", func(s *setting, path string, given reflect.Value) {
		leaves[given.Addr().Interface()] = leaf{s, path, into[path], given}
	})
	for _, flag := range givenFlags(l.Flags) {
		if !flag.Target.CanAddr() {
			continue
		}
		field, ours := leaves[flag.Target.Addr().Interface()]
		if !ours {
			continue
		}
		name := flagName(flag)
		if !field.allows(field.given) {
			at := problem{Where: name, Key: field.path, layer: layerFlags}
			l.refuse(at, field.setting, fmt.Sprintf("%v", field.given), field.nearestAllowed(fmt.Sprint(field.given)))
			continue
		}
		field.value.Set(field.given)
		l.origins[field.path] = name
	}
}
