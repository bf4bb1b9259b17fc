package entry

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/parse"
	"logwisp/ring/record"
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
		if !alike(t, string(got.Fields), want) || got.Message != "login with ***" {
			t.Errorf("%s: %s", members, page.Entry(0))
		}
	}
}

// A secret is one however the line writes it, and what is not secret stays what it
// was.
func TestWhatIsEscapedInALineIsRedactedAsWell(t *testing.T) {
	for _, c := range []struct{ patterns, line, want string }{
		{`\d{4}-\d{4} "ssn":"[\d-]+"`, `{"ssn":"1234-5678-90","msg":"x"}`, `{"message":"{***,\"msg\":\"x\"}"}`},
		{`[\w.]+@[\w.]+ "user":"[\w.@+-]+"`, `{"user":"bob+x@ex.org"}`, `{"message":"{***}"}`},
		{`password="[^"]*"`, `{"msg":"login password=\"hunter2\" and then it is cut off`, `{"message":"{\"msg\":\"login *** and then it is cut off"}`},
		{`password="[^"]*"`, `5" disk msg="password=\"hunter2\""`, `{"message":"5\" disk msg=\"***\""}`},
		{`password=\S+`, `open "C:\Users\dir password=abc" failed`, `{"message":"open \"C:\\Users\\dir *** failed"}`},
		{`hunter2`, `level=info msg="\x68unter2"`, `{"message":"***","level":"info"}`},
		{`^\d{13,16}$ "password":"[^"]*"`, `{"card":"4111111111111111","n":[4111111111111111],"password":"x"}`, `{"message":"{\"card\":\"***\",\"n\":[\"***\"],***}"}`},
		{`(^|\D)\d{16}(\D|$)`, `{"level":"error","card":"4111111111111111","msg":"x"}`, `{"message":"x","level":"error","fields":{"card":"***"}}`},
		{`,"password":"[^"]*"`, `{"level":"warn","password":"hunter2"}`, `{"message":"{\"level\":\"warn\"***}"}`},
		{`"secret":`, `{"secret":"a","msg":"x"}`, `{"message":"{***\"a\",\"msg\":\"x\"}"}`},
		{`\\"[a-z]+`, `{"msg":"say \"hello\" once","level":"info"}`, `{"message":"say ***\" once","level":"info"}`},
		{`password="[^"]*"`, `{"msg":"login password=\"hunter2\"","n":1}`, `{"message":"login ***","fields":{"n":1}}`},
		{`password="[^"]*"`, `level=info msg="login password=\"hunter2\""`, `{"message":"login ***","level":"info"}`},
		{`password="[^"]*"`, `login "with password=\"hunter2\"" failed`, `{"message":"login \"with ***\" failed"}`},
		{`[?&]token=[^&\s"]+`, `{"msg":"GET /x?a=1\u0026token=s3cret&b=2","level":"error"}`, `{"message":"GET /x?a=1***&b=2","level":"error"}`},
		{`\b\d{13,16}\b`, `{"level":50,"card":4111111111111111,"msg":"x"}`, `{"message":"x","level":"error","fields":{"card":"***"}}`},
		{`token=\S+`, `{"level":"warn","msg":"a token=abc","n":{"list":["token=d e"]}}`, `{"message":"a ***","level":"warn","fields":{"n":{"list":["*** e"]}}}`},
		{`"password":"[^"]*"`, `{"level":"warn","password":"hunter2"}`, `{"message":"{\"level\":\"warn\",***}"}`},
		{`password=\S+`, `level=info msg=x password=hunter2`, `{"message":"level=info msg=x ***"}`},
		{`password=\S+`, `level=info password=hunter2 msg="it \"is\" password=b"`, `{"message":"level=info *** msg=\"it \\\"is\\\" ***"}`},
		{`^secret$`, `{"msg":"secret","a":"no\nsecret"}`, `{"message":"***","fields":{"a":"no\nsecret"}}`},
		{`x`, `unended "part with \" x`, `{"message":"unended \"part with \\\" ***"}`},
		{`hunter2`, `{"msg":"\u0068unter2"`, `{"message":"{\"msg\":\"***\""}`},
	} {
		f, err := filter.NewIntake(nil, nil, "", strings.Fields(c.patterns))
		if err != nil {
			t.Fatal(err)
		}
		r := ring.New(ring.Options{Entries: 16, Bytes: 1 << 20})
		w := NewWriter(r.NewBuilder(), f)
		d := Draft{Text: []byte(c.line), Source: "s"}
		var p parse.Parser
		var result parse.Result
		at := r.Live()
		if !w.Parse(&p, &d, &result) {
			t.Fatal("it is filtered")
		}
		w.Write(&d, &result)
		w.Publish()
		page, _, _ := at.Page()
		var got map[string]any
		if err := json.Unmarshal(page.Entry(0), &got); err != nil {
			t.Fatalf("%s: %v", page.Entry(0), err)
		}
		delete(got, "time")
		delete(got, "source")
		text, _ := json.Marshal(got)
		if !alike(t, string(text), c.want) {
			t.Errorf("%s without %s is %s, want %s", c.line, c.patterns, text, c.want)
		}
	}
}

// FuzzRedact has nothing that is looked for come through in a value.
func FuzzRedact(f *testing.F) {
	for _, line := range []string{`{"msg":"s3cret"}`, `{"m\u0073g":"\u00733cret","n":[1,{"a":"s3cret"}]}`, `level=info msg="\"s3cret"`, `"s3cret\`, `a "b\" c" "d`} {
		f.Add([]byte(line))
	}
	in, err := filter.NewIntake(nil, nil, "", []string{"s3cret"})
	if err != nil {
		f.Fatal(err)
	}
	r := ring.New(ring.Options{Entries: 16, Bytes: 1 << 20})
	w := NewWriter(r.NewBuilder(), in)
	f.Fuzz(func(t *testing.T, line []byte) {
		d := Draft{Text: line, Source: "s"}
		var p parse.Parser
		var result parse.Result
		w.Parse(&p, &d, &result)
		message := result.Message
		if result.Quoted {
			message = record.AppendDecoded(nil, message[1:len(message)-1])
		}
		if bytes.Contains(message, []byte("s3cret")) || valueHas(result.Fields, "s3cret") {
			t.Errorf("%q becomes %q with %s", line, message, result.Fields)
		}
		if len(result.Fields) > 0 && !json.Valid(result.Fields) {
			t.Errorf("%q has fields %s", line, result.Fields)
		}
	})
}

// valueHas reports whether a text is in a value, however deep.
func valueHas(fields []byte, text string) bool {
	var in func(v any) bool
	in = func(v any) bool {
		switch v := v.(type) {
		case string:
			return strings.Contains(v, text)
		case []any:
			return slices.ContainsFunc(v, in)
		case map[string]any:
			return slices.ContainsFunc(slices.Collect(maps.Values(v)), in)
		}
		return false
	}
	var v any
	_ = json.Unmarshal(fields, &v) // said below
	return in(v)
}

func alike(t *testing.T, a, b string) bool {
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
