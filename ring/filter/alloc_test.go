package filter_test

import (
	"fmt"
	"testing"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

func TestMatchingAllocatesNothing(t *testing.T) {
	r := newRing()
	var entries []record.Entry
	for i := range 100 {
		e := record.Entry{
			Source: fmt.Sprintf("app%d.log", i%10), Level: ring.Level(i % 7),
			Message: fmt.Appendf(nil, "request %d served in %d ms", i, i%20),
			Fields:  []byte(`{"status":"200","path":"/api","user":{"name":"al\u0069ce"}}`),
		}
		entries = append(entries, e)
	}
	p := publish(t, r, entries...)
	for _, query := range []string{
		"level=warn", "source=app1*", "not_source=app1*", "q=SERVED", "q=absent", "not=absent", "q=größe", "q=alice",
		"re=ser.ed", "re=abs.nt", "not_re=abs.nt", "field=status>=500", "field=user.name=alice", "field=status~^2",
		"level=info&source=app*&q=request&not=absent&field=path!=/x",
	} {
		m := compile(t, spec(t, query), r.SourceName).NewMatcher()
		passed := 0
		run := func() {
			if m.Page(p) == filter.None {
				return
			}
			for i := range p.Count() {
				if m.Match(p, i) {
					passed++
				}
			}
		}
		run() // grows the buffers
		if n := testing.AllocsPerRun(20, run); n != 0 && !raceEnabled {
			t.Errorf("%s: %v allocations in %d entries", query, n, p.Count())
		}
	}
}

func TestAdmittingAllocatesNothing(t *testing.T) {
	in, err := filter.NewIntake([]string{"a", "b"}, []string{"x"}, "info", []string{"secret=[a-z]+"})
	if err != nil {
		t.Fatal(err)
	}
	line := []byte("a line that is like many")
	if n := testing.AllocsPerRun(100, func() {
		if !in.Admit(line, ring.LevelInfo) || &in.Redact(line)[0] != &line[0] {
			panic("the line has changed")
		}
	}); n != 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}
