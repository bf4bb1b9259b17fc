package web

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"logwisp/netio/web/viewer"
)

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
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
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
