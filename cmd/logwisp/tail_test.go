package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// tailed is what a run of tail has left.
type tailed struct {
	out, err string
	code     int
	waits    []time.Duration
}

// runTail runs the command against a server, without waiting between
// connections.
func runTail(t *testing.T, args ...string) tailed {
	t.Helper()
	line, parser := newTestParser(t)
	if _, err := parser.Parse(arrange(parser.Model.Node, append([]string{"tail"}, args...))); err != nil {
		t.Fatal(err)
	}
	var out, messages bytes.Buffer
	var got tailed
	f, err := line.Tail.follower(&stdio{&out, &messages})
	if err == nil {
		f.wait = func(_ context.Context, d time.Duration) { got.waits = append(got.waits, d) }
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		err = f.run(ctx)
	}
	got.code = report(err, &messages)
	got.out, got.err = out.String(), messages.String()
	return got
}

func TestTailAsksOverHTTPForWhatItsFlagsSay(t *testing.T) {
	s, address := startFake(t, "tcp", connectedLine)
	token := t.TempDir() + "/token"
	if err := os.WriteFile(token, []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runTail(t, address, "--no-follow", "-n", "5", "-l", "warn", "-s", "a*", "-s", "b,c", "-i", "x y", "-e", "z", "--limit", "9", "--token-file", token)
	runTail(t, "http://"+address+"/logs/?field=user%3Djoe", "--no-follow", "--since", "5m")
	runTail(t, "http://"+address+"/stream", "--no-follow")
	want := []struct{ path, query, headers string }{
		{"/stream", "ids=1&tail=5&level=warn&source=a*&source=b,c&re=x+y&not_re=z&follow=0&limit=9", "Authorization: Bearer sesame"},
		{"/logs/stream", "ids=1&since=5m&follow=0&field=user%3Djoe", ""},
		{"/stream", "ids=1&follow=0", ""},
	}
	for i, question := range s.questions() {
		first, headers, _ := strings.Cut(question, "\n")
		u, err := url.Parse(strings.Fields(first)[1])
		if err != nil {
			t.Fatal(err)
		}
		query, _ := url.ParseQuery(want[i].query)
		if u.Path != want[i].path || !reflect.DeepEqual(u.Query(), query) {
			t.Errorf("asked for %s, want %s?%s", u, want[i].path, want[i].query)
		}
		if !strings.Contains(headers, "Accept: application/x-ndjson") || !strings.Contains(headers, want[i].headers) {
			t.Errorf("headers are %q, want %q", headers, want[i].headers)
		}
	}
	if n := len(s.questions()); n != len(want) {
		t.Errorf("%d requests, want %d", n, len(want))
	}
}

func TestTailSaysHelloOverTCPAndDiscardsWhatCameBefore(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		s, address := startFake(t, network, entryLine(1)+`{"type":"heartbeat"}`+"\n"+connectedLine+entryLine(2)+entryLine(3)+"!hold\n")
		got := runTail(t, network+"://"+address, "-o", "raw", "--limit", "2", "-n", "5", "-l", "warn", "-s", "a*", "-i", "x", "-e", "y")
		if got.out != "m2\nm3\n" || got.code != 0 || got.err != "" {
			t.Errorf("%s: printed %q, exit code %d, %q", network, got.out, got.code, got.err)
		}
		var have, want any
		_ = json.Unmarshal([]byte(s.questions()[0]), &have)
		_ = json.Unmarshal([]byte(`{"hello":1,"name":"logwisp-tail","tail":5,"notices":true,"ids":true,
			"filter":{"level":["warn"],"source":["a*"],"re":["x"],"not_re":["y"]}}`), &want)
		if !reflect.DeepEqual(have, want) {
			t.Errorf("%s: said hello with %s", network, s.questions()[0])
		}
	}
}

