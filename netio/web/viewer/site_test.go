package viewer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"logwisp/netio"
	"logwisp/netio/access"
	"logwisp/netio/web"
	"logwisp/ring"
)

// site is a real server with a ring.
type site struct {
	t       *testing.T
	url     string // without a slash at its end
	ring    *ring.Ring
	engine  *netio.Engine
	gate    *access.Gate
	server  *web.Server
	builder *ring.Builder
	files   []file // that are followed
	stop    func()
}

// file is one of /sources.
type file struct {
	Source string `json:"source"`
	Path   string `json:"path"`
}

// line is one line of a log, as it was parsed.
type line struct {
	source, level, message string
	fields                 string // JSON
	time                   time.Time
}

func newSite(t *testing.T) *site {
	t.Helper()
	return startSite(t, web.Options{Viewer: true}, ring.Options{Entries: 1 << 17, Bytes: 64 << 20})
}

func startSite(t *testing.T, o web.Options, size ring.Options) *site {
	t.Helper()
	size.Recycle = true // as in the daemon
	s := &site{t: t, ring: ring.New(size), gate: access.Open(), files: []file{{"app.log", "/var/log/app.log"}, {"web.log", "/var/log/web.log"}}}
	var err error
	if s.engine, err = netio.New(s.ring, netio.Options{Loops: 1, Version: "test"}); err != nil {
		t.Fatal(err)
	}
	o.Host, o.MaxClients = "127.0.0.1", 100
	s.server, err = web.New(o, s.engine, s.gate, "test", func() any { return struct{}{} }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.server.AnswerSources(func() any {
		return map[string][]file{"sources": s.files}
	})
	s.url = "http://" + s.server.Addr().String()
	s.builder = s.ring.NewBuilder()
	done := make(chan error, 1)
	go func() { done <- s.server.Serve() }()
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s.server.CloseListener()
		s.engine.Drain(ctx)
		s.server.Close(ctx)
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.engine.Close()
	}
	t.Cleanup(s.stop)
	return s
}

func (s *site) port() int { return s.server.Addr().(*net.TCPAddr).Port }

// write publishes lines. What is not said of one is: info, of app.log, now.
func (s *site) write(lines ...line) {
	s.t.Helper()
	for _, l := range lines {
		s.add(l)
		if s.builder.Full() {
			s.builder.PublishMore()
		}
	}
	s.builder.Publish()
}

var levels = map[string]ring.Level{
	"": ring.LevelInfo, "none": ring.LevelUnknown, "debug": ring.LevelDebug, "info": ring.LevelInfo,
	"warn": ring.LevelWarn, "error": ring.LevelError, "fatal": ring.LevelFatal,
}

func (s *site) add(l line) {
	s.t.Helper()
	level, known := levels[l.level]
	if !known {
		s.t.Fatalf("no level %q here", l.level)
	}
	if l.source == "" {
		l.source = "app.log"
	}
	if l.time.IsZero() {
		l.time = time.Now()
	}
	text := fmt.Appendf(s.builder.Text(), `{"time":"%s","source":%s`, l.time.UTC().Format("2006-01-02T15:04:05.000000Z"), s.quote(l.source))
	if level != ring.LevelUnknown {
		text = fmt.Appendf(text, `,"level":"%s"`, level)
	}
	text = append(append(text, `,"message":`...), s.quote(l.message)...)
	if l.fields != "" {
		text = append(append(text, `,"fields":`...), l.fields...)
	}
	s.builder.Add(append(text, "}\n"...), s.ring.Source(l.source), level)
}

// quote encodes a string as LogWisp does, which escapes nothing that need not be.
func (s *site) quote(text string) []byte {
	s.t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		s.t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// number publishes the messages "entry FROM" to "entry TO".
func (s *site) number(from, to int) {
	s.t.Helper()
	for i := from; i <= to; i++ {
		s.add(line{message: fmt.Sprintf("entry %d", i)})
		if s.builder.Full() {
			s.builder.PublishMore()
		}
	}
	s.builder.Publish()
}

// filters returns what the clients have asked for.
func (s *site) filters() []string {
	filters := []string{}
	for _, c := range s.engine.Clients() {
		filters = append(filters, c.Filter)
	}
	return filters
}

// kickAll cuts every stream.
func (s *site) kickAll() {
	for _, c := range s.engine.Clients() {
		s.engine.Kick(c.ID)
	}
}
