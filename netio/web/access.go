package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/valyala/fasthttp"

	"logwisp/netio"
	"logwisp/netio/access"
	"logwisp/ring/record"
)

// Check reports everything that is wrong with the settings of access, each error
// with the key in front.
func (o *Options) Check() error {
	proxies, err := o.check()
	_, arrivals := access.NewArrivals(o.ArrivalOptions, proxies)
	return errors.Join(err, arrivals)
}

// check reads the networks of the proxies, and reports everything that is wrong
// with the settings of access.
func (o *Options) check() (proxies []netip.Prefix, err error) {
	var wrong []error
	for _, text := range o.TrustedProxies {
		p, err := access.ParseNetwork(text)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("trusted_proxies: %w", err))
			continue
		}
		proxies = append(proxies, p)
	}
	for _, text := range o.CORSOrigins {
		// A browser sends it in lower case.
		if u, err := url.Parse(text); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || text != strings.ToLower(text) {
			wrong = append(wrong, fmt.Errorf("cors_origins: %q is not an origin like https://grafana.example.org, in lower case", text))
		}
	}
	for _, name := range o.AllowedHosts {
		if name == "" || strings.ContainsAny(name, "/ ") {
			wrong = append(wrong, fmt.Errorf("allowed_hosts: %q is not the name of a host like logs.example.org", name))
		}
	}
	if strings.ContainsAny(o.BasePath, "?#%") || strings.ContainsFunc(o.BasePath, unicode.IsControl) {
		wrong = append(wrong, fmt.Errorf("base_path: %q is not a path like /logs", o.BasePath))
	}
	return proxies, errors.Join(wrong...)
}

// visitor is who has sent a request.
type visitor struct {
	grant access.Grant
	from  netip.Addr // where the client is; invalid on a Unix socket
	near  bool       // on this machine, with no proxy between
	sure  bool       // the client's connection is encrypted
}

// visitorKey is where a request has its visitor.
const visitorKey = "visitor"

func visitorOf(ctx *fasthttp.RequestCtx) visitor {
	v, _ := ctx.UserValue(visitorKey).(visitor)
	return v
}

// admits reports whether a request may have its answer; if not it has been
// answered. exists says that there is such a page; a page that needs no scope is
// open to everybody who may connect.
func (s *Server) admits(ctx *fasthttp.RequestCtx, exists bool, scope access.Scope) bool {
	if local := netio.AddressOf(ctx.LocalAddr()); local.IsValid() && !access.HostAllowed(string(ctx.Host()), local, s.current().options.AllowedHosts) {
		s.fail(ctx, fasthttp.StatusMisdirectedRequest, record.Error{
			Error: fmt.Sprintf("this server does not go by the name %.80q: add it to httpserver.allowed_hosts", ctx.Host()),
		})
		return false
	}
	v, err := s.visitor(ctx)
	if err != nil {
		s.fail(ctx, fasthttp.StatusBadRequest, record.Error{Error: err.Error()})
		return false
	}
	if v.from.IsValid() && !s.gate.Admits(v.from) {
		s.transport.Rejected(netio.ErrDenied)
		s.fail(ctx, fasthttp.StatusForbidden, record.Error{Error: "this address may not connect: see acl"})
		return false
	}
	if !s.allowsOrigin(ctx) {
		return false
	}
	if scope != 0 || !exists {
		if v.grant, err = s.grant(ctx, scope, v.from); err != nil {
			s.challenge(ctx, v, err)
			return false
		}
	}
	ctx.SetUserValue(visitorKey, v)
	return true
}

// grant returns what the token allows that a request shows, in its header or as a
// session.
func (s *Server) grant(ctx *fasthttp.RequestCtx, scope access.Scope, from netip.Addr) (access.Grant, error) {
	if !s.gate.Closed() {
		return access.Grant{}, nil
	}
	switch token, session := credentials(&ctx.Request.Header); {
	case token != "":
		return s.gate.Check(token, scope, from)
	case session != "":
		return s.gate.Resume(session, scope)
	}
	return access.Grant{}, access.ErrNoToken
}

// credentials returns what a request shows: a token, or else a session.
func credentials(h *fasthttp.RequestHeader) (token, session string) {
	if scheme, token, ok := strings.Cut(string(h.Peek("Authorization")), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token), ""
	}
	return "", string(h.Cookie(sessionCookie))
}

// challenge answers a request that may not have what it asks for.
func (s *Server) challenge(ctx *fasthttp.RequestCtx, v visitor, err error) {
	if errors.Is(err, access.ErrBadToken) || errors.Is(err, access.ErrTooMany) {
		s.transport.Rejected(netio.ErrToken)
		s.complaints.Warn("a wrong token was shown", err, "address", v.host())
	}
	code := fasthttp.StatusUnauthorized
	switch {
	case errors.Is(err, access.ErrScope):
		code = fasthttp.StatusForbidden
	case errors.Is(err, access.ErrTooMany):
		code = fasthttp.StatusTooManyRequests
		ctx.Response.Header.Set("Retry-After", "60")
	default:
		ctx.Response.Header.Set("WWW-Authenticate", `Bearer realm="LogWisp"`)
	}
	s.fail(ctx, code, record.Error{Error: err.Error()})
}