func TestTailResumesBehindTheLastEntryItPrinted(t *testing.T) {
	drop := `{"type":"drop","count":3,"from":"7-3","to":"7-5","reason":"lagged","total":3}` + "\n"
	for name, c := range map[string]struct{ script, out, from string }{
		"entry":           {connectedLine + entryLine(1) + entryLine(2) + "!torn {\"id\":\"7-3\",\"ti", "m1\nm2\nm6\n", "7-2"},
		"loss":            {connectedLine + entryLine(2) + drop, "m2\nm6\n", "7-5"},
		"none, live":      {connectedLine, "m6\n", "7-9"},
		"none, heartbeat": {connectedLine + `{"type":"heartbeat","id":"7-12"}` + "\n", "m6\n", "7-12"},
		"shutdown":        {connectedLine + entryLine(1) + `{"type":"disconnect","reason":"server_shutdown"}` + "\n", "m1\nm6\n", "7-1"},
	} {
		for _, scheme := range []string{"http", "tcp"} {
			s, address := startFake(t, "tcp", c.script+"\n====\n"+connectedLine+entryLine(6)+limitLine)
			got := runTail(t, scheme+"://"+address, "-o", "raw")
			asked := s.questions()
			if got.out != c.out || got.code != 0 || len(asked) != 2 {
				t.Fatalf("%s over %s: printed %q, exit code %d, asked %q: %s", name, scheme, got.out, got.code, asked, got.err)
			}
			if !strings.Contains(asked[1], "from="+c.from) && !strings.Contains(asked[1], `"from":"`+c.from+`"`) {
				t.Errorf("%s over %s: asked again with %s, want from %s", name, scheme, asked[1], c.from)
			}
			if !strings.Contains(got.err, "connecting again") || !strings.Contains(got.err, "connected again") {
				t.Errorf("%s over %s: said %q", name, scheme, got.err)
			}
		}
	}
}

func TestTailAsksForTheSameAgainWhenNothingOfItHasCome(t *testing.T) {
	const script = connectedLine + "====\n" + connectedLine + limitLine
	s, address := startFake(t, "tcp", script)
	runTail(t, "http://"+address+"/stream?from=earliest")
	if asked := s.questions(); len(asked) != 2 || asked[0] != asked[1] || !strings.Contains(asked[1], "from=earliest") {
		t.Errorf("asked %q", asked)
	}
	s, address = startFake(t, "tcp", script)
	runTail(t, "tcp://"+address, "-n", "3")
	if asked := s.questions(); len(asked) != 2 || asked[0] != asked[1] || !strings.Contains(asked[1], `"tail":3`) {
		t.Errorf("asked %q", asked)
	}
}

func TestTailWaitsLongerFromTryToTry(t *testing.T) {
	busy := "!answer 503 {\"error\":\"full\"}\n====\n"
	slow := "!answer 429 {\"error\":\"full\"}\n!header Retry-After: 40\n====\n"
	_, address := startFake(t, "tcp", connectedLine+entryLine(1)+"====\n"+strings.Repeat(busy, 9)+slow+connectedLine+entryLine(2)+"====\n"+connectedLine+limitLine)
	got := runTail(t, address, "-o", "raw")
	want := []time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000, 80000, 100} // milliseconds, at most
	if len(got.waits) != len(want) || got.out != "m1\nm2\n" {
		t.Fatalf("waited %v, printed %q, %s", got.waits, got.out, got.err)
	}
	for i, most := range want {
		if most *= time.Millisecond; got.waits[i] > most || got.waits[i] < most/2 {
			t.Errorf("wait %d is %v, want %v to %v", i, got.waits[i], most/2, most)
		}
	}
	if n := strings.Count(got.err, "connecting again"); n != 2 {
		t.Errorf("said %d times that a connection is lost, want once for each of 2:\n%s", n, got.err)
	}
}

func TestTailShowsLossAtItsPlace(t *testing.T) {
	script := connectedLine + entryLine(1) +
		`{"type":"drop","count":1204,"from":"7-2","to":"7-1205","reason":"lagged","total":1204}` + "\n" + entryLine(3) +
		`{"type":"gap","requested":"7-1","resumed":"7-2","missed":1}` + "\n" + entryLine(4) +
		`{"type":"reset","reason":"epoch"}` + "\n" + entryLine(5) + limitLine
	_, address := startFake(t, "tcp", script)
	got := runTail(t, address, "-t", "none", "--color", "never")
	const want = "INFO  app.log m1\n-- 1,204 entries lost --\nINFO  app.log m3\n-- 1 entry lost --\nINFO  app.log m4\n" +
		"-- the server was started anew: what follows is from its oldest entry on --\nINFO  app.log m5\n"
	if got.out != want || got.err != "" || got.code != 0 {
		t.Errorf("printed\n%sexit code %d, %s", got.out, got.code, got.err)
	}
	// A program gets nothing but entries.
	got = runTail(t, address, "-o", "raw")
	if got.out != "m1\nm3\nm4\nm5\n" || !strings.Contains(got.err, "logwisp: 1,204 entries lost\n") || got.code != 0 {
		t.Errorf("printed\n%sexit code %d, %s", got.out, got.code, got.err)
	}
	for _, form := range []string{"default", "raw", "json"} {
		got = runTail(t, address, "--fail-on-drop", "-o", form)
		if got.code != exitLoss || !strings.Contains(got.out, "m1") || strings.Contains(got.out, "m3") || !strings.Contains(got.out+got.err, "1,204 entries lost") {
			t.Errorf("%s: printed\n%sexit code %d, %s", form, got.out, got.code, got.err)
		}
	}
}

