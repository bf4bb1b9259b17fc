package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
)

// entry is what is compared: fields are flattened, as stores do it that keep
// texts by names.
type entry struct {
	time                   time.Time
	source, level, message string
	fields                 map[string]string
}

// ownEntries reads entries in LogWisp's form, one a line.
func ownEntries(text []byte) ([]entry, error) {
	var all []entry
	for line := range bytes.Lines(text) {
		var e struct {
			Time                   time.Time
			Source, Level, Message string
			Fields                 map[string]any
		}
		if err := decode(line, &e); err != nil {
			return nil, fmt.Errorf("%w in %.200q", err, line)
		}
		all = append(all, entry{e.Time, e.Source, e.Level, e.Message, flat(e.Fields)})
	}
	return all, nil
}

func decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

// flat takes objects apart into names with dots.
func flat(fields map[string]any) map[string]string {
	out := make(map[string]string)
	var add func(prefix string, v any)
	add = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				add(name+"."+key, inner)
			}
		case string:
			out[name] = v
		default:
			text, _ := json.Marshal(v)
			out[name] = string(text)
		}
	}
	for key, v := range fields {
		add(key, v)
	}
	return out
}

// misread says what LogWisp has made of a log that does not say what was written;
// "" = nothing.
func misread(wrote, have []entry) string {
	if len(wrote) != len(have) {
		return fmt.Sprintf("of %d lines it has made %d entries", len(wrote), len(have))
	}
	for i, w := range wrote {
		h := have[i]
		if h.message != w.message || h.level != w.level || !w.time.IsZero() && !h.time.Equal(w.time) {
			return fmt.Sprintf("line %d is %.300s, and became %.300s", i+1, fmt.Sprint(w), fmt.Sprint(h))
		}
	}
	return ""
}

// lenience is what may differ.
type lenience struct {
	more     bool // there may be further fields
	renamed  bool // the source may be another
	readTime bool // of lines without a time, which have that at which they were read
}

// compare says what is wrong with what has arrived, in any order; "" = nothing.
func compare(want, got []entry, may lenience) string {
	known := make(map[string]entry, len(want))
	for _, e := range want {
		known[e.message] = e
	}
	if len(known) != len(want) {
		return fmt.Sprintf("the test is wrong: %d entries have %d messages", len(want), len(known))
	}
	seen := make(map[string]int)
	strange, differ, example := 0, 0, ""
	for _, g := range got {
		w, ok := known[g.message]
		if !ok {
			if strange++; strange == 1 {
				example = fmt.Sprintf("strange: %.200q", g.message)
			}
			continue
		}
		seen[g.message]++
		if may.renamed {
			g.source = w.source
		}
		if may.readTime && strings.HasPrefix(g.message, "plain") {
			g.time = w.time
		}
		if may.more {
			maps.DeleteFunc(g.fields, func(name, _ string) bool { _, ok := w.fields[name]; return !ok })
		}
		if !g.time.Equal(w.time) || g.source != w.source || g.level != w.level || !maps.Equal(g.fields, w.fields) {
			if differ++; differ == 1 {
				example = fmt.Sprintf("want %.300s, got %.300s", fmt.Sprint(w), fmt.Sprint(g))
			}
		}
	}
	twice := 0
	for _, n := range seen {
		twice += n - 1
	}
	if missing := len(want) - len(seen); missing+twice+strange+differ > 0 {
		return fmt.Sprintf("%d missing, %d twice, %d strange, %d differ: %s", missing, twice, strange, differ, example)
	}
	return ""
}
