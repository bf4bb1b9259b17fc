package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"logwisp/bench/freeport"
)

// victoria starts VictoriaLogs and has entries sent to one of its APIs.
func victoria(path, preset, compress, more string) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		port, err := freeport.One()
		if err != nil {
			return outcome{}, err
		}
		p, err := r.start(r.programs["victoria-logs"], "-storageDataPath="+r.path("store"), "-httpListenAddr=127.0.0.1:"+port)
		if err != nil {
			return outcome{}, err
		}
		if err := p.listens(ctx, port); err != nil {
			return outcome{}, err
		}
		d, err := r.sends(ctx, fmt.Sprintf("url = \"http://127.0.0.1:%s%s\"\npreset = %q\ncompress = %q\n%s", port, path, preset, compress, more))
		if err != nil {
			return outcome{}, err
		}
		return r.checked(ctx, d, func() ([]entry, error) {
			text, err := get(ctx, "http://127.0.0.1:"+port+"/select/logsql/query?query="+url.QueryEscape("*"))
			if err != nil {
				return nil, err
			}
			return victoriaEntries(text)
		})
	}
}

// victoriaEntries reads what VictoriaLogs answers: texts, by flattened names.
func victoriaEntries(text []byte) ([]entry, error) {
	var all []entry
	for line := range bytes.Lines(text) {
		var row map[string]string
		if err := decode(line, &row); err != nil {
			return nil, fmt.Errorf("%w in %.200q", err, line)
		}
		e := entry{source: row["source"], level: row["level"], message: row["_msg"], fields: make(map[string]string)}
		var err error
		if e.time, err = time.Parse(time.RFC3339Nano, row["_time"]); err != nil {
			return nil, err
		}
		for name, value := range row {
			name = strings.TrimPrefix(name, "event.") // of Splunk
			switch rest, ok := strings.CutPrefix(name, "fields."); {
			case ok:
				e.fields[rest] = value
			case name == "level":
				e.level = value
			}
		}
		all = append(all, e)
	}
	return all, nil
}

// otelRecords reads the file of OpenTelemetry's exporter.
func (r *run) otelRecords() ([]entry, error) {
	text, err := os.ReadFile(r.path("arrived"))
	if err != nil {
		return nil, err
	}
	var all []entry
	for line := range bytes.Lines(text[:bytes.LastIndexByte(text, '\n')+1]) {
		var batch struct {
			ResourceLogs []struct {
				ScopeLogs []struct{ LogRecords []otelRecord }
			}
		}
		if err := decode(line, &batch); err != nil {
			return nil, fmt.Errorf("%w in %.200q", err, line)
		}
		for _, resource := range batch.ResourceLogs {
			for _, scope := range resource.ScopeLogs {
				for _, record := range scope.LogRecords {
					e, err := record.entry()
					if err != nil {
						return nil, err
					}
					all = append(all, e)
				}
			}
		}
	}
	return all, nil
}

type otelRecord struct {
	TimeUnixNano   string
	SeverityNumber int
	SeverityText   string
	Body           otelValue
	Attributes     []otelAttribute
}

type otelAttribute struct {
	Key   string
	Value otelValue
}

type otelValue map[string]any

// plain is a value as JSON would have it.
func plain(v map[string]any) any {
	for kind, inner := range v {
		switch kind {
		case "arrayValue":
			values, _ := inner.(map[string]any)["values"].([]any)
			out := make([]any, len(values))
			for i := range values {
				out[i] = plain(values[i].(map[string]any))
			}
			return out
		case "kvlistValue":
			values, _ := inner.(map[string]any)["values"].([]any)
			out := make(map[string]any)
			for _, v := range values {
				pair := v.(map[string]any)
				out[pair["key"].(string)] = plain(pair["value"].(map[string]any))
			}
			return out
		case "intValue":
			n, _ := strconv.ParseInt(fmt.Sprint(inner), 10, 64)
			return n
		}
		return inner
	}
	return nil
}

var otelLevels = []string{"", "trace", "debug", "info", "warn", "error", "fatal"}

func (o otelRecord) entry() (entry, error) {
	nanos, err := strconv.ParseInt(o.TimeUnixNano, 10, 64)
	if err != nil {
		return entry{}, fmt.Errorf("time of a record: %w", err)
	}
	attributes := make(map[string]any)
	for _, a := range o.Attributes {
		attributes[a.Key] = plain(a.Value)
	}
	e := entry{time: time.Unix(0, nanos), level: otelLevels[(o.SeverityNumber+3)/4]}
	e.message, _ = plain(o.Body).(string)
	e.source, _ = attributes["source"].(string)
	delete(attributes, "source")
	delete(attributes, "level") // the severity was made of it
	if fields, ok := attributes["fields"].(map[string]any); ok {
		attributes = fields // of an entry that was sent as it is
	}
	e.fields = flat(attributes)
	return e, nil
}
