package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// FuzzQuery: a refusal names a parameter that is in the query, in a body that is
// JSON; a query that is taken means the same when it is written anew.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{
		"", "level=warn&source=app*&re=time.ut", "tail=10&since=5m&from=earliest&last_event_id=1-2", "levels=error,fatal&not=x&not_re=y&q=z",
		"field=a.b%3E%3D1e5&field=c~x", "follow=0&limit=5&batch_ms=10&max_rate=100&heartbeat=off&ids=1&format=ndjson&name=me",
		"heartbeat=30", "heartbeat=0", "heartbeat=on", "batch_ms=1001", "limit=0", "limit=-1", "tail=1e3", "tail=99999999999999999999", "follow=maybe",
		"format=xml", "format=sse&batch_ms=1", "format=text&batch_ms=1", "lvl=warn", "level=wrn", "re=(", "re=%28%3F%3Aa%7B1000%7D%29%7B1000%7D", "name=%07",
		"since=2024-01-01T12:00:00+02:00", "since=2024-01-01T12:00:00%2B02:00", "since=-5m", "from=1", "from=1-2-3", "=x", "&&", "%", "%zz=%zz", "a;b=c", "tail=1&tail=", "level=\xff",
	} {
		f.Add(query)
	}
	s := newSite(f, Options{})
	f.Fuzz(func(t *testing.T, text string) {
		first, err := s.read(text)
		if err != nil {
			wantNamed(t, text, err)
			return
		}
		var args fasthttp.Args
		for name, value := range first.values {
			args.Add(name, value)
		}
		query := args.String()
		if first.filter != nil {
			query += "&" + first.filter.String()
		}
		again, err := s.read(query)
		if err != nil {
			t.Fatalf("%q is taken, but not %q, which is the same: %v", text, query, err)
		}
		if !maps.Equal(again.values, first.values) || key(again.filter) != key(first.filter) {
			t.Errorf("%q means %q and %q, written anew %q and %q", text, first.values, key(first.filter), again.values, key(again.filter))
		}
	})
}

func key(f *filter.Filter) string {
	if f == nil {
		return ""
	}
	return f.Key()
}

// read reads all of a query that /stream reads.
func (s *site) read(text string) (*query, error) {
	var args fasthttp.Args
	args.Parse(text)
	q, err := parseQuery(&args, streamParameters, s.engine.SourceName)
	if err != nil {
		return nil, err
	}
	if _, err := s.kindOf(q, ""); err != nil {
		return nil, err
	}
	if _, err := q.flag("ids", false); err != nil {
		return nil, err
	}
	if _, err := q.subscription(s.transport.Heartbeat); err != nil {
		return nil, err
	}
	_, err = q.place(s.engine, "", s.engine.Head(), nil)
	return q, err
}

func wantNamed(t *testing.T, text string, err error) {
	t.Helper()
	e, ok := errors.AsType[*badParameter](err)
	if !ok {
		t.Fatalf("%q is refused with %v, which is no answer", text, err)
	}
	var args fasthttp.Args
	args.Parse(text)
	if !args.Has(e.parameter) {
		t.Errorf("%q is refused for %q, which is not in it: %v", text, e.parameter, err)
	}
	body, err := record.AppendJSON(nil, e.body())
	if err != nil || !json.Valid(body) || e.Error() == "" {
		t.Errorf("%q: body %s, %v", text, body, err)
	}
}

