package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"logwisp/ring"
)

func (r *rig) post(contentType, body string) Outcome {
	r.t.Helper()
	o, err := r.server.Post(Batch{Body: []byte(body), ContentType: contentType, Peer: "192.0.2.1"})
	if err != nil {
		r.t.Fatal(err)
	}
	return o
}

func TestABodyIsTakenByItsContentType(t *testing.T) {
	const ndjson, form = "application/x-ndjson; charset=utf-8", "application/x-www-form-urlencoded"
	no := func(line int, why string) Rejection { return Rejection{line, why} }
	const notJSON = "not a JSON object"
	for _, c := range []struct {
		contentType, body string
		rejected          []Rejection
		messages          []string
	}{
		{ndjson, "{\"msg\":\"a\"}\n\n{\"msg\":\"b\"}", nil, []string{"a", "b"}},
		{ndjson, "{\"msg\":\"a\"}\ntext\n[1]\n\"x\"\nlevel=info msg=x\n{\"msg\":\n{\"msg\":\"b\"}\n", []Rejection{no(2, notJSON), no(3, notJSON), no(4, notJSON), no(5, notJSON), no(6, notJSON)}, []string{"a", "b"}},
		{"application/json", ` [ {"msg":"a"} , {"msg":"b","n":1}, "a line", 5, null ] `, []Rejection{no(4, "want an object or a string"), no(5, "want an object or a string")}, []string{"a", "b", "a line"}},
		{"application/json", "{\n \"msg\": \"a\",\n \"n\": 1\n}\n", nil, []string{"a"}},
		{"application/json", "{\"msg\":\"a\"}\n{\"msg\":\"b\"}\n", nil, []string{"a", "b"}},
		{"application/json", `[{"msg":"a"}, {"msg":]`, []Rejection{no(2, "invalid character ']' looking for beginning of value; what follows is left out")}, []string{"a"}},
		{"application/json", `[{"msg":"a"}`, []Rejection{no(1, "the array has no end; what follows is left out")}, []string{"a"}},
		{"application/json", `[{"msg":"a"}] {"msg":"b"}`, []Rejection{no(2, "there is more behind the array; what follows is left out")}, []string{"a"}},
		{"application/json", `[]`, nil, nil},
		{"application/json", ``, nil, nil},
		{"text/plain", "[INFO] text\r\n  \n{\"msg\":\"a\"}\n{broken\nlast", nil, []string{"[INFO] text", "a", "{broken", "last"}},
		{"text/plain", "[2024]\n", nil, []string{"[2024]"}},
		{form, "[INFO] text\n", nil, []string{"[INFO] text"}},
		{"", "[{\"msg\":\"a\"},\"b\"]\n", nil, []string{"a", "b"}},
	} {
		r := newRig(t, Settings{Post: true})
		o := r.post(c.contentType, c.body)
		if want := (Outcome{len(c.messages), len(c.rejected), c.rejected}); !reflect.DeepEqual(o, want) {
			t.Errorf("%s %q: %+v, want %+v", c.contentType, c.body, o, want)
		}
		r.collect() // all of it is in the ring
		if have := r.messages(); !slices.Equal(have, c.messages) {
			t.Errorf("%s %q: got %q, want %q", c.contentType, c.body, have, c.messages)
		}
		for _, e := range r.got {
			if e.Source != "192.0.2.1" || e.Fields["_partial"] != nil {
				t.Errorf("got %+v", e)
			}
		}
	}
}

func TestABatchSaysWhichLinesWereRejectedUpToTen(t *testing.T) {
	r := newRig(t, Settings{Post: true})
	o := r.post("application/x-ndjson", "{\"msg\":\"a\"}\n"+strings.Repeat("x\n", 20))
	if o.Accepted != 1 || o.Rejected != 20 || len(o.Errors) != 10 || o.Errors[0].Line != 2 || o.Errors[9].Line != 11 {
		t.Errorf("%+v", o)
	}
	if s := r.server.Stats()[0]; s.Rejected != 20 || s.Entries != 1 || s.Accepted != 1 || s.Scheme != "http" {
		t.Errorf("the figures are %+v", s)
	}
}