// visitor finds out where a request comes from. What a proxy says of that counts
// only if it is one of ours; who comes from one, or names others before him, is not
// near. The error is for a proxy of ours that says what cannot be understood: with
// its own address the client would have rights that are not its own.
func (s *Server) visitor(ctx *fasthttp.RequestCtx) (visitor, error) {
	peer := netio.AddressOf(ctx.RemoteAddr())
	lines := ctx.Request.Header.PeekAll("X-Forwarded-For") // a proxy may add one of its own behind the client's
	ours := peer.IsValid() && s.trusts(peer) || !peer.IsValid() && len(s.current().proxies) > 0
	v := visitor{from: peer, near: local(ctx.RemoteAddr()) && len(lines) == 0 && !ours}
	v.sure = s.listeners.Secure() || ours && string(ctx.Request.Header.Peek("X-Forwarded-Proto")) == "https"
	if len(lines) == 0 || !ours {
		return v, nil
	}
	hops := strings.Split(string(bytes.Join(lines, []byte(","))), ",")
	for _, hop := range slices.Backward(hops) { // the last is what the nearest proxy has seen
		a, err := forwardedAddress(strings.TrimSpace(hop))
		if err != nil {
			return v, fmt.Errorf("X-Forwarded-For of a trusted proxy: %.80q is no address", hop)
		}
		if v.from = a.Unmap(); !s.trusts(v.from) {
			break
		}
	}
	return v, nil
}

// forwardedAddress reads an address as proxies write it: some with its port, IPv6
// in brackets or without.
func forwardedAddress(text string) (netip.Addr, error) {
	if p, err := netip.ParseAddrPort(text); err == nil {
		return p.Addr(), nil
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		text = strings.TrimSuffix(inner, "]")
	}
	return netip.ParseAddr(text)
}

func (s *Server) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(s.current().proxies, func(p netip.Prefix) bool { return p.Contains(a.Unmap().WithZone("")) })
}

// allowsOrigin deals with requests of pages: those of other origins may read if
// they are in cors_origins, and change nothing. It answers what is asked in
// advance.
func (s *Server) allowsOrigin(ctx *fasthttp.RequestCtx) bool {
	origin := string(ctx.Request.Header.Peek("Origin"))
	if origin == "" {
		return true
	}
	listed := slices.Contains(s.current().options.CORSOrigins, origin)
	if listed {
		ctx.Response.Header.Set("Access-Control-Allow-Origin", origin)
		ctx.Response.Header.Set("Vary", "Origin")
	}
	if listed && ctx.IsOptions() {
		ctx.Response.Header.Set("Access-Control-Allow-Methods", "GET, HEAD")
		ctx.Response.Header.Set("Access-Control-Allow-Headers", "Authorization, Last-Event-ID, Cache-Control")
		ctx.Response.Header.Set("Access-Control-Max-Age", "600")
		ctx.SetStatusCode(fasthttp.StatusNoContent)
		return false
	}
	if ctx.IsGet() || ctx.IsHead() {
		return true // without the header above the browser keeps the answer from the page
	}
	// A proxy may have put another name into Host. What the browser says of it no
	// page can set (Fetch Metadata Request Headers, 2.3).
	if string(ctx.Request.Header.Peek("Sec-Fetch-Site")) == "same-origin" {
		return true
	}
	if u, err := url.Parse(origin); err == nil && strings.EqualFold(u.Host, string(ctx.Host())) {
		return true
	}
	s.fail(ctx, fasthttp.StatusForbidden, record.Error{
		Error: "a page of another origin may not do that; behind a proxy: have it pass on the name the browser asked for (Host)",
	})
	return false
}

// crossOrigin returns the head line that lets a page read a stream, if it may.
func (s *Server) crossOrigin(ctx *fasthttp.RequestCtx) string {
	if origin := string(ctx.Request.Header.Peek("Origin")); slices.Contains(s.current().options.CORSOrigins, origin) {
		return "Access-Control-Allow-Origin: " + origin + "\r\nVary: Origin\r\n"
	}
	return ""
}

// sessionCookie is what a browser has instead of the token. No script can read
// it, and no other site have it sent.
const sessionCookie = "logwisp_session"

// login answers POST /login, with the token as the body, in the field token of a
// form, or in that of a JSON object.
func (s *Server) login(ctx *fasthttp.RequestCtx) {
	grant, err := s.gate.Check(tokenIn(ctx), access.Stream, visitorOf(ctx).from)
	if err == nil && !s.gate.Closed() {
		ctx.SetStatusCode(fasthttp.StatusNoContent) // there is nothing to log in to
		return
	}
	if err != nil {
		s.challenge(ctx, visitorOf(ctx), err)
		return
	}
	s.setSession(ctx, s.gate.Session(grant), access.SessionTime)
	s.log.Info("logged in", "token", grant.Token, "address", visitorOf(ctx).from)
	ctx.SetStatusCode(fasthttp.StatusNoContent)
}

// logout answers POST /logout.
func (s *Server) logout(ctx *fasthttp.RequestCtx) {
	s.setSession(ctx, "", -time.Second)
	ctx.SetStatusCode(fasthttp.StatusNoContent)
}

func (s *Server) setSession(ctx *fasthttp.RequestCtx, value string, lasts time.Duration) {
	var c fasthttp.Cookie
	c.SetKey(sessionCookie)
	c.SetValue(value)
	c.SetPath(s.base + "/")
	c.SetHTTPOnly(true)
	c.SetSameSite(fasthttp.CookieSameSiteStrictMode)
	c.SetSecure(visitorOf(ctx).sure)
	c.SetExpire(time.Now().Add(lasts))
	ctx.Response.Header.SetCookie(&c)
	ctx.Response.Header.Set("Cache-Control", "no-store")
}

func tokenIn(ctx *fasthttp.RequestCtx) string {
	body := ctx.PostBody()
	switch kind := string(ctx.Request.Header.ContentType()); {
	case strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
		return string(ctx.PostArgs().Peek("token"))
	case strings.HasPrefix(kind, "application/json"):
		var form struct{ Token string }
		_ = json.Unmarshal(body, &form) // what is not right holds no token
		return form.Token
	}
	return strings.TrimSpace(string(body))
}
