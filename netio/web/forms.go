package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"logwisp/netio"
	"logwisp/ring/record"
)

// A streamKind is one of the forms in which /stream is served.
type streamKind struct {
	form, withIDs *netio.Form
	batched       *netio.Form // nil: it has no batches
	contentType   string
	greet         func(s *Server, dst []byte, g netio.Greeting) []byte // behind the head
}

// The names of the kinds; the first is what a client gets that does not choose.
var formatNames = []string{"sse", "ndjson", "text"}

// newKinds returns the kinds by name.
func newKinds(beats *heartbeats) map[string]*streamKind {
	return map[string]*streamKind{
		"sse": {
			form: newForm(beats, false), withIDs: newForm(beats, true),
			batched:     newBatchForm(beats),
			contentType: "text/event-stream", greet: (*Server).greetEvents,
		},
		"ndjson": {
			form: netio.JSONLines(true, false), withIDs: netio.JSONLines(true, true),
			contentType: "application/x-ndjson", greet: (*Server).greetLines,
		},
		"text": {
			form: textForm(), withIDs: textForm(),
			contentType: "text/plain; charset=utf-8",
		},
	}
}

// textForm returns how entries look as lines for people. Of what is not an
// entry only losses are told.
func textForm() *netio.Form {
	return &netio.Form{
		Name:  "text",
		Entry: func(dst []byte, _ record.IDs, _ uint64, line []byte) []byte { return record.AppendText(dst, line) },
		Drop:  func(dst []byte, d *record.Drop) []byte { return appendLost(dst, d.Lost()) },
		Gap:   func(dst []byte, g *record.Gap) []byte { return appendLost(dst, g.Missed) },
	}
}

func appendLost(dst []byte, n uint64) []byte { return fmt.Appendf(dst, "-- %d entries lost --\n", n) }

// kindOf returns the kind that a request asks for.
func (s *Server) kindOf(q *query, accept string) (*streamKind, error) {
	name, err := q.choice("format", formatNames...)
	if err != nil {
		return nil, err
	}
	if q.values["format"] == "" && acceptsNDJSON(accept) {
		name = "ndjson"
	}
	return s.kinds[name], nil
}

// acceptsNDJSON reports whether an Accept header names NDJSON, and before it
// nothing else that a stream can be.
func acceptsNDJSON(accept string) bool {
	kinds := strings.Split(accept, ",")
	for i, k := range kinds {
		k, _, _ = strings.Cut(k, ";")
		kinds[i] = strings.ToLower(strings.TrimSpace(k))
	}
	nd, sse := slices.Index(kinds, "application/x-ndjson"), slices.Index(kinds, "text/event-stream")
	return nd >= 0 && (sse < 0 || nd < sse)
}

// greeting returns what a subscriber gets first: the head of the answer, more
// being further lines of it, and
// what its kind has to say.
func (s *Server) greeting(kind *streamKind, more string) func([]byte, netio.Greeting) []byte {
	return func(dst []byte, g netio.Greeting) []byte {
		dst = append(dst, streamHead...)
		dst = append(append(dst, more...), "Content-Type: "...)
		dst = append(dst, kind.contentType...)
		dst = append(dst, "\r\n\r\n"...)
		if kind.greet == nil {
			return dst
		}
		g.Version = s.version
		return kind.greet(s, dst, g)
	}
}

// greetEvents appends the connected event and the reconnection time.
func (s *Server) greetEvents(dst []byte, g netio.Greeting) []byte {
	dst = appendEvent(dst, "connected", g.Connected())
	dst = append(dst, "retry: "...)
	dst = strconv.AppendInt(dst, int64(s.current().options.Retry), 10)
	return append(dst, '\n', '\n')
}

func (s *Server) greetLines(dst []byte, g netio.Greeting) []byte {
	c := g.Connected()
	c.Type = "connected"
	return record.AppendLine(dst, c)
}
