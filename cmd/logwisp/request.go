package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	// dialTime is how long a connection may take to be made, and an answer to
	// begin.
	dialTime = 10 * time.Second
	// answerBytes is the longest answer that is read whole.
	answerBytes = 64 << 20
)

// client returns an HTTP client for the address. readBuffer is the size of the
// buffer in front of the connection, in bytes.
func (a *address) client(readBuffer int) *http.Client {
	dialer := &net.Dialer{Timeout: dialTime}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   dialTime,
		ResponseHeaderTimeout: dialTime,
		ReadBufferSize:        readBuffer,
		DisableCompression:    true,
		DisableKeepAlives:     true,
	}
	if a.scheme == "unix" {
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", a.host)
		}
	}
	return &http.Client{Transport: transport, CheckRedirect: keepToken}
}

// keepToken lets a redirection be followed, with the token only to where that was
// meant to go: another port of a host may be another's.
func keepToken(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	if next.URL.Host != first.Host || first.Scheme == "https" && next.URL.Scheme != "https" {
		next.Header.Del("Authorization")
	}
	if len(before) >= 10 {
		return errors.New("redirected ten times")
	}
	return nil
}

// endpoint is the URL of a path below the address, with the query of the
// address and the one given.
func (a *address) endpoint(path string, query url.Values) string {
	u := url.URL{Scheme: "http", Host: "localhost", Path: a.base} // what a Unix socket is asked for
	if a.url != nil {
		u = *a.url
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	if !strings.HasSuffix(u.Path, path) {
		u.Path += path
	}
	both := u.Query()
	for name, values := range query {
		both[name] = values
	}
	u.RawQuery, u.Fragment = both.Encode(), ""
	return u.String()
}

// request returns a GET of a path below the address.
func (a *address) request(ctx context.Context, path string, query url.Values) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.endpoint(path, query), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "logwisp/"+buildVersion())
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	return r, nil
}

// get reads the answer to a GET, whatever its status. An error is a *refusal:
// nothing has answered.
func (a *address) get(ctx context.Context, path string) (status int, body []byte, err error) {
	r, err := a.request(ctx, path, nil)
	if err != nil {
		return 0, nil, err
	}
	answer, err := a.client(0).Do(r)
	if err != nil {
		return 0, nil, a.unreachable(err)
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, answerBytes))
	if err != nil {
		return 0, nil, a.unreachable(err)
	}
	return answer.StatusCode, body, nil
}

// unreachable says what to do when nothing has answered.
func (a *address) unreachable(err error) *refusal {
	if broken, ok := errors.AsType[*url.Error](err); ok {
		err = broken.Err // it names the URL, and so do we
	}
	hint := "is LogWisp running there?"
	switch {
	case errors.Is(err, syscall.EACCES):
		hint = "this user may not use the socket"
	case errors.Is(err, context.DeadlineExceeded):
		hint = "nothing has answered in time"
	}
	return &refusal{code: exitUnavailable, lines: []string{fmt.Sprintf("cannot reach %s: %v (%s)", a, err, hint)}}
}

// refusedBy says why the server does not do what it was asked for. body is its
// answer, {"error":…} with a suggestion if it has one.
func (a *address) refusedBy(status int, body []byte) *refusal {
	var answer struct{ Error, Parameter, Suggestion string }
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error == "" {
		answer.Error = fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))
	}
	text := fmt.Sprintf("%s: %s", a, escaped(answer.Error))
	if answer.Suggestion != "" && !strings.Contains(answer.Error, answer.Suggestion) {
		text += fmt.Sprintf(" (did you mean %s?)", escaped(answer.Suggestion))
	}
	r := &refusal{code: exitUnavailable, lines: []string{text}}
	switch status {
	case http.StatusUnauthorized:
		r.code = exitRefused
		r.lines[0] += " (--token-file names a file with a token it knows)"
	case http.StatusForbidden, http.StatusMisdirectedRequest:
		r.code = exitRefused
	case http.StatusBadRequest:
		r.code = exitUsage
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable:
		r.lines[0] += " (is it a LogWisp server, and recent enough?)"
	}
	return r
}