// FuzzEvents: whatever is in an entry, a browser reads from the events what was
// put into them: an entry's line and id, and each notice in its place.
func FuzzEvents(f *testing.F) {
	for _, message := range []string{
		"plain", "data: x\n\nevent: drop\ndata: {}\n\n", "a\rb", "\r\n", "\x00\xff\u2028\u2029\u0085", "", ":", "id: 9-9", strings.Repeat("x\n", 40),
	} {
		f.Add([]byte(message), "app.log", uint64(1), uint64(7), "why")
		f.Add([]byte(message), message, uint64(1795361890502), uint64(1), message)
	}
	var comments, objects heartbeats
	objects.json.Store(true)
	form, withIDs, batched, asJSON := newForm(&comments, false), newForm(&comments, true), newBatchForm(&comments), newForm(&objects, false)
	f.Fuzz(func(t *testing.T, message []byte, source string, epoch, seq uint64, reason string) {
		epoch, seq = max(epoch, 1), max(seq, 1)
		ids := record.Epoch(epoch)
		line := new(record.Encoder).Append(nil, &record.Entry{Source: source, Level: ring.LevelInfo, Message: message, Partial: len(message)%2 == 0})
		id := fmt.Sprintf("%d-%d", epoch, seq)
		entry := string(line[:len(line)-1])
		own := `{"id":"` + id + `",` + entry[1:]
		var stream []byte
		var want []event
		add := func(text []byte, e event) { stream, want = text, append(want, e) }
		add(form.Entry(stream, ids, seq, line), event{"message", id, entry})
		add(withIDs.Entry(stream, ids, seq, line), event{"message", id, own})
		two := batched.Entry(batched.Entry(nil, ids, seq, line), ids, seq, line)
		add(batched.Batch(stream, ids, seq, bytes.TrimSuffix(two, []byte("\n"))), event{"batch", id, "[" + own + "," + own + "]"})
		drop := record.Drop{IDs: ids, From: 1, To: seq, Reason: "lagged", Total: seq}
		add(form.Drop(stream, &drop), event{"drop", id, string(drop.AppendJSON(nil, false))})
		gap := record.Gap{IDs: ids, Requested: 1, Resumed: seq, Missed: 3}
		add(form.Gap(stream, &gap), event{"gap", fmt.Sprintf("%d-%d", epoch, seq-1), string(gap.AppendJSON(nil, false))})
		// Events without an id leave the last one standing.
		last := want[len(want)-1].id
		said, err := record.AppendJSON(nil, record.Reset{Reason: reason})
		if err != nil {
			t.Fatal(err)
		}
		add(form.Reset(stream, reason), event{"reset", last, string(said)})
		add(form.Disconnect(stream, reason), event{"disconnect", last, string(said)})
		beat := record.Heartbeat{Now: time.Unix(int64(seq>>32), 0), Uptime: time.Hour, Timestamp: true, Stats: true}
		stream = form.Heartbeat(stream, ids, seq, &beat) // a comment makes no event
		stream = append(stream, form.Probe...)
		add(asJSON.Heartbeat(stream, ids, seq, &beat), event{"message", id, string(beat.AppendJSON(nil))})
		add(form.Disconnect(stream, ""), event{"disconnect", id, `{"reason":""}`})
		if got := events(string(stream)); !slices.Equal(got, want) {
			t.Errorf("read\n%q\nwant\n%q\nof\n%q", got, want, stream)
		}
	})
}

// event is what a browser dispatches.
type event struct{ name, id, data string }

// events reads a stream as WHATWG HTML, section 9.2.6 has it: lines end with CR,
// LF or both, and an event with a blank line.
func events(stream string) (all []event) {
	stream = strings.TrimPrefix(stream, "\ufeff")
	stream = strings.ReplaceAll(strings.ReplaceAll(stream, "\r\n", "\n"), "\r", "\n")
	var e event
	var data strings.Builder
	lines := strings.Split(stream, "\n")
	for _, line := range lines[:len(lines)-1] { // the last is not ended
		if line == "" {
			if data.Len() > 0 {
				e.data = strings.TrimSuffix(data.String(), "\n")
				if e.name == "" {
					e.name = "message"
				}
				all = append(all, e)
			}
			e.name = ""
			data.Reset()
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			e.name = value
		case "data":
			data.WriteString(value + "\n")
		case "id":
			if !strings.Contains(value, "\x00") {
				e.id = value
			}
		}
	}
	return all
}
