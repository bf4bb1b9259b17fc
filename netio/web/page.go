package web

import (
	"bytes"
	"strings"

	"github.com/valyala/fasthttp"

	"logwisp/netio/web/viewer"
	"logwisp/ring/record"
)

// below returns the path of a request below the base path, and makes it that of
// the request. It is false when the request is answered: it is for elsewhere, or
// lacks the last slash, without which the page's relative addresses are wrong.
func (s *Server) below(ctx *fasthttp.RequestCtx) (string, bool) {
	path, found := strings.CutPrefix(string(ctx.Path()), s.base)
	if strings.HasPrefix(path, "/") && found {
		ctx.URI().SetPath(path)
		return path, true
	}
	if path != "" || !found {
		s.fail(ctx, fasthttp.StatusNotFound, record.Error{Error: "everything is below " + s.base + "/, as httpserver.base_path says"})
		return "", false
	}
	to := s.base + "/"
	if q := ctx.URI().QueryString(); len(q) > 0 {
		to += "?" + string(q)
	}
	ctx.Response.Header.Set("Location", to)
	ctx.SetStatusCode(fasthttp.StatusPermanentRedirect)
	return "", false
}

// page returns what answers a request for the viewer, nil when it has nothing
// at that path below the base path or is turned off.
func (s *Server) page(name string) fasthttp.RequestHandler {
	if !s.options.Viewer {
		return nil
	}
	a := viewer.Lookup(name)
	if a == nil {
		return nil
	}
	return func(ctx *fasthttp.RequestCtx) {
		h := &ctx.Response.Header
		h.Set("Content-Security-Policy", viewer.Policy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Vary", "Accept-Encoding")
		h.Set("ETag", a.ETag)
		h.Set("Cache-Control", "no-cache")
		if a.Forever {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		if bytes.Contains(ctx.Request.Header.Peek("If-None-Match"), []byte(a.ETag)) {
			ctx.SetStatusCode(fasthttp.StatusNotModified)
			return
		}
		ctx.SetContentType(a.ContentType)
		if ctx.Request.Header.HasAcceptEncoding("gzip") {
			h.Set("Content-Encoding", "gzip")
			ctx.Response.SetBodyRaw(a.Gzip)
			return
		}
		ctx.Response.SetBodyRaw(a.Body)
	}
}
