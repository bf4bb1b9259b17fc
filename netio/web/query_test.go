package web

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"logwisp/netio"
	"logwisp/ring"
)

// fill publishes n entries, two a page, of which every third is an error; entry
// i is of second i.
func (s *site) fill(n int) {
	for i := 1; i <= n; i++ {
		level := ring.LevelInfo
		if i%3 == 0 {
			level = ring.LevelError
		}
		line := fmt.Sprintf(`{"time":"2024-01-01T12:00:%02d.000000Z","source":"a.log","level":"%s","message":"=%d, \"q\"\r\n","fields":{"n":%d}}`+"\n",
			i%60, level, i, i)
		s.builder.Add(append(s.builder.Text(), line...), 1, level)
		if i%2 == 0 {
			s.builder.Publish()
		}
	}
	s.builder.Publish()
}

// get returns the whole answer to a request.
func (s *site) get(method, target, headers string) (*http.Response, string) {
	s.t.Helper()
	_, r := s.dial(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers + "\r\n")
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		s.t.Fatalf("%s: %v", target, err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatalf("%s: %v", target, err)
	}
	return answer, string(body)
}

// numbers returns which of the entries of fill a body holds, in its order.
func numbers(body string) string {
	var of []string
	for _, part := range strings.Split(body, `"fields":{"n":`)[1:] {
		n, _, _ := strings.Cut(part, "}")
		of = append(of, n)
	}
	return strings.Join(of, " ")
}

func TestWhereAStreamStartsAndEndsIsAsAsked(t *testing.T) {
	s := newSite(t, Options{})
	s.fill(9)
	epoch := fmt.Sprint(s.engine.Epoch())
	for query, want := range map[string]string{
		"":                                  "",
		"from=earliest":                     "1 2 3 4 5 6 7 8 9",
		"from=latest":                       "",
		"from=" + epoch + "-7":              "8 9",
		"from=" + epoch + "-9":              "",
		"from=1-7":                          "1 2 3 4 5 6 7 8 9", // another run
		"from=" + epoch + "-77":             "1 2 3 4 5 6 7 8 9", // beyond the head
		"last_event_id=" + epoch + "-8":     "9",
		"last_event_id=nonsense":            "1 2 3 4 5 6 7 8 9",
		"tail=2":                            "8 9",
		"tail=2&level=error":                "6 9",
		"tail=0":                            "",
		"tail=100":                          "1 2 3 4 5 6 7 8 9",
		"tail=100&level=error":              "3 6 9",
		"since=2024-01-01T12:00:05Z":        "5 6 7 8 9",
		"since=2024-01-01T14:00:05%2b02:00": "5 6 7 8 9",
		"since=2024-01-01T13:00:00Z":        "",
		"since=876000h&level=error":         "3 6 9",
		"tail=1&since=2024-01-01T12:00:08Z&from=" + epoch + "-6": "7 8 9",
		"tail=1&since=2024-01-01T12:00:08Z":                      "8 9",
		"last_event_id=" + epoch + "-4&from=earliest":            "5 6 7 8 9",
		"from=earliest&limit=2&level=error":                      "3 6",
		"from=earliest&max_rate=4":                               "1 2 3 4",
		"from=earliest&source=b*":                                "",
		"from=earliest&field=n%3e7":                              "8 9",
		"from=earliest&q=3":                                      "3",
		"from=earliest&name=me&heartbeat=off&follow=0&ids=1&format=ndjson&batch_ms=&max_rate=0&q=": "1 2 3 4 5 6 7 8 9",
	} {
		answer, body := s.get("GET", "/stream?follow=0&"+query, "")
		if got := numbers(body); answer.StatusCode != 200 || got != want {
			t.Errorf("%s: status %d, entries %q, want %q\n%s", query, answer.StatusCode, got, want, body)
		}
		if reset := strings.Contains(body, "event: reset\ndata: {\"reason\":\"epoch\"}"); reset != (strings.Contains(query, "=1-7") || strings.Contains(query, "-77") || strings.Contains(query, "nonsense")) {
			t.Errorf("%s: reset is told: %t", query, reset)
		}
	}
	_, body := s.get("GET", "/stream?follow=0&from=earliest&last_event_id=1-1", "Last-Event-ID: "+epoch+"-8\r\n")
	if got := numbers(body); got != "9" {
		t.Errorf("with the header: %q", got)
	}
	if _, body := s.get("GET", "/stream?follow=0", "Last-Event-ID: x\x01y\r\n"); strings.Contains(body, "event: connected") && numbers(body) != "1 2 3 4 5 6 7 8 9" {
		t.Errorf("with a header that means nothing: %q", body)
	}
}