func TestTailEndsWithTheCodeOfItsReason(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		code   int
		says   string
	}{
		"no token":      {`!answer 401 {"error":"no token","code":401}` + "\n", exitRefused, "--token-file"},
		"forbidden":     {`!answer 403 {"error":"not this scope","code":403}` + "\n", exitRefused, "not this scope"},
		"host":          {`!answer 421 {"error":"set allowed_hosts","code":421}` + "\n", exitRefused, "allowed_hosts"},
		"bad value":     {`!answer 400 {"error":"bad level","parameter":"level","suggestion":"warn"}` + "\n", exitUsage, "did you mean warn?"},
		"something":     {"!answer 404 nothing\n", exitUnavailable, "is it a LogWisp server"},
		"something 200": {"!answer 200 nothing\n", exitUnavailable, "application/json"},
		"full":          {`!answer 503 {"error":"too many clients"}` + "\n", exitUnavailable, "too many clients"},
		"kicked":        {connectedLine + `{"type":"disconnect","reason":"kicked"}` + "\n", exitRefused, "by hand"},
		"hello refused": {`{"type":"error","error":"unknown key lvel","suggestion":"level"}` + "\n", exitUsage, "did you mean level?"},
		"hello, token":  {`{"type":"error","error":"no such token"}` + "\n", exitRefused, "--token-file"},
		"refused later": {connectedLine + entryLine(1) + "====\n" + `!answer 401 {"error":"gone"}` + "\n", exitRefused, "gone"},
		"cut short":     {connectedLine + entryLine(1) + `{"type":"disconnect","reason":"server_shutdown"}` + "\n", exitUnavailable, "has stopped"},
		"nothing":       {"", exitUnavailable, "closed the connection"},
	} {
		_, address := startFake(t, "tcp", c.script)
		scheme := "http://"
		if strings.HasPrefix(name, "hello") || name == "nothing" {
			scheme = "tcp://"
		}
		args := []string{scheme + address}
		if name == "cut short" {
			args = append(args, "--no-follow")
		}
		got := runTail(t, args...)
		if got.code != c.code || !strings.Contains(got.err, c.says) {
			t.Errorf("%s: exit code %d, want %d, %q", name, got.code, c.code, got.err)
		}
	}
}

func TestTailStopsAtItsLimitAcrossConnections(t *testing.T) {
	s, address := startFake(t, "tcp", connectedLine+entryLine(1)+entryLine(2)+"====\n"+connectedLine+entryLine(3)+entryLine(4)+"!hold\n")
	got := runTail(t, address, "-o", "raw", "--limit", "3")
	if got.out != "m1\nm2\nm3\n" || got.code != 0 {
		t.Errorf("printed %q, exit code %d, %s", got.out, got.code, got.err)
	}
	if asked := s.questions(); !strings.Contains(asked[0], "limit=3") || !strings.Contains(asked[1], "limit=1") {
		t.Errorf("asked %q", asked)
	}
}

func TestTailRefusesFlagsThatMakeNoSense(t *testing.T) {
	for _, args := range [][]string{
		{"tcp://localhost:1", "--no-follow"},
		{"-n", "1", "--since", "5m"},
		{"-i", "[a"},
		{"-e", "(?=x)"},
		{"-H", "*"},
		{"ftp://localhost"},
		{"unix://"},
		{"tcp://host:1/path"},
		{"--token-file", "/dev/null"},
	} {
		if got := runTail(t, args...); got.code != exitUsage || got.err == "" || got.out != "" {
			t.Errorf("%q: exit code %d, %q", args, got.code, got.err)
		}
	}
}
