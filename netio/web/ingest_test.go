package web

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/valyala/fasthttp"

	"logwisp/netio/access"
)

// posted is what a site was given.
type posted struct {
	Size int
	Post
}

// newIngestSite is a site that takes lines in, and tells what it was given.
func newIngestSite(t *testing.T) (*site, *posted) {
	s := newSite(t, Options{})
	got := &posted{}
	s.AnswerIngest(func(p Post) (any, error) {
		if string(p.Body) == "stop" {
			return nil, errors.New("the daemon is stopping")
		}
		got.Size, got.Post = len(p.Body), p
		got.Body = bytes.Clone(p.Body)
		return map[string]int{"accepted": 1}, nil
	})
	return s, got
}

// post sends a request and returns the answer with its body.
func (s *site) post(method, query, body string, header ...string) (*http.Response, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.Addr().String()+"/ingest"+query, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer, string(text)
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

func zstandard(text string) string {
	w, _ := zstd.NewWriter(nil)
	return string(w.EncodeAll([]byte(text), nil))
}

func TestPostedLinesAreHandedOverWithTheirOrigin(t *testing.T) {
	s, got := newIngestSite(t)
	answer, body := s.post("POST", "?source=my%20app", "a\nb\n", "Content-Type", "text/plain")
	if answer.StatusCode != 202 || body != `{"accepted":1}`+"\n" {
		t.Errorf("status %d, body %q", answer.StatusCode, body)
	}
	if string(got.Body) != "a\nb\n" || got.ContentType != "text/plain" || got.Source != "my app" || got.Peer != "127.0.0.1" {
		t.Errorf("got %+v", got)
	}
	if answer, body = s.post("POST", "", gzipped("packed"), "Content-Encoding", "gzip"); answer.StatusCode != 202 || string(got.Body) != "packed" {
		t.Errorf("status %d, body %q, got %q", answer.StatusCode, body, got.Body)
	}
}

func TestPostsOfUpToEightMebibytesAreTakenPackedOrNot(t *testing.T) {
	s, got := newIngestSite(t)
	full := strings.Repeat("x", maxPost)
	for name, c := range map[string]struct {
		body, encoding string
		status         int
	}{
		"as large as it may be":       {full, "", 202},
		"one more byte":               {full + "x", "", 413},
		"as large when it is packed":  {gzipped(full), "gzip", 202},
		"one more byte, packed":       {gzipped(full + "x"), "gzip", 413},
		"what does not come unpacked": {"text", "gzip", 400},
		"as large in zstd":            {zstandard(full), "zstd", 202},
		"one more byte in zstd":       {zstandard(full + "x"), "zstd", 413},
		"no zstd":                     {"text", "zstd", 400},
		// The window is of 16 MiB, more than is granted; see RFC 8878, 3.1.1.1.2.
		"zstd that wants much memory": {"\x28\xb5\x2f\xfd\x00\x70\x19\x00\x00abc", "zstd", 400},
		"as large, by an old name":    {gzipped(full), "x-gzip", 202},
		"as large, in capitals":       {gzipped(full), "GZIP", 202},
		"zstd in capitals":            {zstandard(full), "ZSTD", 202},
		"not packed, as is said":      {full, "identity", 202},
		"an encoding nobody knows":    {"text", "rot13", 400},
	} {
		got.Size = -1
		var header []string
		if c.encoding != "" {
			header = []string{"Content-Encoding", c.encoding}
		}
		answer, body := s.post("POST", "", c.body, header...)
		if answer.StatusCode != c.status || (got.Size == maxPost) != (c.status == 202) {
			t.Errorf("%s: status %d, want %d, %d bytes, body %.200q", name, answer.StatusCode, c.status, got.Size, body)
		}
		if c.status == 413 && !strings.Contains(body, "8 MiB") {
			t.Errorf("%s: the body is %q", name, body)
		}
	}
}

func TestPostsThatAreNotTakenSayWhy(t *testing.T) {
	s, got := newIngestSite(t)
	for name, c := range map[string]struct {
		method, query, body string
		header              []string
		status              int
		says                string
	}{
		"another method":       {"GET", "", "", nil, 405, "use POST"},
		"another parameter":    {"POST", "?sourc=x", "x", nil, 400, `"suggestion":"source"`},
		"a long source":        {"POST", "?source=" + strings.Repeat("x", 257), "x", nil, 400, "at most 256"},
		"a page of elsewhere":  {"POST", "", "x", []string{"Origin", "https://example.org"}, 403, "another origin"},
		"a page from nowhere":  {"POST", "", "x", []string{"Origin", "null"}, 403, "another origin"},
		"a daemon that stops":  {"POST", "", "stop", nil, 503, "stopping"},
		"a page of its own":    {"POST", "", "x", []string{"Origin", "http://" + s.Addr().String()}, 202, "accepted"},
		"a source of 256 byte": {"POST", "?source=" + strings.Repeat("x", 256), "x", nil, 202, "accepted"},
	} {
		got.Size = 0
		answer, body := s.post(c.method, c.query, c.body, c.header...)
		if answer.StatusCode != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: status %d, body %q, want %d and %q", name, answer.StatusCode, body, c.status, c.says)
		}
		if (got.Size > 0) != (c.status == 202) {
			t.Errorf("%s: %d bytes were handed over", name, got.Size)
		}
	}
	off := newSite(t, Options{})
	if answer, body := off.post("POST", "", "x"); answer.StatusCode != 403 || !strings.Contains(body, "httpserver.ingest") {
		t.Errorf("switched off: status %d, body %q", answer.StatusCode, body)
	}
	if answer, _ := off.post("POST", "", strings.Repeat("x", maxBody+1)); answer.StatusCode != 413 {
		t.Errorf("switched off: status %d for a large body", answer.StatusCode)
	}
}

