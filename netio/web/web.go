// Package web serves the stream over HTTP: live on /stream, what is held on
// /entries, and the state of clients, files and daemon on /clients, /sources,
// /status, /metrics, /healthz and /readyz. POST /ingest takes lines in.
package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"logwisp/netio"
	"logwisp/netio/access"
	"logwisp/netio/web/viewer"
	"logwisp/ring/record"
)

// Options are the settings of the HTTP server.
type Options struct {
	Enabled    bool   `toml:"enabled" name:"enable-http" negatable:"" default:"true" help:"Serve Server-Sent Events and /status over HTTP (default: on)."`
	Host       string `toml:"host" name:"http-host" default:"" placeholder:"HOST" help:"Address the HTTP server listens on (default: all)."`
	Port       int    `toml:"port" name:"http-port" default:"8080" min:"0" max:"65535" placeholder:"PORT" help:"Port of the HTTP server, 0 picks a free one (default: ${default})."`
	BufferSize int    `toml:"buffer_size" name:"http-buffer-size" default:"1000" min:"1" max:"4194304" placeholder:"N" help:"Entries an SSE client may be behind without loss (default: ${default})."`

	Unix     string       `toml:"unix" kong:"-"` // path of a Unix socket that is listened on as well
	Listener net.Listener `toml:"-" kong:"-"`    // is served instead of Host and Port, when there is one

	netio.ClientOptions
	access.ArrivalOptions
	TLS            netio.TLSOptions `toml:"tls" kong:"-"`
	AllowedHosts   []string         `toml:"allowed_hosts" kong:"-"`   // names that requests may be for; none: any, but on loopback those of this machine
	CORSOrigins    []string         `toml:"cors_origins" kong:"-"`    // origins whose pages may read
	TrustedProxies []string         `toml:"trusted_proxies" kong:"-"` // networks whose X-Forwarded-For and -Proto are believed
	Ingest         bool             `toml:"ingest" kong:"-" default:"false"`
	BasePath       string           `toml:"base_path" kong:"-" default:"/"`
	Viewer         bool             `toml:"viewer" kong:"-" default:"true"`
	Retry          int              `toml:"retry_ms" kong:"-" default:"3000" min:"0" max:"3600000"`
	Heartbeat      Heartbeat        `toml:"heartbeat" kong:"-"`
}

// Heartbeat are the settings of [httpserver.heartbeat].
type Heartbeat struct {
	Enabled bool   `toml:"enabled" kong:"-" default:"true"`
	Format  string `toml:"format" kong:"-" default:"comment" enum:"comment,json"`
	netio.HeartbeatOptions
}

// Server is the HTTP server.
type Server struct {
	options   Options // as at the start
	now       atomic.Pointer[current]
	beats     heartbeats
	version   string
	engine    *netio.Engine
	base      string // path below which everything is, "" or "/logs"
	kinds     map[string]*streamKind
	listeners *netio.Listeners
	arrivals  *access.Arrivals
	refusals  refusals
	rests     rests // clients that are still sending
	gate      *access.Gate
	transport *netio.Transport
	http      *fasthttp.Server
	status    func() any
	sources   func() any // nil: there are none
	monitor   *Monitor   // nil: there is none
	ingest    func(Post) (any, error)
	log       *slog.Logger
	open      connections

	complaints *netio.Complaints
}