func TestABadParameterIsNamedWithWhatMayHaveBeenMeant(t *testing.T) {
	s := newSite(t, Options{})
	for query, want := range map[string][2]string{
		"/stream?folow=0":            {"folow", "follow"},
		"/stream?levl=error":         {"levl", "level"},
		"/stream?qwertyuiop=1":       {"qwertyuiop", ""},
		"/stream?level=eror":         {"level", "error"},
		"/stream?re=(":               {"re", ""},
		"/stream?tail=-1":            {"tail", ""},
		"/stream?limit=0":            {"limit", ""},
		"/stream?since=yesterday":    {"since", ""},
		"/stream?from=then":          {"from", ""},
		"/stream?from=1-":            {"from", ""},
		"/stream?tail=1&from=then":   {"from", ""},
		"/stream?from=latest&tail=x": {"tail", ""},
		"/stream?follow=2":           {"follow", ""},
		"/stream?heartbeat=0":        {"heartbeat", ""},
		"/stream?max_rate=many":      {"max_rate", ""},
		"/stream?batch_ms=1001":      {"batch_ms", ""},
		"/stream?format=ndjsn":       {"format", "ndjson"},
		"/stream?name=a%0ab":         {"name", ""},
		"/entries?order=decs":        {"order", "desc"},
		"/entries?tail=1":            {"tail", ""},
		"/entries?limit=x":           {"limit", ""},
	} {
		answer, body := s.get("GET", query, "")
		var e struct {
			Error, Parameter, Suggestion string
			Code                         int
		}
		if err := json.Unmarshal([]byte(body), &e); err != nil || answer.StatusCode != 400 || e.Code != 400 || e.Error == "" ||
			e.Parameter != want[0] || e.Suggestion == "" || want[1] != "" && e.Suggestion != want[1] {
			t.Errorf("%s: status %d, %+v, want %v (%v)", query, answer.StatusCode, e, want, err)
		}
	}
	if st := s.Transport().Stats(); st.Joined != 0 {
		t.Errorf("%d joined", st.Joined)
	}
}

func TestWhatIsNoLongerHeldIsToldAsAGap(t *testing.T) {
	s := newSite(t, Options{})
	s.fill(4000) // of which the ring holds 2048 at most
	_, body := s.get("GET", fmt.Sprintf("/stream?follow=0&format=ndjson&from=%d-10", s.engine.Epoch()), "")
	oldest := s.engine.Oldest()
	want := fmt.Sprintf(`{"type":"gap","requested":"%d-10","resumed":"%[1]d-%d","missed":%d}`, s.engine.Epoch(), oldest, oldest-11)
	lines := strings.Split(body, "\n")
	if !strings.Contains(lines[0], fmt.Sprintf(`"resumed_from":"%d-10"`, s.engine.Epoch())) || lines[1] != want {
		t.Errorf("got %s\n%s, want %s", lines[0], lines[1], want)
	}
	eventually(t, "the client to be forgotten", func() bool { return s.Transport().Stats().Active == 0 })
	if got := s.Transport().Stats().Totals; got.Offered != 4000-10 || got.Dropped != oldest-11 || got.Delivered != 4000-oldest+1 {
		t.Errorf("%+v, oldest is %d", got, oldest)
	}
}

