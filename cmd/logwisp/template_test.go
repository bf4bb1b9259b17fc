package main

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// loadText loads a configuration file, as the daemon does without flags and
// environment.
func loadText(t *testing.T, text []byte) config {
	t.Helper()
	var s settings
	var problems []problem
	s.origins, problems = load(&s.config, sources{File: "logwisp.toml", TOML: text})
	s.setTargets(nil)
	if len(problems) > 0 {
		t.Fatalf("it does not load: %v\n%s", problems, text)
	}
	return s.config
}

func TestTemplateLoadsToTheDefaults(t *testing.T) {
	want := loadText(t, nil)
	if got := loadText(t, template()); !reflect.DeepEqual(got, want) {
		t.Errorf("the template means\n%+v, want\n%+v", got, want)
	}
	// With all keys commented in as well: what it shows are the defaults.
	keys := regexp.MustCompile(`(?m)^#([^ #])`).ReplaceAll(template(), []byte("$1"))
	if got := loadText(t, keys); !reflect.DeepEqual(got, want) {
		t.Errorf("the keys of the template mean\n%+v, want\n%+v", got, want)
	}
}

func TestTemplateHasEveryKeyAndSaysWhatItIsFor(t *testing.T) {
	lines := strings.Split(string(template()), "\n")
	at := map[string]int{}
	table := ""
	for i, line := range lines {
		line = strings.TrimLeft(line, "#") // two before what is empty by default
		if name, ok := strings.CutPrefix(line, "["); ok {
			table = strings.Trim(name, "[]")
		} else if name, _, ok := strings.Cut(line, " = "); ok && !strings.HasPrefix(line, " ") {
			at[table+"."+name] = i
		}
	}
	eachPath(settingsOf(reflect.TypeFor[config]()), "", func(s *setting, path string) {
		i, ok := at[path]
		switch {
		case s.kind == kindTable || s.kind == kindTables:
		case !ok:
			t.Errorf("%s is not in the template", path)
		case !strings.HasPrefix(lines[i-1], "# "):
			t.Errorf("nothing says what %s is for:\n%s\n%s", path, lines[i-1], lines[i])
		}
	})
	for _, line := range lines {
		if len(line) > 80 {
			t.Errorf("longer than 80 bytes: %s", line)
		}
	}
}

func TestEveryPurposeIsThatOfKey(t *testing.T) {
	for text := range purposes {
		found := false
		eachPath(settingsOf(reflect.TypeFor[config]()), "", func(s *setting, path string) {
			found = found || s.help == "" && purposes.of(path) == purposes[text]
		})
		if !found {
			t.Errorf("no key without a flag is called %s", text)
		}
	}
}