// New binds the listeners, but for one that it is given. Nothing is accepted before Serve. gate says who may
// connect, and do what. status returns the object that /status answers with; it
// is called from many goroutines.
func New(o Options, e *netio.Engine, gate *access.Gate, version string, status func() any, log *slog.Logger) (*Server, error) {
	proxies, err := o.check()
	if err != nil {
		return nil, fmt.Errorf("httpserver: %w", err)
	}
	arrivals, err := access.NewArrivals(o.ArrivalOptions, proxies)
	if err != nil {
		return nil, fmt.Errorf("httpserver: %w", err)
	}
	s := &Server{
		options: o, version: version, engine: e, arrivals: arrivals, gate: gate, status: status, log: log, complaints: netio.NewComplaints(log),
		base: path.Join("/", o.BasePath),
	}
	s.now.Store(&current{o, proxies})
	s.beats.json.Store(o.Heartbeat.Format == "json")
	s.kinds = newKinds(&s.beats)
	s.base = strings.TrimSuffix(s.base, "/")
	s.transport = e.Register(o.Transport("sse", s.kinds["sse"].form, o.Heartbeat.Policy(o.Heartbeat.Enabled)))
	at := netio.Places{Host: o.Host, Port: o.Port, Unix: o.Unix, Given: o.Listener, TurnAway: s.turnAway, Failed: s.transport.Rejected}
	if s.listeners, err = netio.ListenAll(at, &o.TLS, gate.Admits, log); err != nil {
		return nil, fmt.Errorf("listen for HTTP clients: %w", err)
	}
	s.http = &fasthttp.Server{
		Handler:               s.handle,
		NoDefaultServerHeader: true,
		// For the requests that are answered here; a stream has left by then.
		// Without them a client that sends a byte now and then holds a worker.
		ReadTimeout:           10 * time.Second,
		WriteTimeout:          10 * time.Second,
		IdleTimeout:           60 * time.Second,
		ReadBufferSize:        maxHead,
		MaxRequestBodySize:    maxBody,
		MaxIdleWorkerDuration: time.Second,
		CloseOnShutdown:       true,
		HeaderReceived:        s.allowance,
		ErrorHandler:          s.badRequest,
		ConnState:             s.connection,
		Logger:                logger{log},
		// Else the log of a malformed head has a part of it, which may be of a token.
		SecureErrorLogMessage: true,
	}
	return s, nil
}

// current is what can be changed under way.
type current struct {
	options Options
	proxies []netip.Prefix
}

func (s *Server) current() *current { return s.now.Load() }

// Reload checks o and returns what puts into effect what of it can be changed
// under way: TLS's files, limits, heartbeats, retry_ms, and the names, origins and
// proxies that are believed.
func (s *Server) Reload(o Options) (apply func(), err error) {
	proxies, err := o.check()
	if err != nil {
		return nil, err
	}
	secure, err := s.listeners.Reload(o.TLS)
	if err != nil {
		return nil, err
	}
	arrivals, err := s.arrivals.Reload(o.ArrivalOptions, proxies)
	if err != nil {
		return nil, err
	}
	return func() {
		secure()
		arrivals()
		s.now.Store(&current{o, proxies})
		s.beats.json.Store(o.Heartbeat.Format == "json")
		s.transport.Reload(o.ClientOptions, o.Heartbeat.Policy(o.Heartbeat.Enabled))
	}, nil
}

// AnswerSources has GET /sources answered with the object that sources
// returns; it is called from many goroutines. Call it before Serve. Without it
// there is no such page.
func (s *Server) AnswerSources(sources func() any) { s.sources = sources }

// Addr returns the TCP address that is listened on.
func (s *Server) Addr() net.Addr { return s.listeners.Addr() }

// Listeners returns what is listened on.
func (s *Server) Listeners() *netio.Listeners { return s.listeners }

// Transport returns the figures of the server's stream clients.
func (s *Server) Transport() *netio.Transport { return s.transport }

// Serve answers requests until Close. It returns nil after Close.
func (s *Server) Serve() error {
	if s.options.Viewer {
		go viewer.Prepare()
	}
	if err := s.listeners.Serve(s.http.Serve); err != nil {
		return fmt.Errorf("serve HTTP clients: %w", err)
	}
	return nil
}

// CloseListener stops accepting. Streams stay until the engine is drained.
func (s *Server) CloseListener() error { return s.listeners.Close() }