// afar is a connection from another machine.
type afar struct{ net.Conn }

func (afar) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)} }

func TestWithoutTokensLargeBodiesAreTakenWhileFewOtherMachinesAreConnected(t *testing.T) {
	s, _ := newIngestSite(t)
	body := strings.Repeat("x\n", 1<<20)
	post := func(want int, says string) {
		t.Helper()
		if answer, text := s.asks("POST", "/ingest", body); answer.StatusCode != want || !strings.Contains(text, says) {
			t.Errorf("%d %q, want %d %q", answer.StatusCode, text, want, says)
		}
	}
	var open []net.Conn
	enter := func() {
		c := &afar{}
		open = append(open, c)
		s.connection(c, fasthttp.StateNew)
	}
	for range maxAfar {
		enter()
	}
	post(202, "")
	enter()
	post(413, "auth.tokens")
	body = "x"
	post(202, "")
	body = strings.Repeat("x\n", 1<<20)
	s.connection(open[0], fasthttp.StateClosed)
	post(202, "")
	for _, c := range open[1:] {
		s.connection(c, fasthttp.StateHijacked)
	}
	if s.open.far != 0 {
		t.Errorf("%d connections of other machines are left", s.open.far)
	}
}

func TestPostsFromOtherMachinesAreRefusedNamingTheSetting(t *testing.T) {
	s, got := newIngestSite(t)
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, nil)
	ctx.Request.SetRequestURI("/ingest")
	ctx.Request.SetBodyString("x")
	s.takeIn(&ctx)
	if body := string(ctx.Response.Body()); ctx.Response.StatusCode() != 403 || !strings.Contains(body, "httpserver.host") || got.Size != 0 {
		t.Errorf("status %d, body %q, %d bytes handed over", ctx.Response.StatusCode(), body, got.Size)
	}
}

func TestWhatAProxyPassesOnHasTheSenderAsItsSource(t *testing.T) {
	s := newSite(t, Options{TrustedProxies: []string{"127.0.0.1"}})
	if err := s.gate.Set(access.Rules{Auth: access.Auth{Tokens: []access.Token{{Name: "sender", Hash: access.Hash(ruling), Scopes: []string{"ingest"}}}}}); err != nil {
		t.Fatal(err)
	}
	var peer string
	s.AnswerIngest(func(p Post) (any, error) { peer = p.Peer; return nil, nil })
	if answer, body := s.post("POST", "", "line", "Authorization", "Bearer "+ruling, "X-Forwarded-For", "198.51.100.7"); answer.StatusCode != 202 || peer != "198.51.100.7" {
		t.Errorf("status %d, %s, from %q", answer.StatusCode, body, peer)
	}
}