func TestTheSourceOfABatchIsThatOfTheEntryThenOfTheQuery(t *testing.T) {
	r := newRig(t, Settings{Post: true})
	if _, err := r.server.Post(Batch{Body: []byte("{\"source\":\"own\",\"message\":\"a\"}\nb\n"), Source: "query", Peer: "192.0.2.1"}); err != nil {
		t.Fatal(err)
	}
	r.sees("a", "b")
	if r.got[0].Source != "own" || r.got[1].Source != "query" {
		t.Errorf("got %+v", r.got)
	}
}

func TestLongLinesOfABatchAreCutAndLongObjectsRejected(t *testing.T) {
	r := newRig(t, Settings{Post: true})
	const limit = 1 << 20
	object := func(n int) string { return `{"msg":"` + strings.Repeat("x", n-len(`{"msg":""}`)) + `"}` }
	o := r.post("application/x-ndjson", object(limit)+"\n"+object(limit+1)+"\n")
	if o.Accepted != 1 || o.Rejected != 1 || o.Errors[0].Line != 2 || !strings.Contains(o.Errors[0].Error, "limit") {
		t.Errorf("%+v", o)
	}
	o = r.post("application/json", "["+object(limit)+","+object(limit+1)+"]")
	if o.Accepted != 1 || o.Rejected != 1 {
		t.Errorf("%+v", o)
	}
	o = r.post("text/plain", strings.Repeat("x", limit+5))
	if r.collect(); o.Accepted != 1 || r.got[2].Fields["_truncated"] != 5.0 {
		t.Errorf("%+v", o)
	}
}

// TestAnEntryIsLongerThanTheLineItWasMadeOf sends what a daemon with the same limit
// makes of a line that is as long as it may be, by both ways.
func TestAnEntryIsLongerThanTheLineItWasMadeOf(t *testing.T) {
	const limit = 1 << 20
	entry := func(id int, message string) string {
		return fmt.Sprintf(`{"id":"1-%d","source":"own","level":"error","message":"%s"}`, id, message)
	}
	plain, quotes := strings.Repeat("x", limit), strings.Repeat(`\"`, limit)
	r := newRig(t, Settings{Post: true}, tcpInput(Options{}))
	c := r.talker()
	c.says(`{"hello":1,"acks":true}` + "\n" + entry(1, plain) + "\n")
	c.hears(`{"ack":"1-1"}`)
	c.says(entry(2, quotes) + "\n")
	c.hears(`{"ack":"1-2"}`)
	if o := r.post("application/x-ndjson", entry(3, plain)+"\n"); o.Accepted != 1 {
		t.Errorf("%+v", o)
	}
	if o := r.post("application/json", "["+entry(4, quotes)+"]"); o.Accepted != 1 {
		t.Errorf("%+v", o)
	}
	c.says(strings.Repeat("y", limit+7) + "\n" + `{"source":"s","message":"m","x":"` + plain + "\"}\n" + entry(5, quotes+quotes) + "\n")
	r.until("all", func() bool { return len(r.got) == 7 })
	for i, want := range []string{plain, strings.Repeat(`"`, limit), plain, strings.Repeat(`"`, limit)} {
		if e := r.got[i]; e.Message != want || e.Source != "own" || e.Fields["_truncated"] != nil {
			t.Errorf("entry %d has %d bytes of %q, %v", i+1, len(e.Message), e.Source, e.Fields)
		}
	}
	for _, e := range r.got[4:] {
		if len(e.Message) != limit || e.Fields["_truncated"] == nil {
			t.Errorf("what is none, or too long for one, has %d bytes, %v", len(e.Message), e.Fields)
		}
	}
}

