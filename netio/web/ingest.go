package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/valyala/fasthttp"

	"logwisp/netio/access"
	"logwisp/ring/record"
)

const (
	ingestPath = "/ingest"
	// maxPost is the size in bytes of the largest body of POST /ingest, before
	// and after it is decompressed; all others have maxBody.
	maxPost       = 8 << 20
	maxBody       = 64 << 10
	maxHead       = 8 << 10     // of the head of a request; cookies of other programs on this machine are in it
	postTime      = time.Minute // to send one
	maxPostSource = 256         // bytes of the parameter source
)

var (
	errCrowded  = fmt.Errorf("the body is too large: without tokens it may have %d KiB while more than %d connections from other machines are open: set auth.tokens", maxBody>>10, maxAfar)
	errLongHead = fmt.Errorf("the head of the request is too large: at most %d KiB, with the URL and the cookies", maxHead>>10)
	errTooLarge = fmt.Errorf("the body is too large: at most %d MiB for POST %s, %d KiB else", maxPost>>20, ingestPath, maxBody>>10)
)

// Post is the body of one POST /ingest.
type Post struct {
	Body        []byte // valid during the call
	ContentType string
	Source      string // the parameter, "" = none
	Peer        string // the sender's host
}

// AnswerIngest has POST /ingest answered, with 202 and the object that take
// returns; its error means that nothing is taken any more. It is called from
// many goroutines. Call it before Serve. Without it the answer is 403.
func (s *Server) AnswerIngest(take func(Post) (any, error)) { s.ingest = take }

// allowance allows a POST /ingest more than other requests, if it may be made at
// all: its body is held before the request is looked at.
func (s *Server) allowance(h *fasthttp.RequestHeader) (c fasthttp.RequestConfig) {
	if !s.isIngest(h) {
		return c
	}
	if token, session := credentials(h); s.gate.Knows(token, session, access.Ingest) && !s.crowded() {
		c.MaxRequestBodySize, c.ReadTimeout = maxPost, postTime
	}
	return c
}

// crowded reports whether large bodies are not taken because nobody needs a token
// and too many connections are of other machines.
func (s *Server) crowded() bool { return !s.gate.Closed() && s.open.crowded() }

func (s *Server) isIngest(h *fasthttp.RequestHeader) bool {
	if s.ingest == nil || !h.IsPost() {
		return false
	}
	u, err := url.ParseRequestURI(string(h.RequestURI()))
	return err == nil && u.Path == s.base+ingestPath
}

// takeIn answers POST /ingest. As long as there are no tokens, that is for
// whoever is on this machine.
func (s *Server) takeIn(ctx *fasthttp.RequestCtx) {
	refuse := func(why string) { s.fail(ctx, fasthttp.StatusForbidden, record.Error{Error: why}) }
	v := visitorOf(ctx)
	switch {
	case s.ingest == nil:
		refuse("POST " + ingestPath + " is off: set httpserver.ingest = true")
		return
	case !v.near && !s.gate.Closed():
		refuse("without tokens entries are taken from this machine only: connect to a loopback address that httpserver.host covers, set auth.tokens, or send to an input (--input)")
		return
	}
	for key := range ctx.QueryArgs().All() {
		if string(key) != "source" {
			s.refuse(ctx, &badParameter{string(key), "source", fmt.Errorf("%s has no parameter %.80q: it takes source", ingestPath, key)})
			return
		}
	}
	p := Post{ContentType: string(ctx.Request.Header.ContentType()), Source: string(ctx.QueryArgs().Peek("source")), Peer: v.host()}
	if len(p.Source) > maxPostSource {
		s.refuse(ctx, bad("source", p.Source, fmt.Sprintf("has %d bytes: at most %d", len(p.Source), maxPostSource)))
		return
	}
	var err error
	switch p.Body, err = unpacked(&ctx.Request); {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		s.badRequest(ctx, err)
		return
	case err != nil:
		s.refuse(ctx, fmt.Errorf("decompress the body (%s): %w", ctx.Request.Header.ContentEncoding(), err))
		return
	}
	answer, err := s.ingest(p)
	if err != nil {
		ctx.Response.Header.Set("Retry-After", "1")
		s.fail(ctx, fasthttp.StatusServiceUnavailable, record.Error{Error: err.Error()})
		return
	}
	s.answer(ctx, fasthttp.StatusAccepted, answer)
}

// maxWindow is how far back a body in zstd may refer: what decoders have to grant,
// and encoders take for all but their highest levels (RFC 8878, 3.1.1.1.2).
const maxWindow = 8 << 20

// unpacked returns the body of a request as it was before it was packed, at most
// maxPost bytes. fasthttp's decoder of zstd grants windows of any size, which a body
// of a few bytes can ask for.
func unpacked(r *fasthttp.Request) ([]byte, error) {
	coding := strings.ToLower(string(r.Header.ContentEncoding())) // their case does not matter (RFC 9110, 8.4.1)
	switch coding {
	case "x-gzip": // the same (8.4.1.3)
		coding = "gzip"
	case "identity":
		coding = ""
	}
	if coding != "zstd" {
		r.Header.SetContentEncoding(coding)
		return r.BodyUncompressedWithLimit(maxPost)
	}
	d, err := zstd.NewReader(bytes.NewReader(r.Body()), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	body, err := io.ReadAll(io.LimitReader(d, maxPost+1))
	if err == nil && len(body) > maxPost {
		err = fasthttp.ErrBodyTooLarge
	}
	return body, err
}

// host is the address a request comes from, as far as it is known.
func (v visitor) host() string {
	if v.from.IsValid() {
		return v.from.String()
	}
	return "unix"
}
