package forward

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func TestPresetsPostWhatTheirCollectorsTake(t *testing.T) {
	const (
		entry   = `{"time":"2024-01-01T12:00:00.123456Z","source":"app.log","level":"info","message":"say \"hi\"\\","fields":{"n":1.50,"who":"a\"b"}}`
		inQuote = `{\"time\":\"2024-01-01T12:00:00.123456Z\",\"source\":\"app.log\",\"level\":\"info\",\"message\":\"say \\\"hi\\\"\\\\\",\"fields\":{\"n\":1.50,\"who\":\"a\\\"b\"}}`
	)
	for name, want := range map[string]struct{ uri, contentType, body string }{
		"none":    {"/", "application/x-ndjson", entry + "\n"},
		"vector":  {"/", "application/x-ndjson", entry + "\n"},
		"logwisp": {"/ingest", "application/x-ndjson", entry + "\n"},
		"victorialogs": {
			"/insert/jsonline?_msg_field=message&_stream_fields=source&_time_field=time", "application/stream+json", entry + "\n",
		},
		"fluentbit": {"/logwisp", "application/json", "[" + entry + "]"},
		"elasticsearch": {
			"/logwisp/_bulk?filter_path=errors%2Citems.%2A.status%2Citems.%2A.error.type%2Citems.%2A.error.reason", "application/x-ndjson", "{\"create\":{}}\n" + strings.Replace(entry, "time", "@timestamp", 1) + "\n",
		},
		"splunk": {
			"/services/collector/event", "application/json",
			`{"time":1704110400.123456,"source":"app.log","sourcetype":"_json","event":` + entry + "}\n",
		},
		"loki": {
			"/loki/api/v1/push", "application/json",
			`{"streams":[{"stream":{"source":"app.log","level":"info"},"values":[["1704110400123456001","` + inQuote + `"]]}]}`,
		},
		"otlp": {
			"/v1/logs", "application/json",
			`{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{"name":"logwisp"},"logRecords":[{"timeUnixNano":"1704110400123456000","severityNumber":9,"severityText":"info","body":{"stringValue":"say \"hi\"\\"},"attributes":[{"key":"source","value":{"stringValue":"app.log"}},{"key":"n","value":{"doubleValue":1.50}},{"key":"who","value":{"stringValue":"a\"b"}}]}]}]}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := receive(t, func(*http.Request, string) (int, string) {
				return 200, map[string]string{"logwisp": `{"accepted":1,"rejected":0}`, "elasticsearch": `{"errors":false,"items":[]}`}[name]
			})
			b := newBench(t, 0, Options{URL: c.URL, Preset: name})
			b.publish(`say "hi"\`)
			b.settles()
			r := c.requests[0]
			if r.RequestURI != want.uri || r.Header.Get("Content-Type") != want.contentType {
				t.Errorf("posted to %s as %s", r.RequestURI, r.Header.Get("Content-Type"))
			}
			if got := c.got(); got != want.body {
				t.Errorf("posted\n%s, want\n%s", got, want.body)
			}
			if name == "fluentbit" || name == "loki" || name == "otlp" {
				if !json.Valid([]byte(c.got())) {
					t.Error("not JSON")
				}
			}
		})
	}
}

func TestNumbersKeepTheirValueInOTLP(t *testing.T) {
	for number, want := range map[string]string{
		"1": `{"intValue":"1"}`, "-9223372036854775808": `{"intValue":"-9223372036854775808"}`,
		"1e3": `{"doubleValue":1e3}`, "12345678901234567890123": `{"stringValue":"12345678901234567890123"}`,
	} {
		if got := string(appendNumber(nil, json.Number(number))); got != want {
			t.Errorf("%s: %s", number, got)
		}
	}
	if got := string(appendAttributes(nil, []byte(`{"a":{"b":[1,null,true]}}`))); got !=
		`,{"key":"a","value":{"kvlistValue":{"values":[{"key":"b","value":{"arrayValue":{"values":[{"intValue":"1"},{},{"boolValue":true}]}}}]}}}` {
		t.Error(got)
	}
}

func TestAttributesAreUniqueInOTLP(t *testing.T) {
	got := string(appendAttributes(nil, []byte(`{"source":"db","a":"b"}`)))
	if want := `,{"key":"a","value":{"stringValue":"b"}},{"key":"fields.source","value":{"stringValue":"db"}}`; got != want {
		t.Errorf("attributes %s, want %s", got, want)
	}
}

func TestASuccessThatRefusesSomeIsCounted(t *testing.T) {
	for name, c := range map[string]struct {
		preset, answer string
		delivered      uint64
	}{
		"bulk":   {"elasticsearch", `{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":400,"error":{"type":"mapper"}}},{"create":{"status":409}}]}`, 2},
		"otlp":   {"otlp", `{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}`, 1},
		"number": {"otlp", `{"partialSuccess":{"rejectedLogRecords":1}}`, 2},
		"ingest": {"logwisp", `{"accepted":2,"rejected":1}`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := receive(t, func(*http.Request, string) (int, string) { return 200, c.answer })
			b := newBench(t, 0, Options{URL: r.URL, Preset: c.preset})
			b.publish("one", "two", "three")
			s := b.settles()
			if s.Delivered != c.delivered || s.Refused != 3-c.delivered || len(r.requests) != 1 {
				t.Errorf("%d requests, counted %+v", len(r.requests), s)
			}
		})
	}
}

func TestABulkIsSentAgainFromTheFirstEntryThatHasToWait(t *testing.T) {
	for _, status := range []int{429, 401, 403, 404, 503} { // not what the entry is at fault for
		t.Run(strconv.Itoa(status), func(t *testing.T) { bulkThatWaits(t, status) })
	}
}

func bulkThatWaits(t *testing.T, status int) {
	first := true
	r := receive(t, func(_ *http.Request, body string) (int, string) {
		if first {
			first = false
			return 200, fmt.Sprintf(`{"errors":true,"items":[{"create":{"status":400}},{"create":{"status":%d}},{"create":{"status":201}}]}`, status)
		}
		return 200, `{"errors":false}`
	})
	b := newBench(t, 0, Options{URL: r.URL, Preset: "elasticsearch"})
	b.publish("one", "two", "three")
	s := b.settles()
	if s.Delivered != 2 || s.Refused != 1 || strings.Contains(r.bodies[1], `"one"`) || !strings.Contains(r.bodies[1], `"two"`) {
		t.Errorf("counted %+v, second body %s", s, r.bodies[1])
	}
}
