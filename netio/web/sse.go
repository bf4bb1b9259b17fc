package web

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"logwisp/netio"
	"logwisp/netio/access"
	"logwisp/ring/record"
)

// streamHead is the answer's head. It has neither a length nor chunks: the
// body ends with the connection (RFC 9112, section 6.3), so HTTP/1.0 and 1.1
// get the same bytes and the ring's views go out as they are. no-transform and
// X-Accel-Buffering keep proxies from compressing and holding back the stream.
// The content type and the blank line follow.
const streamHead = "HTTP/1.1 200 OK\r\n" +
	"Cache-Control: no-store, no-transform\r\n" +
	"X-Accel-Buffering: no\r\n" +
	"X-Content-Type-Options: nosniff\r\n" +
	"Connection: close\r\n"

// heartbeats are how heartbeats look as events, which may change under way.
type heartbeats struct{ json atomic.Bool }

func (b *heartbeats) append(dst []byte, ids record.IDs, seq uint64, h *record.Heartbeat) []byte {
	if b.json.Load() {
		return appendJSONHeartbeat(dst, ids, seq, h)
	}
	return appendCommentHeartbeat(dst, ids, seq, h)
}

// newForm returns how entries and notices look as Server-Sent Events
// (WHATWG HTML, section 9.2).
func newForm(beats *heartbeats, ids bool) *netio.Form {
	f := &netio.Form{
		Name:       "sse",
		Entry:      appendEntry,
		Drop:       appendDrop,
		Gap:        appendGap,
		Reset:      appendReset,
		Disconnect: appendDisconnect,
		Heartbeat:  beats.append,
		Probe:      []byte(":\n\n"),
	}
	if ids {
		f.Entry = appendEntryWithID
	}
	return f
}

// appendEntry appends one entry as an unnamed event. line ends with the one
// newline it has, which also ends the data line.
func appendEntry(dst []byte, ids record.IDs, seq uint64, line []byte) []byte {
	dst = append(dst, "id: "...)
	dst = ids.AppendID(dst, seq)
	dst = append(dst, "\ndata: "...)
	dst = append(dst, line...)
	return append(dst, '\n')
}

// appendEntryWithID is appendEntry with the id in the JSON too.
func appendEntryWithID(dst []byte, ids record.IDs, seq uint64, line []byte) []byte {
	dst = append(dst, "id: "...)
	dst = ids.AppendID(dst, seq)
	dst = append(dst, "\ndata: "...)
	dst = netio.AppendWithID(dst, ids, seq, line)
	return append(dst, '\n')
}

// newBatchForm returns how they look when several entries make one event.
func newBatchForm(beats *heartbeats) *netio.Form {
	f := newForm(beats, true)
	f.Entry, f.Batch = netio.AppendWithID, appendBatch
	return f
}

// appendBatch appends a batch event: an array of entries with their ids. Its
// own id is the last entry it is done with.
func appendBatch(dst []byte, ids record.IDs, last uint64, lines []byte) []byte {
	dst = append(dst, "event: batch\nid: "...)
	dst = ids.AppendID(dst, last)
	dst = append(dst, "\ndata: ["...)
	for line := range bytes.SplitSeq(lines, []byte("\n")) {
		dst = append(append(dst, line...), ',')
	}
	dst[len(dst)-1] = ']'
	return append(dst, '\n', '\n')
}

// appendGap appends the notice of what a client that resumes has missed. Its
// id is the last of these entries, as in a drop.
func appendGap(dst []byte, g *record.Gap) []byte {
	dst = append(dst, "event: gap\nid: "...)
	dst = g.IDs.AppendID(dst, g.Resumed-1)
	dst = append(dst, "\ndata: "...)
	dst = g.AppendJSON(dst, false)
	return append(dst, '\n', '\n')
}

func appendReset(dst []byte, reason string) []byte {
	return appendEvent(dst, "reset", record.Reset{Reason: reason})
}

// appendDrop appends the notice of a loss. Its id is the last entry lost, so
// that a client that reconnects is not told of it again.
func appendDrop(dst []byte, d *record.Drop) []byte {
	dst = append(dst, "event: drop\nid: "...)
	dst = d.IDs.AppendID(dst, d.To)
	dst = append(dst, "\ndata: "...)
	dst = d.AppendJSON(dst, false)
	return append(dst, '\n', '\n')
}

func appendDisconnect(dst []byte, reason string) []byte {
	return appendEvent(dst, "disconnect", record.Disconnect{Reason: reason})
}

// appendCommentHeartbeat appends a comment; the id beside it lets a client
// resume behind what was scanned for it.
func appendCommentHeartbeat(dst []byte, ids record.IDs, seq uint64, h *record.Heartbeat) []byte {
	dst = append(h.AppendComment(dst), '\n')
	dst = appendScanned(dst, ids, seq)
	return append(dst, '\n')
}

