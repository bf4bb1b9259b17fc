package web

import (
	"net"
	"strings"

	"github.com/valyala/fasthttp"

	"logwisp/ring/record"
)

// clientsPath is what an id follows.
const clientsPath = "/clients/"

// listClients answers GET /clients.
func (s *Server) listClients(ctx *fasthttp.RequestCtx) {
	for name := range ctx.QueryArgs().All() {
		s.fail(ctx, fasthttp.StatusBadRequest, record.Error{Error: "/clients takes no parameters", Parameter: string(name)})
		return
	}
	ctx.Response.Header.Set("Cache-Control", "no-store")
	s.answer(ctx, fasthttp.StatusOK, s.engine.Clients())
}

// kick answers DELETE /clients/{id}: the client is disconnected. As long as
// there are no tokens, that is for whoever is on this machine.
func (s *Server) kick(ctx *fasthttp.RequestCtx) {
	if v := visitorOf(ctx); !v.near && !s.gate.Closed() {
		s.fail(ctx, fasthttp.StatusForbidden, record.Error{
			Error: "without tokens clients are disconnected from this machine only: connect to a loopback address that httpserver.host covers, or set auth.tokens",
		})
		return
	}
	id := strings.TrimPrefix(string(ctx.Path()), clientsPath)
	if !s.engine.Kick(id) {
		s.fail(ctx, fasthttp.StatusNotFound, record.Error{Error: "no such client: " + id + " (GET /clients lists them)"})
		return
	}
	s.log.Info("client is disconnected on request", "client", id, "by", visitorOf(ctx).host(), "token", visitorOf(ctx).grant.Token)
	ctx.SetStatusCode(fasthttp.StatusNoContent)
}

// local reports whether a peer is on this machine.
func local(peer net.Addr) bool {
	switch a := peer.(type) {
	case *net.UnixAddr:
		return true
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	}
	return false
}