func TestABatchThatComesAfterTheStopIsRefused(t *testing.T) {
	r := newRig(t, Settings{Post: true})
	r.server.Stop()
	if _, err := r.server.Post(Batch{Body: []byte("x")}); !errors.Is(err, ErrStopping) {
		t.Errorf("the error is %v", err)
	}
}

func TestWorkersAreSharedWhileALargeBatchIsTaken(t *testing.T) {
	r := newRig(t, Settings{Post: true}, tcpInput(Options{Source: "s"}))
	for range cap(r.server.workers.turns) - 1 {
		w := r.server.workers.take()
		defer r.server.workers.give(w)
	}
	o := r.post("text/plain", strings.Repeat(strings.Repeat("x", 99)+"\n", 20_000))
	if o.Accepted != 20_000 {
		t.Errorf("%+v", o)
	}
	r.send("a line\n")
	r.until("all lines", func() bool { return len(r.got) == 20_001 })
}

// FuzzBatch checks that every line of a body is accounted for, whatever it is.
func FuzzBatch(f *testing.F) {
	for _, body := range []string{
		`[{"msg":"a"}, "b", 5]`, "{\"msg\":\"a\"}\nx\n\n{", `[{"msg":"a"}] x`, "\xef\xbb\xbf[INFO] x\r\n", `{"source":"s","message":"m"}`,
	} {
		for kind := range uint8(4) {
			f.Add([]byte(body), kind)
		}
	}
	s, err := New(nil, Settings{Post: true}, ring.New(ring.Options{Entries: 1 << 12, Bytes: 1 << 20}))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.Stop)
	f.Fuzz(func(t *testing.T, body []byte, kind uint8) {
		before := s.ring.Appended()
		o, err := s.Post(Batch{
			Body: body, Peer: "p",
			ContentType: []string{"application/json", "application/x-ndjson", "text/plain", ""}[kind%4],
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := s.ring.Appended() - before; n != uint64(o.Accepted) {
			t.Errorf("%q: %d entries of %d accepted lines", body, n, o.Accepted)
		}
		if o.Rejected > 0 != (len(o.Errors) > 0) {
			t.Errorf("%q: %+v", body, o)
		}
	})
}

// FuzzOwnEntry checks that an entry of another LogWisp comes out as it went in,
// however often it is passed on.
func FuzzOwnEntry(f *testing.F) {
	for _, line := range []string{
		`{"time":"2024-01-01T12:00:00.123456Z","source":"app.log","level":"error","message":"Something went wrong","fields":{"key":"value"}}`,
		`{"msg":"a\ud83d","level":"notice","time":"2024-01-01T12:00:00.123456789Z","source":"\"\u00e9\""}`,
		"2024-01-01T12:00:00Z ERROR text \xff", `{"id":"1-2","source":"s","message":"m","fields":{ }}`, `level=info msg="a b" source=x`,
	} {
		f.Add([]byte(line))
	}
	r := ring.New(ring.Options{Entries: 1 << 12, Bytes: 1 << 22})
	s, err := New(nil, Settings{Post: true}, r)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.Stop)
	pass := func(t *testing.T, line []byte) []byte {
		cursor := r.Live()
		o, err := s.Post(Batch{Body: line, ContentType: "text/plain", Peer: "p"})
		p, _, ok := cursor.Page()
		if err != nil || ok && (o.Accepted != 1 || p.Count() != 1) {
			t.Fatalf("%q: %+v, %v", line, o, err)
		}
		if !ok {
			return nil
		}
		return slices.Clone(p.Entry(0))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if slices.Contains(line, '\n') || len(line) > 1<<12 || json.Valid(line) && line[0] == '[' {
			return
		}
		first := pass(t, line)
		if first == nil {
			return
		}
		if again := pass(t, first); string(again) != string(first) {
			t.Errorf("%q became\n%sand then\n%s", line, first, again)
		}
	})
}