func appendJSONHeartbeat(dst []byte, ids record.IDs, seq uint64, h *record.Heartbeat) []byte {
	dst = appendScanned(dst, ids, seq)
	dst = append(dst, "data: "...)
	dst = h.AppendJSON(dst)
	return append(dst, '\n', '\n')
}

func appendScanned(dst []byte, ids record.IDs, seq uint64) []byte {
	if seq == 0 {
		return dst
	}
	dst = append(dst, "id: "...)
	dst = ids.AppendID(dst, seq)
	return append(dst, '\n')
}

// appendEvent appends a named event with v as its data.
func appendEvent(dst []byte, name string, v any) []byte {
	dst = append(dst, "event: "...)
	dst = append(dst, name...)
	dst = append(dst, "\ndata: "...)
	dst, err := record.AppendJSON(dst, v)
	if err != nil {
		panic("web: an event of our own cannot fail to encode: " + err.Error())
	}
	return append(dst, '\n', '\n')
}

// stream answers GET /stream: it takes the connection away from the HTTP
// server and makes it a subscriber.
func (s *Server) stream(ctx *fasthttp.RequestCtx) {
	q, err := parseQuery(ctx.QueryArgs(), streamParameters, s.engine.SourceName)
	if err != nil {
		s.refuse(ctx, err)
		return
	}
	kind, sub, err := s.wanted(ctx, q)
	if err != nil {
		s.refuse(ctx, err)
		return
	}
	if ctx.IsHead() {
		ctx.SetContentType(kind.contentType)
		ctx.Response.Header.Set("Cache-Control", "no-store, no-transform")
		ctx.Response.Header.Set("X-Accel-Buffering", "no")
		ctx.SetConnectionClose()
		return
	}
	if err := s.transport.Room(visitorOf(ctx).from); err != nil {
		s.noRoom(ctx, err)
		return
	}
	head := s.engine.Head()
	if sub.NoFollow {
		sub.Until = head
	}
	if q.looksBack() {
		end, err := s.engine.LookBack(visitorOf(ctx).from)
		if err != nil {
			s.tooManyLook(ctx, err)
			return
		}
		defer end()
	}
	resume := string(ctx.Request.Header.Peek("Last-Event-ID"))
	gone := netio.Gone(ctx.Conn())
	if sub.From, err = q.place(s.engine, resume, head, gone); err != nil {
		s.refuse(ctx, err)
		return
	}
	if q.looksBack() && gone() {
		s.tooManyLook(ctx, errGivenUp)
		return
	}
	s.enrol(ctx, sub)
}

// noRoom turns a client away.
func (s *Server) noRoom(ctx *fasthttp.RequestCtx, why error) {
	s.transport.Rejected(why)
	o := s.current().options
	e := record.Error{Error: fmt.Sprintf("too many clients: httpserver.max_clients = %d", o.MaxClients)}
	if errors.Is(why, netio.ErrCrowd) {
		e.Error = fmt.Sprintf("too many clients of this address: httpserver.max_clients_per_ip = %d", o.PerAddress)
	}
	ctx.Response.Header.Set("Retry-After", "5")
	ctx.SetConnectionClose()
	s.fail(ctx, fasthttp.StatusServiceUnavailable, e)
}

// wanted returns what a request asks for, without the place.
func (s *Server) wanted(ctx *fasthttp.RequestCtx, q *query) (*streamKind, netio.Subscription, error) {
	kind, err := s.kindOf(q, string(ctx.Request.Header.Peek("Accept")))
	if err != nil {
		return nil, netio.Subscription{}, err
	}
	ids, err := q.flag("ids", false)
	if err != nil {
		return nil, netio.Subscription{}, err
	}
	sub, err := q.subscription(s.transport.Policy())
	if err != nil {
		return nil, sub, err
	}
	sub.Form = kind.form
	switch {
	case sub.Batch > 0 && kind.batched == nil:
		return nil, sub, bad("batch_ms", q.values["batch_ms"], "only events are batched, with format=sse")
	case sub.Batch > 0:
		sub.Form = kind.batched
	case ids:
		sub.Form = kind.withIDs
	}
	v := visitorOf(ctx)
	sub.Greet, sub.Still = s.greeting(kind, s.crossOrigin(ctx)), s.gate.Right(v.grant, access.Stream, v.from)
	if v.from != netio.AddressOf(ctx.RemoteAddr()) {
		sub.Peer = v.from
	}
	return kind, sub, nil
}

// enrol makes a request's connection a subscriber.
func (s *Server) enrol(ctx *fasthttp.RequestCtx, sub netio.Subscription) {
	address := ctx.RemoteAddr()
	// Without NoResponse the head would go out with Content-Length: 0, and a
	// request with Connection: close would never get here.
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(c net.Conn) {
		if h, ok := c.(interface{ UnsafeConn() net.Conn }); ok {
			c = h.UnsafeConn()
		}
		_ = c.SetDeadline(time.Time{})
		if err := s.transport.Enroll(c, sub); err != nil {
			s.complaints.Warn("SSE client refused", err, "address", address)
		}
	})
}