func TestTheAcceptHeaderChoosesNDJSON(t *testing.T) {
	s := newSite(t, Options{})
	for header, want := range map[string]string{
		"":                                 "text/event-stream",
		"Accept: */*\r\n":                  "text/event-stream",
		"Accept: application/x-ndjson\r\n": "application/x-ndjson",
		"Accept: text/event-stream, application/x-ndjson\r\n":       "text/event-stream",
		"Accept: Application/X-NDJSON;q=0.9, text/event-stream\r\n": "application/x-ndjson",
	} {
		if answer, _ := s.get("GET", "/stream?follow=0", header); answer.Header.Get("Content-Type") != want {
			t.Errorf("%q: %s, want %s", header, answer.Header.Get("Content-Type"), want)
		}
	}
}

func TestEntriesAreReadAsAsked(t *testing.T) {
	s := newSite(t, Options{})
	s.fill(9)
	for query, want := range map[string]string{
		"":                           "1 2 3 4 5 6 7 8 9",
		"limit=2":                    "1 2",
		"order=desc":                 "9 8 7 6 5 4 3 2 1",
		"order=desc&limit=3":         "9 8 7",
		"level=error":                "3 6 9",
		"level=error&order=desc":     "9 6 3",
		"q=nowhere":                  "",
		"q=nowhere&order=desc":       "",
		"format=json&level=error":    "3 6 9",
		"format=json&q=nowhere":      "",
		"format=ndjson&source=a.log": "1 2 3 4 5 6 7 8 9",
	} {
		answer, body := s.get("GET", "/entries?"+query, "")
		if got := numbers(body); answer.StatusCode != 200 || got != want {
			t.Errorf("%s: status %d, entries %q, want %q", query, answer.StatusCode, got, want)
		}
		if strings.Contains(query, "format=json") && !json.Valid([]byte(body)) {
			t.Errorf("%s: not JSON: %s", query, body)
		}
	}
	answer, body := s.get("GET", "/entries?format=text&limit=1&download=1", "")
	if want := "2024-01-01T12:00:01.000000Z info a.log =1, \"q\"\\r\\n\n"; body != want {
		t.Errorf("as text %q, want %q", body, want)
	}
	if name := answer.Header.Get("Content-Disposition"); !strings.HasPrefix(name, `attachment; filename="logwisp-`) || !strings.HasSuffix(name, `.log"`) {
		t.Errorf("to be saved as %s", name)
	}
	_, body = s.get("GET", "/entries?format=csv&limit=1", "")
	records, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if want := "[[time source level message fields] [2024-01-01T12:00:01.000000Z a.log info '=1, \"q\"\n {\"n\":1}]]"; err != nil || fmt.Sprint(records) != want {
		t.Errorf("as CSV %v, want %s (%v)", records, want, err)
	}
	empty := newSite(t, Options{})
	for _, query := range []string{"", "?order=desc", "?level=error"} {
		if _, body := empty.get("GET", "/entries"+query, ""); body != "" {
			t.Errorf("of nothing: %q", body)
		}
	}
}

func TestAnAnswerLongerThanTheRingsPagesIsComplete(t *testing.T) {
	s := newSite(t, Options{})
	s.fill(1500)
	for _, order := range []string{"asc", "desc"} {
		if _, body := s.get("GET", "/entries?limit=100000&order="+order, ""); strings.Count(body, "\n") != 1500 {
			t.Errorf("%s: %d entries", order, strings.Count(body, "\n"))
		}
	}
}

