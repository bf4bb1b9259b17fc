package netio

import "testing"

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
	} {
		if got := ShownURL(url); got != want {
			t.Errorf("%s is shown as %s, want %s", url, got, want)
		}
	}
}
