package main

import (
	"bytes"
	"strings"
	"testing"
)

// runCommandLine runs the program and returns what it has printed.
func runCommandLine(args ...string) (code int, out, messages string) {
	var stdout, stderr bytes.Buffer
	code = run(args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

const twoClients = `[
{"id":"c-1","transport":"tcp","address":"127.0.0.1:5","name":"grafana","filter":{"level":"warn"},"connected_at":"2024-01-01T12:00:00Z","offered":3000,"delivered":1000,"filtered":796,"dropped":1204,"lag_entries":0,"lag_bytes":0},
{"id":"c-2","transport":"sse","address":"[::1]:6","name":"a\tb\u001b[2J","connected_at":"2024-01-01T12:00:00Z","offered":5,"delivered":5,"filtered":0,"dropped":0,"lag_entries":12345,"lag_bytes":2097152}]`

func TestClientsAreATableOrTheAnswerAsItCame(t *testing.T) {
	const want = `ID   TRANSPORT  ADDRESS      NAME         DELIVERED  FILTERED  DROPPED  BEHIND                  FILTER
c-1  tcp        127.0.0.1:5  grafana      1,000      796       1,204    0 entries, 0 B          {"level":"warn"}
c-2  sse        [::1]:6      a\tb\x1b[2J  5          0         0        12,345 entries, 2.0 MiB  -
`
	list := strings.ReplaceAll(twoClients, "\n", "")
	for _, answer := range []string{list, `{"clients":` + list + `}`} {
		for _, network := range []string{"tcp", "unix"} {
			_, address := startFake(t, network, "!answer 200 "+answer+"\n")
			url := strings.Replace(network, "tcp", "http", 1) + "://" + address
			code, out, messages := runCommandLine("clients", url)
			if code != 0 || strings.Join(strings.Fields(out), " ") != strings.Join(strings.Fields(want), " ") || messages != "" {
				t.Errorf("exit code %d, printed\n%s%s", code, out, messages)
			}
			if _, out, _ := runCommandLine("clients", "--json", url); out != answer+"\n" {
				t.Errorf("--json printed\n%s", out)
			}
		}
	}
	_, address := startFake(t, "tcp", "!answer 200 []\n")
	if code, out, _ := runCommandLine("clients", address); code != 0 || out != "no clients\n" {
		t.Errorf("exit code %d, printed %q", code, out)
	}
}

func TestAnswersThatAreNoneEndWithTheirReason(t *testing.T) {
	for answer, c := range map[string]struct {
		code int
		says string
	}{
		`200 {"other":1}`: {exitUnavailable, "not that of LogWisp: it has no clients"},
		`200 <html>`:      {exitUnavailable, "not that of LogWisp"},
		`401 {"error":"token wanted","code":401}`:   {exitRefused, "token wanted (--token-file"},
		`403 {"error":"scope admin is missing"}`:    {exitRefused, "scope admin is missing"},
		`404 {"error":"no such path","code":404}`:   {exitUnavailable, "recent enough?"},
		`500 {"error":"bad \u001b[2J","code":500}`:  {exitUnavailable, `bad \x1b[2J`},
		`421 {"error":"set allowed_hosts to this"}`: {exitRefused, "allowed_hosts"},
	} {
		_, address := startFake(t, "tcp", "!answer "+answer+"\n")
		code, out, messages := runCommandLine("clients", address)
		if code != c.code || out != "" || !strings.Contains(messages, c.says) {
			t.Errorf("%s: exit code %d, want %d, printed %q, %s", answer, code, c.code, out, messages)
		}
	}
}

func TestHealthcheckTellsReadyFromNot(t *testing.T) {
	for answer, c := range map[string]struct {
		code int
		says string
	}{
		`200 {"status":"ok"}`:                              {exitOK, "is ready"},
		`503 {"error":"not ready","reasons":["no files"]}`: {exitFailure, "is not ready: not ready; no files"},
		`503 {"reasons":["a","b"]}`:                        {exitFailure, "is not ready: a; b"},
		`503 stopping`:                                     {exitFailure, "is not ready: stopping"},
		`404 {"error":"no such path"}`:                     {exitFailure, "no such path"},
		`401 {"error":"token wanted"}`:                     {exitFailure, "token wanted"},
	} {
		s, address := startFake(t, "tcp", "!answer "+answer+"\n")
		code, out, messages := runCommandLine("healthcheck", address)
		if code != c.code || !strings.Contains(out+messages, c.says) {
			t.Errorf("%s: exit code %d, want %d: %s%s", answer, code, c.code, out, messages)
		}
		if asked := s.questions(); len(asked) != 1 || !strings.HasPrefix(asked[0], "GET /readyz HTTP/1.1") {
			t.Errorf("asked %q", asked)
		}
	}
}

func TestAddressesAreReadAsUsersWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "http://localhost:8080",
		"localhost":                  "http://localhost:8080",
		"logs.example":               "http://logs.example:8080",
		"localhost:9000":             "http://localhost:9000",
		":9000":                      "http://localhost:9000",
		"https://logs.example/base":  "https://logs.example/base",
		"http://user:word@localhost": "http://user:***@localhost",
		"tcp://logs.example":         "tcp://logs.example:9090",
		"tcp://:9000":                "tcp://localhost:9000",
		"tcp://[::1]":                "tcp://[::1]:9090",
		"tcp://[::1]:9000/":          "tcp://[::1]:9000",
		"unix:///run/logwisp.sock":   "unix:///run/logwisp.sock",
		"unix://here.sock":           "unix://here.sock",
	} {
		a, err := parseAddress(text, []string{"http", "https", "tcp", "unix"})
		if err != nil || a.String() != want {
			t.Errorf("%q became %v, %v, want %s", text, a, err, want)
		}
	}
	for _, text := range []string{"http://", "unix://", "tcp://a/b", "ftp://a", "htpp://a", "/var/log", "address.go", "http://a b/", "tcp://a?x=1"} {
		if a, err := parseAddress(text, []string{"http", "https", "tcp", "unix"}); err == nil {
			t.Errorf("%q became %v", text, a)
		}
	}
}
