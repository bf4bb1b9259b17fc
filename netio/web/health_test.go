package web

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// wantAnswer checks the answer to a GET.
func (s *site) wantAnswer(path string, code int, contentType, body string) {
	s.t.Helper()
	_, r := s.dial("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n")
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	got, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != code || answer.Header.Get("Content-Type") != contentType || string(got) != body {
		s.t.Errorf("GET %s: %d, %s\n%s(%v), want %d, %s\n%s", path, answer.StatusCode, answer.Header.Get("Content-Type"), got, err, code, contentType, body)
	}
}

const jsonType = "application/json; charset=utf-8"

func TestHealthIsOKOrUnavailableWithTheReasons(t *testing.T) {
	s := newSite(t, Options{})
	var broken, stopping atomic.Bool
	reasons := func(is *atomic.Bool, all ...string) func() []string {
		return func() []string {
			if is.Load() {
				return all
			}
			return nil
		}
	}
	s.AnswerMonitors(Monitor{
		Metrics: func(string) (Metrics, error) { return Metrics{}, nil },
		Alive:   reasons(&broken, "files are not looked at", "a loop stands still"),
		Ready:   reasons(&stopping, "the daemon stops"),
	})
	s.wantAnswer("/healthz", 200, jsonType, "{\"status\":\"ok\"}\n")
	s.wantAnswer("/readyz", 200, jsonType, "{\"status\":\"ok\"}\n")
	stopping.Store(true)
	s.wantAnswer("/healthz", 200, jsonType, "{\"status\":\"ok\"}\n")
	s.wantAnswer("/readyz", 503, jsonType, `{"error":"unavailable","code":503,"reasons":["the daemon stops"]}`+"\n")
	broken.Store(true)
	s.wantAnswer("/healthz", 503, jsonType,
		`{"error":"unavailable","code":503,"reasons":["files are not looked at","a loop stands still"]}`+"\n")
}

func TestMetricsAreAnsweredInTheFormAskedFor(t *testing.T) {
	s := newSite(t, Options{})
	var fails atomic.Bool
	s.AnswerMonitors(Monitor{Metrics: func(accept string) (Metrics, error) {
		if fails.Load() {
			return Metrics{}, errors.New("two of a name")
		}
		return Metrics{Body: []byte("a 1\n"), ContentType: accept + "; version=0.0.4"}, nil
	}})
	s.wantAnswer("/metrics", 200, "text/plain; version=0.0.4", "a 1\n")
	fails.Store(true)
	s.wantAnswer("/metrics", 500, jsonType, `{"error":"collect the metrics: two of a name","code":500}`+"\n")
}

func TestPagesForMonitorsExistOnlyWhereThereIsSomebodyToAsk(t *testing.T) {
	s := newSite(t, Options{})
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		_, r := s.dial("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
		answer, err := http.ReadResponse(r, nil)
		if err != nil || answer.StatusCode != 404 {
			t.Errorf("GET %s: %+v (%v), want 404", path, answer, err)
		}
	}
	_, r := s.dial(strings.ReplaceAll("POST /healthz HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n", "\n", "\r\n"))
	if answer, err := http.ReadResponse(r, nil); err != nil || answer.StatusCode != 404 {
		t.Errorf("POST: %+v (%v)", answer, err)
	}
}
