package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// readBytes is how much of a stream is read at once.
const readBytes = 256 << 10

// stream is one connection that entries come from, one to a line.
type stream struct {
	io.Reader
	close func()
	// greeted is called when the server has accepted what was asked for.
	greeted func()
	// discard tells that lines before the connected line are not ours.
	discard bool
}

// busy is a server that says to come back later.
type busy struct {
	error
	after time.Duration // 0 when it does not say
}

// open connects, asking for what follows the entry of the given id, or for what
// the flags say when it is "". It gives up when ctx ends. An error that is a
// *refusal is final.
func (f *follower) open(ctx context.Context, after string) (*stream, error) {
	if f.server.url != nil {
		return f.openHTTP(ctx, after)
	}
	return f.openTCP(ctx, after)
}

// query is what GET /stream is asked for.
func (f *follower) query(after string) url.Values {
	q := url.Values{"ids": {"1"}}
	switch {
	case after != "":
		q.Set("from", after)
	case f.Tail != nil:
		q.Set("tail", strconv.FormatUint(*f.Tail, 10))
	case f.Since != "":
		q.Set("since", f.Since)
	}
	for name, values := range f.filter() {
		q[name] = values
	}
	if !f.Follow {
		q.Set("follow", "0")
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.FormatUint(f.Limit-f.printed, 10))
	}
	return q
}

// filter is what entries must be like, by the names of the server's parameters.
func (f *follower) filter() map[string][]string {
	filter := map[string][]string{}
	if f.Level != "" {
		filter["level"] = []string{f.Level}
	}
	for name, values := range map[string][]string{"source": f.Source, "re": f.Include, "not_re": f.Exclude} {
		if len(values) > 0 {
			filter[name] = values
		}
	}
	return filter
}

func (f *follower) openHTTP(ctx context.Context, after string) (*stream, error) {
	r, err := f.server.request(ctx, "/stream", f.query(after))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/x-ndjson")
	answer, err := f.server.client(readBytes).Do(r)
	if err != nil {
		return nil, err
	}
	form, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if answer.StatusCode == http.StatusOK && form == "application/x-ndjson" {
		return &stream{Reader: answer.Body, close: func() { answer.Body.Close() }, greeted: func() {}}, nil
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusOK {
		return nil, &refusal{code: exitUnavailable, lines: []string{
			fmt.Sprintf("%s: the answer to GET /stream is %q, want application/x-ndjson (is it a LogWisp server, and recent enough?)", f.server, form),
		}}
	}
	body, _ := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	refused := f.server.refusedBy(answer.StatusCode, body)
	if answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500 {
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return nil, &busy{error: fmt.Errorf("%s", refused.lines[0]), after: time.Duration(max(seconds, 0)) * time.Second}
	}
	return nil, refused
}

// hello is the line that shapes a TCP stream.
type hello struct {
	Hello   int                 `json:"hello"`
	Name    string              `json:"name"`
	Token   string              `json:"token,omitempty"`
	Filter  map[string][]string `json:"filter,omitempty"`
	From    string              `json:"from,omitempty"`
	Tail    *uint64             `json:"tail,omitempty"`
	Since   string              `json:"since,omitempty"`
	Notices bool                `json:"notices"`
	IDs     bool                `json:"ids"`
}

func (f *follower) openTCP(ctx context.Context, after string) (*stream, error) {
	dialer := net.Dialer{Timeout: dialTime}
	c, err := dialer.DialContext(ctx, f.server.scheme, f.server.host)
	if err != nil {
		return nil, err
	}
	h := hello{Hello: 1, Name: "logwisp-tail", Token: f.server.token, Filter: f.filter(), From: after, Notices: true, IDs: true}
	if after == "" {
		h.Tail, h.Since = f.Tail, f.Since
	}
	line, err := json.Marshal(h)
	if err == nil {
		err = c.SetDeadline(time.Now().Add(dialTime))
	}
	if err == nil {
		_, err = c.Write(append(line, '\n'))
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("say hello: %w", err)
	}
	cancelled := context.AfterFunc(ctx, func() { c.Close() })
	return &stream{
		Reader: c, discard: true,
		close:   func() { cancelled(); c.Close() },
		greeted: func() { _ = c.SetDeadline(time.Time{}) },
	}, nil
}
