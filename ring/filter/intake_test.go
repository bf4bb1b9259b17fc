package filter_test

import (
	"strings"
	"testing"

	"logwisp/ring"
	"logwisp/ring/filter"
)

func TestLinesAreAdmittedByPatternAndLevel(t *testing.T) {
	for _, c := range []struct {
		include, exclude []string
		level            string
		line             string
		of               ring.Level
		want             bool
	}{
		{nil, nil, "warn", "x", ring.LevelInfo, false},
		{nil, nil, "warn", "x", ring.LevelWarn, true},
		{nil, nil, "warn", "x", ring.LevelUnknown, true},
		{[]string{"a", "b"}, nil, "", "xbx", ring.LevelInfo, true},
		{[]string{"a", "b"}, nil, "", "xcx", ring.LevelInfo, false},
		{nil, []string{"^x", "y$"}, "", "zy", ring.LevelInfo, false},
		{nil, []string{"^x", "y$"}, "", "yx", ring.LevelInfo, true},
		{[]string{"a"}, []string{"b"}, "", "ab", ring.LevelInfo, false},
		{[]string{""}, []string{""}, "info", "ab", ring.LevelInfo, true},
		{[]string{"a"}, nil, "error", "a", ring.LevelInfo, false},
	} {
		in, err := filter.NewIntake(c.include, c.exclude, c.level, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := in.Admit([]byte(c.line), c.of); got != c.want {
			t.Errorf("include %q, exclude %q, level %q: %v for %s", c.include, c.exclude, c.level, got, c.line)
		}
	}
}

func TestEveryMatchOfEveryPatternIsRedacted(t *testing.T) {
	for _, c := range []struct {
		patterns   []string
		line, want string
	}{
		{[]string{"secret"}, "a secret, another secret", "a ***, another ***"},
		{[]string{`\d+`, `[a-z]+=\w+`}, "id=17 n 5", "*** n ***"},
		{[]string{"abc", "cde"}, "xabcdex", "x***x"},
		{[]string{"ab", "cd"}, "abcd", "******"},
		{[]string{"abcd", "bc"}, "abcd", "***"},
		{[]string{"^a", "c$"}, "aabcc", "***abc***"},
		{[]string{`\bkey\b`}, "key monkey", "*** monkey"},
		{[]string{"x*"}, "axxb", "a***b"},
		{[]string{"y*"}, "axxb", "axxb"},
		{[]string{"é"}, "caf\u00e9", "caf***"},
		{[]string{"secret"}, "", ""},
	} {
		in, err := filter.NewIntake(nil, nil, "", c.patterns)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got := string(in.Redact([]byte(c.line))); got != c.want {
				t.Errorf("%q makes %s of %s, want %s", c.patterns, got, c.line, c.want)
			}
		}
	}
}

func TestRedactLeavesItsArgumentAsItIs(t *testing.T) {
	in, err := filter.NewIntake(nil, nil, "", []string{"secret"})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("secret ", 20000)
	for _, text := range []string{"a secret", long, "no more"} {
		line := []byte(text)
		got := in.Redact(line)
		if string(line) != text || strings.Contains(string(got), "secret") {
			t.Errorf("%.20s: the line is %.20s, the result %.20s", text, line, got)
		}
	}
}

func TestWithoutAnythingToDoThereIsNoIntake(t *testing.T) {
	in, err := filter.NewIntake(nil, []string{""}, "", nil)
	if in != nil || err != nil {
		t.Errorf("%v, %v", in, err)
	}
	line := []byte("x")
	if !in.Admit(line, ring.LevelTrace) || &in.Redact(line)[0] != &line[0] {
		t.Error("a nil Intake changes something")
	}
}

func TestABadIntakeIsExplained(t *testing.T) {
	for _, c := range []struct {
		lists [4]string // include, exclude, level, redact
		want  string
	}{
		{[4]string{"(", "", "", ""}, "include=(: not an RE2"},
		{[4]string{"", "(", "", ""}, "exclude=(: not an RE2"},
		{[4]string{"", "", "wran", ""}, "level=wran: no such level"},
		{[4]string{"", "", "", "(?!a)"}, "redact=(?!a): RE2 has no (?!"},
		{[4]string{"", "", "", strings.Repeat("x", filter.MaxPatternBytes+1)}, "the most is 1024"},
	} {
		_, err := filter.NewIntake([]string{c.lists[0]}, []string{c.lists[1]}, c.lists[2], []string{c.lists[3]})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.lists, err)
		}
	}
}
