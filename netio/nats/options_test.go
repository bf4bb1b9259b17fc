package nats

import (
	"strings"
	"testing"
)

func TestURLsSayWhereAndWhat(t *testing.T) {
	o, err := ParseURL("nats://u:p@a,b:1234,[::1]/LOGS?host=web.1&replicas=3&max_bytes=5000000000&max_age=24h&credentials=/c&token_file=/t")
	if err != nil {
		t.Fatal(err)
	}
	if want := "nats://u:p@a:4222,nats://u:p@b:1234,nats://u:p@[::1]:4222"; o.Servers != want {
		t.Errorf("servers %s, want %s", o.Servers, want)
	}
	if o.Stream != "LOGS" || o.Host != "web.1" || o.Replicas != 3 || o.MaxBytes != 5e9 || o.MaxAge.Hours() != 24 || o.Credentials != "/c" || o.TokenFile != "/t" {
		t.Errorf("options %+v", o)
	}
	if o, err := ParseURL("nats://a"); err != nil || o.Stream != defaultStream || o.Host == "" {
		t.Errorf("%+v %v", o, err)
	}
}

func TestURLsThatAreNotRightAreExplained(t *testing.T) {
	for url, want := range map[string]string{
		"nats://":                   "names no host",
		"nats://a:0/L":              "port",
		"nats://a:x/L":              "port",
		"nats://a,,b/L":             "names no host",
		"nats://a/b.c":              "no space, dot",
		"nats://a/b/c":              "slash",
		"nats://a/L?replica=3":      `"replica" is not known`,
		"nats://a/L?replicas=9":     "1 to 5",
		"nats://a/L?max_bytes=1GB":  "number of bytes",
		"nats://a/L?max_age=1":      "duration",
		"nats://a/L?host=":          "at most 255",
		"nats://a/L?tls=yes":        "true or false",
		"nats://a/L?%zz":            "malformed",
		"http://a/L":                "want nats://",
		"nats://u:secret@a:99999/L": "port",
	} {
		_, err := ParseURL(url)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows a password: %v", url, err)
		}
	}
}

func TestNamesBecomeTokens(t *testing.T) {
	for name, want := range map[string]string{
		"app.log": "app%2Elog", "": "%", "a b*>%": "a%20b%2A%3E%25", "/var/log/x": "/var/log/x", "ä": "%C3%A4",
	} {
		if got := token(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	long := strings.Repeat("x", 4096)
	if a, b := token(long+"a"), token(long+"b"); len(a) > maxToken || a == b {
		t.Errorf("long names are %d bytes, or not told apart", len(a))
	}
}