// Close stops accepting and waits for the requests being answered, until ctx
// ends.
func (s *Server) Close(ctx context.Context) error {
	_ = s.listeners.Close() // the HTTP server has it only once Serve runs
	s.open.closeSilent()
	s.refusals.wait()
	if err := s.http.ShutdownWithContext(ctx); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// handle is the route table.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a request made the server panic", "path", string(ctx.Path()), "panic", p)
			s.fail(ctx, fasthttp.StatusInternalServerError, record.Error{Error: "internal error"})
		}
	}()
	s.open.spoke(ctx.Conn())
	if twoLengths(&ctx.Request.Header) {
		ctx.SetConnectionClose()
	}
	ctx.Response.Header.Set("X-Content-Type-Options", "nosniff")
	var answer fasthttp.RequestHandler
	allowed := "GET, HEAD"
	path, ok := s.below(ctx)
	if !ok {
		return
	}
	scope := access.Stream
	switch path {
	case "/stream":
		answer = s.stream
	case "/status":
		answer = s.answerWith(s.status)
	case "/sources":
		if s.sources != nil {
			answer = s.answerWith(s.sources)
		}
	case "/metrics":
		answer = s.monitoring(path)
	case "/healthz", "/readyz":
		answer, scope = s.monitoring(path), 0
	case "/login":
		answer, allowed, scope = s.login, "POST", 0
	case "/logout":
		answer, allowed, scope = s.logout, "POST", 0
	case "/entries":
		answer = s.entries
	case "/clients":
		answer, scope = s.listClients, access.Admin
	case ingestPath:
		answer, allowed, scope = s.takeIn, "POST", access.Ingest
	default:
		if strings.HasPrefix(path, clientsPath) {
			answer, allowed, scope = s.kick, "DELETE", access.Admin
		} else if answer = s.page(strings.TrimPrefix(path, "/")); answer != nil {
			scope = 0 // it asks for a token itself
		}
	}
	if !s.admits(ctx, answer != nil, scope) {
		return
	}
	if answer == nil {
		if path == "/" {
			path += ", as httpserver.viewer is false"
		}
		s.fail(ctx, fasthttp.StatusNotFound, record.Error{
			Error: "no such page: " + path + " (there are /, /stream, /entries, /ingest, /clients, /sources, /status, /metrics, /healthz and /readyz)",
		})
		return
	}
	if method := string(ctx.Method()); !slices.Contains(strings.Split(allowed, ", "), method) {
		ctx.Response.Header.Set("Allow", allowed)
		s.fail(ctx, fasthttp.StatusMethodNotAllowed, record.Error{
			Error: method + " is not allowed on " + path + ", use " + strings.TrimSuffix(allowed, ", HEAD"),
		})
		return
	}
	answer(ctx)
}

// answerWith answers with what state returns now.
func (s *Server) answerWith(state func() any) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		ctx.Response.Header.Set("Cache-Control", "no-store")
		s.answer(ctx, fasthttp.StatusOK, state())
	}
}

// refuse answers a request whose query is not right.
func (s *Server) refuse(ctx *fasthttp.RequestCtx, err error) {
	body := record.Error{Error: err.Error()}
	if b, ok := errors.AsType[*badParameter](err); ok {
		body = b.body()
	}
	s.fail(ctx, fasthttp.StatusBadRequest, body)
}

// fail answers with an error body.
func (s *Server) fail(ctx *fasthttp.RequestCtx, code int, e record.Error) {
	e.Code = code
	s.answer(ctx, code, e)
}

func (s *Server) answer(ctx *fasthttp.RequestCtx, code int, v any) {
	body, err := record.AppendJSON(nil, v)
	if err != nil {
		s.log.Error("encode an answer", "path", string(ctx.Path()), "error", err)
		ctx.SetStatusCode(fasthttp.StatusInternalServerError)
		return
	}
	// Names and paths are shown as they were sent or found.
	body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	ctx.SetStatusCode(code)
	ctx.SetContentType("application/json; charset=utf-8")
	ctx.SetBody(append(body, '\n'))
}

// badRequest answers what is not HTTP, or too large.
func (s *Server) badRequest(ctx *fasthttp.RequestCtx, err error) {
	code := fasthttp.StatusBadRequest
	if errors.Is(err, fasthttp.ErrBodyTooLarge) && s.isIngest(&ctx.Request.Header) && !s.admits(ctx, true, access.Ingest) {
		s.rests.discard(ctx.Conn()) // it was allowed less for that
		ctx.SetConnectionClose()
		return
	}
	if errors.Is(err, fasthttp.ErrBodyTooLarge) {
		code, err = fasthttp.StatusRequestEntityTooLarge, errTooLarge
		if s.isIngest(&ctx.Request.Header) && s.crowded() {
			err = errCrowded
		}
	}
	if _, ok := errors.AsType[*fasthttp.ErrSmallBuffer](err); ok {
		code, err = fasthttp.StatusRequestHeaderFieldsTooLarge, errLongHead
	}
	if code == fasthttp.StatusRequestEntityTooLarge {
		s.rests.discard(ctx.Conn())
	}
	ctx.SetConnectionClose()
	s.fail(ctx, code, record.Error{Error: err.Error()})
}

// logger passes fasthttp's messages on; they are about single connections and
// of interest only to somebody who looks for them.
type logger struct{ log *slog.Logger }

func (l logger) Printf(format string, args ...any) {
	l.log.Debug("http", "message", fmt.Sprintf(format, args...))
}