func TestClientsAreListedAndCanBeDisconnected(t *testing.T) {
	s := newSite(t, Options{})
	s.fill(9)
	_, r := s.dial("GET /stream?from=earliest&level=error&name=me&format=ndjson HTTP/1.1\r\nHost: localhost\r\n\r\n")
	var clients []netio.Client
	eventually(t, "the client to have everything", func() bool {
		clients = nil
		_, body := s.get("GET", "/clients", "")
		if err := json.Unmarshal([]byte(body), &clients); err != nil {
			t.Fatal(err)
		}
		return len(clients) == 1 && clients[0].Offered == 9
	})
	c := clients[0]
	if c.Transport != "sse" || c.Name != "me" || c.Filter != "level=error" || c.Delivered != 3 || c.Filtered != 6 || c.Dropped != 0 ||
		c.LagEntries != 0 || !strings.HasPrefix(c.Address, "127.0.0.1:") || time.Since(c.ConnectedAt) > waitLimit {
		t.Errorf("the client is listed as %+v", c)
	}
	if answer, _ := s.get("DELETE", "/clients/nobody", ""); answer.StatusCode != 404 {
		t.Errorf("status %d for a client that is none", answer.StatusCode)
	}
	if answer, _ := s.get("GET", "/clients/"+c.ID, ""); answer.StatusCode != 405 || answer.Header.Get("Allow") != "DELETE" {
		t.Errorf("status %d for GET of a client", answer.StatusCode)
	}
	if answer, _ := s.get("DELETE", "/clients/"+c.ID, ""); answer.StatusCode != 204 {
		t.Errorf("status %d", answer.StatusCode)
	}
	rest, err := io.ReadAll(bufio.NewReader(r))
	if err != nil || !strings.HasSuffix(string(rest), "{\"type\":\"disconnect\",\"reason\":\"kicked\"}\n") {
		t.Errorf("the stream ends with %.100q (%v)", rest[max(0, len(rest)-100):], err)
	}
	eventually(t, "the client to be forgotten", func() bool { return s.Transport().Stats().Active == 0 })
}

// TestAHeartbeatTellsAFilteredClientWhereItStands is what it resumes from.
func TestAHeartbeatTellsAFilteredClientWhereItStands(t *testing.T) {
	s := newSite(t, Options{})
	_, r := s.dial("GET /stream?level=fatal&heartbeat=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	for {
		it, err := readEvent(r)
		if err != nil {
			t.Fatal(err)
		}
		if it.Kind == "connected" {
			s.fill(5) // nothing of it is for the client
		}
		if it.Kind == "heartbeat" {
			if want := fmt.Sprintf("%d-5", s.engine.Epoch()); it.ID != want {
				t.Errorf("the heartbeat has the id %s, want %s", it.ID, want)
			}
			return
		}
	}
}

func TestAnswersAreUTF8WhateverWasSent(t *testing.T) {
	s := newSite(t, Options{})
	_, r := s.dial("GET /stream?name=%ff&format=ndjson HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if _, err := http.ReadResponse(r, nil); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/clients", "/%ff", "/entries?%ff=1"} {
		if _, body := s.get("GET", target, ""); !utf8.ValidString(body) {
			t.Errorf("%s: %q", target, body)
		}
	}
}

// TestAnExportThatIsOvertakenIsTorn has the ring go round between two pages.
func TestAnExportThatIsOvertakenIsTorn(t *testing.T) {
	s := newSite(t, Options{})
	s.fill(10)
	export := func() *export {
		return &export{engine: s.engine, format: entryFormats["ndjson"], next: s.engine.Oldest(), end: s.engine.Head(), left: maxCount}
	}
	x, late, whole := export(), export(), export()
	if got := numbers(string(x.appendPage(nil))); got != "1 2" || x.torn {
		t.Fatalf("%q, torn %t", got, x.torn)
	}
	for !whole.done {
		whole.appendPage(nil)
	}
	if whole.torn {
		t.Error("one that has all is torn")
	}
	for s.engine.Oldest() < 20 {
		s.fill(100)
	}
	if got := numbers(string(x.appendPage(nil))); got != "" || !x.torn {
		t.Errorf("behind a hole comes %q, torn %t", got, x.torn)
	}
	if late.end = s.engine.Head(); numbers(string(late.appendPage(nil))) == "" || late.torn {
		t.Error("one that had not begun yet does not begin with what is held")
	}
}
