package forward

import (
	"bytes"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"logwisp/ring/record"
)

// preset is what one kind of collector wants.
type preset struct {
	path        string // where it listens, when the URL names none
	query       string // parameters that are added, where the URL does not set them
	suffix      string // what the path ends with
	contentType string
	tokenScheme string // of Authorization; "" = Bearer
	streams     bool   // it can be on tcp:// and tls:// as well
	encode      func(e *encoding, dst []byte, p part) []byte
	verdict     func(answer []byte, p part) (outcome, error) // of a success; nil: all is well
}

// encoding is what encoders keep from batch to batch.
type encoding struct {
	streams map[string][]byte // Loki: values by labels
	order   []string
}

// presets are the collectors that are known. What they take is documented at:
//
//	victorialogs   docs.victoriametrics.com, JSON stream API
//	loki           grafana.com/docs/loki, POST /loki/api/v1/push
//	elasticsearch  elastic.co, Bulk API; OpenSearch is the same
//	vector         vector.dev, source http_server with newline-delimited JSON
//	fluentbit      docs.fluentbit.io, input http
//	splunk         docs.splunk.com, HTTP Event Collector
//	otlp           opentelemetry.io, OTLP/HTTP with JSON
var presets = map[string]*preset{
	"none":    {contentType: "application/x-ndjson", streams: true, encode: appendLines},
	"logwisp": {path: "/ingest", contentType: "application/x-ndjson", streams: true, encode: appendLines, verdict: ingestVerdict},
	"victorialogs": {
		path: "/insert/jsonline", query: "_time_field=time&_msg_field=message&_stream_fields=source",
		contentType: "application/stream+json", encode: appendLines,
	},
	"vector":    {path: "/", contentType: "application/x-ndjson", encode: appendLines},
	"fluentbit": {path: "/logwisp", contentType: "application/json", encode: appendArray},
	"loki":      {path: "/loki/api/v1/push", contentType: "application/json", encode: appendLoki},
	"elasticsearch": {
		path: "/logwisp", suffix: "/_bulk", contentType: "application/x-ndjson", tokenScheme: "ApiKey",
		query:  "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason",
		encode: appendBulk, verdict: bulkVerdict,
	},
	"splunk": {path: "/services/collector/event", contentType: "application/json", tokenScheme: "Splunk", encode: appendSplunk},
	"otlp":   {path: "/v1/logs", contentType: "application/json", encode: appendOTLP, verdict: otlpVerdict},
}

func presetNames() []string { return slices.Sorted(maps.Keys(presets)) }

// address returns where to post to.
func (p *preset) address(u url.URL) string {
	u.User = nil
	if u.Path == "" || u.Path == "/" {
		u.Path = p.path
	}
	if !strings.HasSuffix(u.Path, p.suffix) {
		u.Path = strings.TrimSuffix(u.Path, "/") + p.suffix
	}
	query := u.Query()
	extra, _ := url.ParseQuery(p.query)
	for name, values := range extra {
		if !query.Has(name) {
			query[name] = values
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// appendLines is the entries as they are.
func appendLines(_ *encoding, dst []byte, p part) []byte { return append(dst, p.bytes()...) }

// appendArray is one JSON array of the entries.
func appendArray(_ *encoding, dst []byte, p part) []byte {
	separator := byte('[')
	p.entries(func(line []byte) {
		dst = append(append(dst, separator), line...)
		separator = ','
	})
	return append(dst, ']')
}

// appendBulk is an action and a document for each entry. Data streams want the
// time under @timestamp, and create only.
func appendBulk(_ *encoding, dst []byte, p part) []byte {
	p.entries(func(line []byte) {
		dst = append(dst, "{\"create\":{}}\n{\"@timestamp\":"...)
		dst = append(dst, bytes.TrimPrefix(line, []byte(`{"time":`))...)
		dst = append(dst, '\n')
	})
	return dst
}

// appendSplunk is an event for each entry, which is the event's content.
func appendSplunk(_ *encoding, dst []byte, p part) []byte {
	p.entries(func(line []byte) {
		parts := record.Split(line)
		dst = append(dst, `{"time":`...)
		nanos := nanosOf(parts.Time)
		dst = strconv.AppendInt(dst, nanos/1e9, 10)
		dst = append(dst, '.')
		dst = append(dst, strconv.Itoa(int(1_000_000 + nanos%1e9/1e3))[1:]...)
		dst = append(dst, `,"source":"`...)
		dst = append(dst, parts.Source...)
		dst = append(dst, `","sourcetype":"_json","event":`...)
		dst = append(append(dst, line...), '}', '\n')
	})
	return dst
}

// appendLoki is a stream for each source and level, whose lines are the entries:
// nothing of them is lost, and Loki's json stage takes them apart.
func appendLoki(e *encoding, dst []byte, p part) []byte {
	if e.streams == nil {
		e.streams = make(map[string][]byte)
	}
	clear(e.streams)
	e.order = e.order[:0]
	at := p.first - 1
	p.entries(func(line []byte) {
		at++
		parts := record.Split(line)
		labels := `{"source":"` + string(parts.Source) + `"`
		if parts.Level != nil {
			labels += `,"level":"` + string(parts.Level) + `"`
		}
		values, known := e.streams[labels]
		if !known {
			e.order = append(e.order, labels)
		} else {
			values = append(values, ',')
		}
		values = append(values, `["`...)
		// Loki takes entries of one time and text for one: what is below our
		// microseconds keeps them apart, and in order, and is the same at a retry.
		values = strconv.AppendInt(values, nanosOf(parts.Time)+int64(p.seqs[at]%1000), 10)
		values = append(values, `","`...)
		e.streams[labels] = append(appendQuoted(values, line), `"]`...)
	})
	dst = append(dst, `{"streams":[`...)
	for i, labels := range e.order {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, `{"stream":`...), labels...), `},"values":[`...)
		dst = append(append(dst, e.streams[labels]...), `]}`...)
	}
	return append(dst, `]}`...)
}

// appendQuoted appends the inside of a JSON string for an entry, which is valid
// JSON on one line: there is nothing in it to escape but these two.
func appendQuoted(dst, line []byte) []byte {
	for _, c := range line {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}

// nanosOf returns the time of an entry, nanoseconds since 1970.
func nanosOf(text []byte) int64 {
	t, err := time.Parse("2006-01-02T15:04:05.000000Z", string(text))
	if err != nil {
		return time.Now().UnixNano() // not an entry of ours
	}
	return t.UnixNano()
}
