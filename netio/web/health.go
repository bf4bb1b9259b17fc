package web

import (
	"github.com/valyala/fasthttp"

	"logwisp/ring/record"
)

// Metrics are the answer of GET /metrics.
type Metrics struct {
	Body        []byte
	ContentType string
}

// Monitor is what the server asks the daemon for monitors. All of its functions
// are called from many goroutines.
type Monitor struct {
	// Metrics returns all figures in a form that suits an Accept header, which
	// may be empty.
	Metrics func(accept string) (Metrics, error)
	// Alive returns why the daemon is not at work, nothing if it is.
	Alive func() (reasons []string)
	// Ready returns why clients should not be sent here, nothing if they should.
	Ready func() (reasons []string)
}

// AnswerMonitors has GET /metrics, /healthz and /readyz answered with what m
// knows; all of its functions are set. Call it before Serve. Without it there
// are no such pages.
func (s *Server) AnswerMonitors(m Monitor) { s.monitor = &m }

// monitoring returns what answers one of the pages for monitors, nil when there
// are none.
func (s *Server) monitoring(path string) fasthttp.RequestHandler {
	switch {
	case s.monitor == nil:
		return nil
	case path == "/metrics":
		return s.answerMetrics
	case path == "/healthz":
		return s.answerHealth(s.monitor.Alive)
	default:
		return s.answerHealth(s.monitor.Ready)
	}
}

func (s *Server) answerMetrics(ctx *fasthttp.RequestCtx) {
	m, err := s.monitor.Metrics(string(ctx.Request.Header.Peek("Accept")))
	if err != nil {
		s.log.Error("collect the metrics", "error", err)
		s.fail(ctx, fasthttp.StatusInternalServerError, record.Error{Error: "collect the metrics: " + err.Error()})
		return
	}
	ctx.Response.Header.Set("Cache-Control", "no-store")
	ctx.SetContentType(m.ContentType)
	ctx.SetBody(m.Body)
}

// healthy and unhealthy are the answers of /healthz and /readyz.
type (
	healthy struct {
		Status string `json:"status"`
	}
	unhealthy struct {
		record.Error
		Reasons []string `json:"reasons"`
	}
)

// answerHealth answers 200, or 503 with the reasons.
func (s *Server) answerHealth(check func() []string) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		ctx.Response.Header.Set("Cache-Control", "no-store")
		reasons := check()
		if len(reasons) == 0 {
			s.answer(ctx, fasthttp.StatusOK, healthy{"ok"})
			return
		}
		const code = fasthttp.StatusServiceUnavailable
		ctx.Response.Header.Set("Retry-After", "1")
		s.answer(ctx, code, unhealthy{record.Error{Error: "unavailable", Code: code}, reasons})
	}
}
