package filter_test

import (
	"net/url"
	"testing"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// source is that of entries whose source does not matter.
const source = "app.log"

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// publish puts entries into one page of r and returns it.
func publish(t failer, r *ring.Ring, entries ...record.Entry) *ring.Page {
	t.Helper()
	ids := make([]uint16, len(entries))
	for i, e := range entries {
		ids[i] = r.Source(e.Source)
	}
	return publishAs(t, r, ids, entries...)
}

// publishAs is publish with the ids of the sources chosen.
func publishAs(t failer, r *ring.Ring, ids []uint16, entries ...record.Entry) *ring.Page {
	t.Helper()
	c, b, encoder := r.Live(), r.NewBuilder(), new(record.Encoder)
	for i := range entries {
		b.Add(encoder.Append(b.Text(), &entries[i]), ids[i], entries[i].Level)
	}
	b.Publish()
	p, _, ok := c.Page()
	if !ok {
		t.Fatal("nothing was published")
	}
	return &p
}

func newRing() *ring.Ring { return ring.New(ring.Options{Entries: 16, Bytes: 64 << 20}) }

// spec reads a query; values must be escaped where a query wants it.
func spec(t failer, query string) filter.Spec {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	var s filter.Spec
	for name, list := range values {
		for _, value := range list {
			if known, err := s.Set(name, value); !known || err != nil {
				t.Fatalf("%s=%s: known %v, error %v", name, value, known, err)
			}
		}
	}
	return s
}

func compile(t failer, s filter.Spec, sourceName func(uint16) string) *filter.Filter {
	t.Helper()
	f, err := filter.Compile(s, sourceName)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// passes matches one entry in every way that there is: by its source's id and
// by its text, alone and with others around it.
func passes(t failer, s filter.Spec, e record.Entry) bool {
	t.Helper()
	r := newRing()
	around := record.Entry{Source: source, Level: ring.LevelInfo, Message: []byte(`all the "same"` + "\n")}
	alone, amid := publish(t, r, e), publish(t, r, around, e, around)
	textOnly := publishAs(t, r, []uint16{0}, e)

	m := compile(t, s, r.SourceName).NewMatcher()
	pass := m.Match(alone, 0)
	m.Match(amid, 0)
	again := m.Match(amid, 1)
	back := m.Match(amid, 2) && m.Match(amid, 1) || m.Match(amid, 1)
	byText := m.Match(textOnly, 0)
	nameless := compile(t, s, nil).NewMatcher().Match(alone, 0)
	if again != pass || back != pass || byText != pass || nameless != pass {
		t.Fatalf("%+v: alone %v, in a page %v, out of order %v, without id %v, without names %v\n%s",
			s, pass, again, back, byText, nameless, alone.Entry(0))
	}
	switch v := m.Page(alone); {
	case v == filter.All && !pass, v == filter.None && pass:
		t.Fatalf("%+v: the page's verdict is %v, the entry's %v", s, v, pass)
	}
	return pass
}

// text is an entry with a message only.
func text(message string) record.Entry {
	return record.Entry{Source: source, Level: ring.LevelInfo, Message: []byte(message)}
}

// fields is an entry with fields.
func fields(object string) record.Entry {
	e := text("m")
	e.Fields = []byte(object)
	return e
}

// quoted is an entry whose message is JSON as it stands.
func quoted(literal string) record.Entry {
	e := text(literal)
	e.Quoted = true
	return e
}

// verdict is what one query says of one entry.
type verdict struct {
	query string
	entry record.Entry
	want  bool
}

func check(t *testing.T, cases []verdict) {
	t.Helper()
	for _, c := range cases {
		if got := passes(t, spec(t, c.query), c.entry); got != c.want {
			t.Errorf("%s says %v of %s", c.query, got, new(record.Encoder).Append(nil, &c.entry))
		}
	}
}
