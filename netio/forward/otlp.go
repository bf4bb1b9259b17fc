package forward

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"logwisp/ring/record"
)

// severities are the numbers that OTLP gives to levels: the first of the four
// of each.
var severities = map[string]int{"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}

// appendOTLP is one resource and scope with a log record for each entry: the
// message is its body, source and fields are its attributes.
func appendOTLP(_ *encoding, dst []byte, p part) []byte {
	dst = append(dst, `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{"name":"logwisp"},"logRecords":`...)
	separator := byte('[')
	p.entries(func(line []byte) {
		parts := record.Split(line)
		dst = append(append(dst, separator), `{"timeUnixNano":"`...)
		separator = ','
		dst = strconv.AppendInt(dst, nanosOf(parts.Time), 10)
		dst = append(dst, '"')
		if parts.Level != nil {
			dst = append(dst, `,"severityNumber":`...)
			dst = strconv.AppendInt(dst, int64(severities[string(parts.Level)]), 10)
			dst = append(append(append(dst, `,"severityText":"`...), parts.Level...), '"')
		}
		dst = append(append(append(dst, `,"body":{"stringValue":"`...), parts.Message...), `"},"attributes":[{"key":"source","value":{"stringValue":"`...)
		dst = append(append(dst, parts.Source...), `"}}`...)
		dst = appendAttributes(dst, parts.Fields)
		dst = append(dst, `]}`...)
	})
	return append(dst, `]}]}]}`...)
}

// appendAttributes appends the members of an object as further attributes, whose
// keys must be unique: source is the entry's.
func appendAttributes(dst, fields []byte) []byte {
	if fields == nil {
		return dst
	}
	d := json.NewDecoder(bytes.NewReader(fields))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return dst
	}
	members := v.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(members)) {
		name := key
		if name == "source" {
			name = "fields.source"
		}
		dst = appendAttribute(append(dst, ','), name, members[key])
	}
	return dst
}

func appendAttribute(dst []byte, key string, value any) []byte {
	dst = append(dst, `{"key":`...)
	dst = appendJSONString(dst, key)
	dst = append(dst, `,"value":`...)
	return append(appendValue(dst, value), '}')
}

// appendValue appends a decoded value as an AnyValue. A number beyond 64 bits
// is given as text, which keeps it.
func appendValue(dst []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(dst, `{}`...)
	case bool:
		return append(strconv.AppendBool(append(dst, `{"boolValue":`...), v), '}')
	case string:
		return append(appendJSONString(append(dst, `{"stringValue":`...), v), '}')
	case json.Number:
		return appendNumber(dst, v)
	case []any:
		dst = append(dst, `{"arrayValue":{"values":[`...)
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, item)
		}
		return append(dst, `]}}`...)
	}
	dst = append(dst, `{"kvlistValue":{"values":[`...)
	first := true
	for key, item := range value.(map[string]any) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendAttribute(dst, key, item)
	}
	return append(dst, `]}}`...)
}

func appendNumber(dst []byte, n json.Number) []byte {
	lead, tail := `{"stringValue":"`, `"}`
	if strings.ContainsAny(string(n), ".eE") {
		if _, err := n.Float64(); err == nil {
			lead, tail = `{"doubleValue":`, `}`
		}
	} else if _, err := n.Int64(); err == nil {
		lead = `{"intValue":"` // a string, as 64-bit integers are in this JSON
	}
	return append(append(append(dst, lead...), n...), tail...)
}

func appendJSONString(dst []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		return append(dst, `""`...) // a string cannot fail to encode
	}
	return append(dst, text...)
}
