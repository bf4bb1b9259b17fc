package main

import (
	"strings"
	"testing"
	"time"
)

func TestWhatIsMadeOfALineIsComparedWithIt(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	wrote := []entry{{time: at, level: "warn", message: "a"}, {message: "plain"}}
	have := []entry{{time: at, level: "warn", message: "a", source: "s"}, {time: at, message: "plain"}}
	if says := misread(wrote, have); says != "" {
		t.Errorf("it says %q of what is right", says)
	}
	for _, wrong := range []entry{{time: at.Add(1000), level: "warn", message: "a"}, {time: at, level: "info", message: "a"}, {time: at, level: "warn", message: "b"}} {
		if misread(wrote, []entry{wrong, have[1]}) == "" {
			t.Errorf("%v passes for %v", wrong, wrote[0])
		}
	}
	if misread(wrote, have[:1]) == "" {
		t.Error("one that is missing is not seen")
	}
}

func TestWhateverIsWrongWithAnEntryIsSeen(t *testing.T) {
	const line = `{"time":"2026-01-01T00:00:00.000001Z","source":"a.log","level":"warn","message":"m%","fields":{"n":1,"o":{"p":"q"}}}` + "\n"
	read := func(text string) []entry {
		t.Helper()
		all, err := ownEntries([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	first, second := strings.Replace(line, "%", "1", 1), strings.Replace(line, "%", "2", 1)
	want := first + second
	for name, c := range map[string]struct {
		got, says string
		may       lenience
	}{
		"nothing":                {got: second + first},
		"one is missing":         {got: first, says: "1 missing"},
		"one came twice":         {got: want + second, says: "1 twice"},
		"one is strange":         {got: want + strings.Replace(line, "%", "3", 1), says: "1 strange"},
		"another time":           {got: first + strings.Replace(second, "1Z", "2Z", 1), says: "1 differ"},
		"another level":          {got: first + strings.Replace(second, "warn", "info", 1), says: "1 differ"},
		"another source":         {got: first + strings.Replace(second, "a.log", "b.log", 1), says: "1 differ"},
		"another field":          {got: first + strings.Replace(second, `"q"`, `"r"`, 1), says: "1 differ"},
		"one field more":         {got: first + strings.Replace(second, `"n":1`, `"n":1,"h":2`, 1), says: "1 differ"},
		"a field more, as may":   {got: first + strings.Replace(second, `"n":1`, `"n":1,"h":2`, 1), may: lenience{more: true}},
		"a field less, more may": {got: first + strings.Replace(second, `"n":1,`, ``, 1), says: "1 differ", may: lenience{more: true}},
		"another source, as may": {got: first + strings.Replace(second, "a.log", "b.log", 1), may: lenience{renamed: true}},
	} {
		says := compare(read(want), read(c.got), c.may)
		if !strings.Contains(says, c.says) || (says == "") != (c.says == "") {
			t.Errorf("%s: compare says %q, want %q", name, says, c.says)
		}
	}
}
