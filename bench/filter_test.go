package bench

import (
	"encoding/json"
	"fmt"
	"regexp"
	"testing"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// decodedEntry is an entry as encoding/json gives it back.
type decodedEntry struct {
	Source  string         `json:"source"`
	Level   string         `json:"level"`
	Message string         `json:"message"`
	Fields  map[string]any `json:"fields"`
}

// filterCases are filters, and what their users would write with encoding/json
// and regexp.
var filterCases = []struct {
	name, parameter, value string
	plain                  func(*decodedEntry) bool
}{
	{"level", "level", "warn", func(e *decodedEntry) bool {
		return e.Level == "warn" || e.Level == "error" || e.Level == "fatal"
	}},
	{"source", "source", "app3.log", func(e *decodedEntry) bool { return e.Source == "app3.log" }},
	{"q-miss", "q", "timeout", searched(`(?i)timeout`)},
	{"q-hit", "q", "SERVED", searched(`(?i)served`)},
	{"re-miss", "re", `status=5\d\d`, searched(`status=5\d\d`)},
	{"re-hit", "re", `path=\S+ status=2`, searched(`path=\S+ status=2`)},
	{"field", "field", "status>=500", func(e *decodedEntry) bool {
		status, ok := e.Fields["status"].(float64)
		return ok && status >= 500
	}},
}

// searched searches the message and the fields that are strings.
func searched(pattern string) func(*decodedEntry) bool {
	re := regexp.MustCompile(pattern)
	return func(e *decodedEntry) bool {
		if re.MatchString(e.Message) {
			return true
		}
		for _, value := range e.Fields {
			if text, ok := value.(string); ok && re.MatchString(text) {
				return true
			}
		}
		return false
	}
}

// filterPage is one full page of entries of ten sources, every eighth a
// warning and every eighth of those with the status 503.
func filterPage(tb testing.TB) (*ring.Page, *ring.Ring) {
	r := ring.New(ring.Options{Entries: 16, Bytes: 1 << 20})
	c, b, encoder := r.Live(), r.NewBuilder(), new(record.Encoder)
	for i := 0; !b.Full(); i++ {
		e := newEntry(messages[0].text)
		e.Source, e.Micros = fmt.Sprintf("app%d.log", i%10), entryMicros+int64(i)*37
		status := 200
		if i%8 == 0 {
			e.Level = ring.LevelWarn
			if i%64 == 0 {
				status = 503
			}
		}
		e.Fields = fmt.Appendf(nil, `{"status":%d,"path":"/api/v1/items","request":"%016x"}`, status, i)
		b.Add(encoder.Append(b.Text(), &e), r.Source(e.Source), e.Level)
	}
	b.Publish()
	p, _, ok := c.Page()
	if !ok {
		tb.Fatal("the page has not come")
	}
	return &p, r
}

// plainMatches counts the entries that pass, the usual way.
func plainMatches(tb testing.TB, p *ring.Page, pass func(*decodedEntry) bool) (passed int) {
	for i := range p.Count() {
		var e decodedEntry
		if err := json.Unmarshal(p.Entry(i), &e); err != nil {
			tb.Fatal(err)
		}
		if pass(&e) {
			passed++
		}
	}
	return passed
}

// filterMatches is plainMatches with a Matcher.
func filterMatches(p *ring.Page, m *filter.Matcher) (passed int) {
	for i := range p.Count() {
		if m.Match(p, i) {
			passed++
		}
	}
	return passed
}

func newMatcher(tb testing.TB, r *ring.Ring, parameter, value string) *filter.Matcher {
	var s filter.Spec
	if known, err := s.Set(parameter, value); !known || err != nil {
		tb.Fatalf("%s=%s: known %v, error %v", parameter, value, known, err)
	}
	f, err := filter.Compile(s, r.SourceName)
	if err != nil {
		tb.Fatal(err)
	}
	return f.NewMatcher()
}

func BenchmarkFilter(b *testing.B) {
	p, r := filterPage(b)
	for _, c := range filterCases {
		var withJSON float64
		b.Run(c.name+"/json", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				plainMatches(b, p, c.plain)
			}
			withJSON = perLine(b, p.Count())
		})
		b.Run(c.name+"/filter", func(b *testing.B) {
			other := *p // pages alternate, so that what is remembered of one is of no use
			other.Index++
			pages := [2]*ring.Page{p, &other}
			m := newMatcher(b, r, c.parameter, c.value)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				filterMatches(pages[n&1], m)
				n++
			}
			times(b, withJSON, perLine(b, p.Count()), "x-json")
		})
	}
}

func TestBothFiltersPassTheSameEntries(t *testing.T) {
	p, r := filterPage(t)
	for _, c := range filterCases {
		want := plainMatches(t, p, c.plain)
		if got := filterMatches(p, newMatcher(t, r, c.parameter, c.value)); got != want {
			t.Errorf("%s: %d of %d entries pass, encoding/json and regexp say %d", c.name, got, p.Count(), want)
		}
	}
}
