package entry

import (
	"encoding/json"
	"testing"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/parse"
)

func TestWhatStandsBesideTheTextIsRedactedAsWell(t *testing.T) {
	f, err := filter.NewIntake(nil, nil, "", []string{"hunter2", `tok-\w+`, `a"b`})
	if err != nil {
		t.Fatal(err)
	}
	r := ring.New(ring.Options{Entries: 16, Bytes: 1 << 20})
	w := NewWriter(r.NewBuilder(), f)
	for members, want := range map[string]string{
		`"app":"su","x":{"pw":"hunter2","n":12}`:    `{"app":"su","x":{"pw":"***","n":12}}`,
		`"hunter2":"key", "l":["tok-1","a\"b","é"]`: `{"hunter2":"key","l":["***","***","é"]}`,
		`"u":"\u0068unter2"`:                        `{"u":"***"}`,
		`"":"","e":{}`:                              `{"":"","e":{}}`,
	} {
		c := r.Live()
		d := Draft{Text: []byte("login with hunter2"), Members: []byte(members), Source: "s"}
		var p parse.Parser
		var result parse.Result
		if !w.Parse(&p, &d, &result) {
			t.Fatal("it is filtered")
		}
		w.Write(&d, &result)
		w.Publish()
		page, _, _ := c.Page()
		var got struct {
			Message string
			Fields  json.RawMessage
		}
		if err := json.Unmarshal(page.Entry(0), &got); err != nil {
			t.Fatalf("%s: %v", page.Entry(0), err)
		}
		if !same(t, string(got.Fields), want) || got.Message != "login with ***" {
			t.Errorf("%s: %s", members, page.Entry(0))
		}
	}
}

func same(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Fatal(err)
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return string(p) == string(q)
}
