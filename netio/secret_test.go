package netio

import (
	"strings"
	"testing"
)

func TestSecretsOfURLsAreMasked(t *testing.T) {
	for url, want := range map[string]string{
		"https://u:secret@h/x?y=a@b":     "https://u:***@h/x?y=a@b",
		"nats://u:secret@a:1,b:2/LOGS":   "nats://u:***@a:1,b:2/LOGS",
		"nats://secret@a,b":              "nats://***@a,b",
		"nats://u:sec@ret@a:1/L":         "nats://u:***@a:1/L",
		"https://secret@h/x":             "https://***@h/x",
		"tcp://:9091":                    "tcp://:9091",
		"/var/log/a@b.log":               "/var/log/a@b.log",
		"nats://a/L?credentials=/c@d":    "nats://a/L?credentials=/c@d",
		"https://h?user=me:secret@there": "https://h?user=***",
		"https://h/x?API_Key=secret&y=2": "https://h/x?API_Key=***&y=2",
		"https://h/x?a=1&sig=secret#f":   "https://h/x?a=1&sig=***#f",
		"natss://u:secret@h":             "natss://u:***@h",
		"https://u:secret@h:bad port/":   "https://u:***@h:bad port/",
		"http://u:sec/ret@h:1/":          "http://u:***@h:1/",
		"http://u:sec?ret@h":             "http://u:***@h",
		"http://u:sec#ret@h":             "http://u:***@h",
		"http:/u:secret@h":               "http:***@h",
		"http//u:secret@h":               "http//u:***@h",
		"u:secret@h:2/x":                 "u:***@h:2/x",
		"http://h:8080/a@b":              "http://h:8080/a@b",
		"nats://a:1,b/L?credentials=/c@": "nats://a:1,b/L?credentials=/c@",
		"http://[::1]:80/a@b":            "http://[::1]:80/a@b",
	} {
		if got := ShownURL(url); got != want {
			t.Errorf("%s is shown as %s, want %s", url, got, want)
		}
	}
}

func TestErrorsOfURLsDoNotHaveTheirSecrets(t *testing.T) {
	for _, url := range []string{
		"http://u:secret/x@h:1/", "http://u:secret?x@h", "http://u:secret#x@h", "http://u:secret%zz@h", "http://u: secret@h", "http://u:p@h:secret/",
	} {
		if _, err := ParseURL(url); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{"http://h:8080/a@b", "https://u:p@h/x?y=a@b", "http://[::1]:80/a@b"} {
		if _, err := ParseURL(url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := ParseURL("http://h:port/"); err == nil || !strings.Contains(err.Error(), `invalid port ":port"`) {
		t.Errorf("the cause is not said: %v", err)
	}
}
