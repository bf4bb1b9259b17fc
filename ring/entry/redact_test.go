package entry

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/parse"
	"logwisp/ring/record"
)

func TestWhatStandsBesideTheTextIsRedactedAsWell(t *testing.T) {
	f, err := filter.NewIntake(nil, nil, "", []string{"hunter2", `tok-\w+`, `a"b`, `password="([^"\\]|\\.)*"`, `"pin":"\d+"`})
	if err != nil {
		t.Fatal(err)
	}
	r := ring.New(ring.Options{Entries: 16, Bytes: 1 << 20})
	w := NewWriter(r.NewBuilder(), f)
	for members, want := range map[string]string{
		`"app":"su","x":{"pw":"hunter2","n":12}`:    `{"app":"su","x":{"pw":"***","n":12}}`,
		`"hunter2":"key", "l":["tok-1","a\"b","é"]`: `{"***":"key","l":["***","***","é"]}`,
		`"u":"\u0068unter2"`:                        `{"u":"***"}`,
		`"sd":{"a@1":{"password":"x \"y","n":"z"}}`: `{"sd":{"a@1":{"password":"***","n":"z"}}}`,
		`"attrs":{"pin": "1234", "password":12}`:    `{"attrs":{"pin":"***","password":"***"}}`,
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
		{`\d{4}-\d{4} "ssn":"[\d-]+"`, `{"ssn":"1234-5678-90","msg":"x"}`, `{"message":"x","fields":{"ssn":"***"}}`},
		{`[\w.]+@[\w.]+ "user":"[\w.@+-]+"`, `{"user":"bob+x@ex.org"}`, `{"message":"{\"user\":\"***\"}","fields":{"user":"***"}}`},
		{`password="[^"]*"`, `{"msg":"login password=\"hunter2\" and then it is cut off`, `{"message":"{\"msg\":\"login *** and then it is cut off"}`},
		{`password="[^"]*"`, `5" disk msg="password=\"hunter2\""`, `{"message":"5\" disk msg=\"***\""}`},
		{`password=\S+`, `open "C:\Users\dir password=abc" failed`, `{"message":"open \"C:\\Users\\dir *** failed"}`},
		{`hunter2`, `level=info msg="\x68unter2"`, `{"message":"***","level":"info"}`},
		{`^\d{13,16}$ "password":"[^"]*"`, `{"card":"4111111111111111","n":[4111111111111111],"password":"x"}`, `{"message":"{\"card\":\"***\",\"n\":[\"***\"],\"password\":\"***\"}","fields":{"card":"***","n":["***"],"password":"***"}}`},
		{`(^|\D)\d{16}(\D|$)`, `{"level":"error","card":"4111111111111111","msg":"x"}`, `{"message":"x","level":"error","fields":{"card":"***"}}`},
		{`,"password":"[^"]*"`, `{"level":"warn","password":"hunter2"}`, `{"message":"{\"level\":\"warn\",\"password\":\"***\"}","level":"warn","fields":{"password":"***"}}`},
		{`"secret":`, `{"secret":"a","msg":"x"}`, `{"message":"x","fields":{"***":"a"}}`},
		{`\\"[a-z]+`, `{"msg":"say \"hello\" once","level":"info"}`, `{"message":"say ***\" once","level":"info"}`},
		{`password="[^"]*"`, `{"msg":"login password=\"hunter2\"","n":1}`, `{"message":"login ***","fields":{"n":1}}`},
		{`password="[^"]*"`, `level=info msg="login password=\"hunter2\""`, `{"message":"login ***","level":"info"}`},
		{`password="[^"]*"`, `login "with password=\"hunter2\"" failed`, `{"message":"login \"with ***\" failed"}`},
		{`[?&]token=[^&\s"]+`, `{"msg":"GET /x?a=1\u0026token=s3cret&b=2","level":"error"}`, `{"message":"GET /x?a=1***&b=2","level":"error"}`},
		{`\b\d{13,16}\b`, `{"level":50,"card":4111111111111111,"msg":"x"}`, `{"message":"x","level":"error","fields":{"card":"***"}}`},
		{`token=\S+`, `{"level":"warn","msg":"a token=abc","n":{"list":["token=d e"]}}`, `{"message":"a ***","level":"warn","fields":{"n":{"list":["*** e"]}}}`},
		{`"password":"[^"]*"`, `{"level":"warn","password":"hunter2"}`, `{"message":"{\"level\":\"warn\",\"password\":\"***\"}","level":"warn","fields":{"password":"***"}}`},
		{`password=\S+`, `level=info msg=x password=hunter2`, `{"message":"level=info msg=x ***"}`},
		{`password=\S+`, `level=info password=hunter2 msg="it \"is\" password=b"`, `{"message":"level=info *** msg=\"it \\\"is\\\" ***"}`},
		{`^secret$`, `{"msg":"secret","a":"no\nsecret"}`, `{"message":"***","fields":{"a":"no\nsecret"}}`},
		{`x`, `unended "part with \" x`, `{"message":"unended \"part with \\\" ***"}`},
		{`"password":"[^"]*"`, `{"password":"hun\"ter2","msg":"x"}`, `{"message":"x","fields":{"password":"***"}}`},
		{`"password":"[^"]*"`, `{"n":1,"password":"hun\"ter2","ms`, `{"message":"{\"n\":1,***,\"ms"}`},
		{`"token":"[A-Za-z0-9+/=]+"`, `{"token":"ab\/cd==","msg":"x"}`, `{"message":"x","fields":{"token":"***"}}`},
		{`"password":"[^"]*"`, `{"pass\u0077ord" : "hunter2", "msg":"x"}`, `{"message":"x","fields":{"password":"***"}}`},
		{`^\d{13,16}$`, `level=info card=4111111111111111 msg=x`, `{"message":"x","level":"info","fields":{"card":"***"}}`},
		{`^\d{13,16}$`, ` {"card":"4111111111111111","msg":"x"}`, `{"message":"x","fields":{"card":"***"}}`},
		{`^\d{13,16}$`, `{"n":4111111111111111,"card":"4111111111111111","ms`, `{"message":"{\"n\":\"***\",\"card\":\"***\",\"ms"}`},
		{`^\d{13,16}$`, `paid with "4111111111111111" today`, `{"message":"paid with \"***\" today"}`},
		{`,"pin":"[a-z0-9]+" \d{4}`, `{"a":1,"pin":"secret1234"}`, `{"message":"{\"a\":1,\"pin\":\"***\"}","fields":{"a":1,"pin":"***"}}`},
		{`token=\S+ "password":"[^"]*"`, `{"msg":"a token=abc","password":"x y"}`, `{"message":"a ***","fields":{"password":"***"}}`},
		{`pw=\S+ ^x$`, `level=info msg=x note="pw\x3dabc d"`, `{"message":"***","level":"info","fields":{"note":"*** d"}}`},
		{`token=[^&\s"]+`, `{"msg":"token=abc\u000"}`, `{"message":"***"}`},
		{`token=[^&\s"]+`, `{"msg":"token=\ud800\ud83d\ude00"}`, `{"message":"***"}`},
		{`token=[^&\s"]+`, `{"msg":"a token=\u123\n`, `{"message":"{\"msg\":\"a ***"}`},
		{`password["=:\x20]+\S+`, `{"msg":"retry password: abc","password":"hunter2"}`, `{"message":"retry ***","fields":{"password":"***"}}`},
		{`\d{16} \W+password\W+\w+`, `{"card":"4111111111111111","password":"hunter2","msg":"x"}`, `{"message":"x","fields":{"card":"***","password":"***"}}`},
		{`\w+@\w+ pin=\d+"`, `{"msg":"a@b pin=1234"}`, `{"message":"***"}`},
		{`tok-\S+`, `{"tok-abc123":{"n":1},"msg":"x"}`, `{"message":"***","fields":{"***":{"n":"***"}}}`},
		{`a"b`, `{"msg":"x a\"b y"}`, `{"message":"x *** y"}`},
		{`b"`, `{"msg":"x a\u0062\" y"}`, `{"message":"x a*** y"}`},
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

func TestALineInAFormatOfItsOwnIsRedactedWhateverItBeginsWith(t *testing.T) {
	f, err := filter.NewIntake(nil, nil, "", []string{`^\d{16}$`})
	if err != nil {
		t.Fatal(err)
	}
	pattern, err := parse.CompilePattern(`\{(?P<req>[^}]*)\} card=(?P<card>\d+)`)
	if err != nil {
		t.Fatal(err)
	}
	r := ring.New(ring.Options{Entries: 16, Bytes: 1 << 20})
	w := NewWriter(r.NewBuilder(), f)
	d := Draft{Text: []byte("{r1} card=4111111111111111"), Source: "s"}
	p := parse.Parser{Format: parse.Regex, Pattern: pattern}
	var result parse.Result
	if !w.Parse(&p, &d, &result) || !bytes.Contains(result.Fields, []byte(`"card":"***"`)) {
		t.Errorf("fields %s, message %s", result.Fields, result.Message)
	}
}

// Each of the many matches costs what it is long, and what was held for them goes.
func TestALongLineOfManyMatchesIsRedacted(t *testing.T) {
	f, err := filter.NewIntake(nil, nil, "", []string{`\d{16}`})
	if err != nil {
		t.Fatal(err)
	}
	r := ring.New(ring.Options{Entries: 16, Bytes: 1 << 20})
	w := NewWriter(r.NewBuilder(), f)
	line := `{"m":"\n` + strings.Repeat("4111111111111111 ", 60_000) + `","n":[` + strings.Repeat("4111111111111111,", 20_000) + `1]}`
	d := Draft{Text: []byte(line), Source: "s"}
	var p parse.Parser
	var result parse.Result
	w.Parse(&p, &d, &result)
	if all := string(d.Text); strings.Contains(all, "4111") || strings.Count(all, "***") != 80_000 {
		t.Errorf("%d of 80000 are taken out", strings.Count(all, "***"))
	}
	d = Draft{Text: []byte(`{"m":"x"}`), Source: "s"}
	w.Parse(&p, &d, &result)
	if n := cap(w.json.tokens) + cap(w.json.parts) + cap(w.json.result) + cap(w.json.spans); n > 256<<10 {
		t.Errorf("%d are kept for later", n)
	}
}

// FuzzRedact has nothing that is looked for come through in a value, by itself or by
// its key.
func FuzzRedact(f *testing.F) {
	for _, line := range []string{
		`{"msg":"s3cret"}`, `{"m\u0073g":"\u00733cret","n":[1,{"a":"s3cret"}]}`, `level=info msg="\"s3cret"`, `"s3cret\`, `a "b\" c" "d`,
		`{"msg":"token=abc\u000"}`, `{"msg":"token=\ud800\ud83d\ude00"}`, `{"n":"token=a\u12","tok-1":{"n":1}}`, `{"n":"token=a\`,
		`{"pin":"12\"34","a":1}`, `{"p\u0069n" : "\u0031"}`, `{"a":"x","pin":"y"`, `level=info num=777 a=b`, ` {"num":"777"}`,
	} {
		f.Add([]byte(line))
	}
	in, err := filter.NewIntake(nil, nil, "", []string{"s3cret", `"pin":"[^"]*"`, `^777$`, `token=[^"]*`})
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
		if bytes.Contains(message, []byte("s3cret")) || valueIs(result.Fields, func(key, value string) bool {
			return strings.Contains(value, "s3cret") || value == "777" || key == "pin" && value != "***"
		}) {
			t.Errorf("%q becomes %q with %s", line, message, result.Fields)
		}
		if len(result.Fields) > 0 && !json.Valid(result.Fields) {
			t.Errorf("%q has fields %s", line, result.Fields)
		}
	})
}

// valueIs reports whether there is such a string among fields, however deep; key is
// that of the innermost object.
func valueIs(fields []byte, such func(key, value string) bool) bool {
	var in func(key string, v any) bool
	in = func(key string, v any) bool {
		switch v := v.(type) {
		case string:
			return such(key, v)
		case []any:
			return slices.ContainsFunc(v, func(v any) bool { return in("", v) })
		case map[string]any:
			for key, v := range v {
				if in(key, v) {
					return true
				}
			}
		}
		return false
	}
	var v any
	_ = json.Unmarshal(fields, &v) // said below
	return in("", v)
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
