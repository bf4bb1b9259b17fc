package web

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"logwisp/netio"
	"logwisp/netio/access"
	"logwisp/netio/netiotest"
)

const reading, ruling = "a token that reads, and no more", "a token that rules, and reads"

// guarded is a server that asks for tokens.
func guarded(t *testing.T, o Options) *site {
	t.Helper()
	s := newSite(t, o)
	err := s.gate.Set(access.Rules{Auth: access.Auth{Tokens: []access.Token{
		{Name: "reader", Hash: access.Hash(reading)},
		{Name: "ruler", Hash: access.Hash(ruling), Scopes: []string{"stream", "admin"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asks sends a request with headers, "Name: value" each, and returns the answer,
// whose body has been read as far as it goes.
func (s *site) asks(method, path, body string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	client := http.Client{Timeout: waitLimit, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 200))
	return answer, string(text)
}

func TestRequestsNeedATokenWithTheRightScope(t *testing.T) {
	s := guarded(t, Options{})
	for _, c := range []struct {
		method, path, token string
		want                int
	}{
		{"GET", "/status", "", 401},
		{"GET", "/status", "wrong", 401},
		{"GET", "/status", reading, 200},
		{"GET", "/entries", "", 401},
		{"GET", "/entries", reading, 200},
		{"GET", "/stream?follow=0", "", 401},
		{"GET", "/stream?follow=0", reading, 200},
		{"GET", "/clients", reading, 403},
		{"GET", "/clients", ruling, 200},
		{"DELETE", "/clients/sse-9", reading, 403},
		{"DELETE", "/clients/sse-9", ruling, 404},
		{"GET", "/nowhere", "", 401},
		{"GET", "/nowhere", reading, 404},
	} {
		var headers []string
		if c.token != "" {
			headers = append(headers, "Authorization: Bearer "+c.token)
		}
		answer, body := s.asks(c.method, c.path, "", headers...)
		if answer.StatusCode != c.want {
			t.Errorf("%s %s with %q: %d %s, want %d", c.method, c.path, c.token, answer.StatusCode, body, c.want)
		}
		if (answer.Header.Get("WWW-Authenticate") != "") != (c.want == 401) {
			t.Errorf("%s %s: challenge %q", c.method, c.path, answer.Header.Get("WWW-Authenticate"))
		}
		if strings.Contains(body, "token that") {
			t.Errorf("the token is in the answer: %s", body)
		}
	}
}

func TestALoginIsACookieThatNoScriptSeesAndNoOtherSiteSends(t *testing.T) {
	s := guarded(t, Options{})
	for kind, body := range map[string]string{
		"text/plain": reading, "application/x-www-form-urlencoded": "token=" + strings.ReplaceAll(reading, " ", "+"),
		"application/json": `{"token":"` + reading + `"}`,
	} {
		answer, text := s.asks("POST", "/login", body, "Content-Type: "+kind)
		cookie := answer.Header.Get("Set-Cookie")
		if answer.StatusCode != 204 || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") || strings.Contains(cookie, "reads") {
			t.Fatalf("%s: %d %s, cookie %q", kind, answer.StatusCode, text, cookie)
		}
		session, _, _ := strings.Cut(cookie, ";")
		if answer, text := s.asks("GET", "/status", "", "Cookie: "+session); answer.StatusCode != 200 {
			t.Errorf("with the session: %d %s", answer.StatusCode, text)
		}
		if answer, _ := s.asks("GET", "/clients", "", "Cookie: "+session); answer.StatusCode != 403 {
			t.Errorf("beyond its scope: %d", answer.StatusCode)
		}
		if answer, _ := s.asks("GET", "/status", "", "Cookie: "+session+"x"); answer.StatusCode != 401 {
			t.Errorf("forged: %d", answer.StatusCode)
		}
	}
	if answer, _ := s.asks("POST", "/login", "wrong"); answer.StatusCode != 401 || answer.Header.Get("Set-Cookie") != "" {
		t.Errorf("a wrong token: %d", answer.StatusCode)
	}
	if answer, _ := s.asks("POST", "/logout", ""); answer.StatusCode != 204 || !strings.Contains(answer.Header.Get("Set-Cookie"), sessionCookie+"=;") {
		t.Errorf("logout: %d %q", answer.StatusCode, answer.Header.Get("Set-Cookie"))
	}
}

func TestTooManyWrongTokensAreAnsweredWith429(t *testing.T) {
	s := guarded(t, Options{})
	code := 0
	for range 12 {
		answer, _ := s.asks("GET", "/status", "", "Authorization: Bearer wrong")
		code = answer.StatusCode
	}
	if code != 429 {
		t.Errorf("the twelfth wrong try: %d", code)
	}
	if n := s.transport.Stats().Rejections["token"]; n != 12 {
		t.Errorf("%d wrong tokens are counted, want 12", n)
	}
	if answer, _ := s.asks("GET", "/status", "", "Authorization: Bearer "+reading); answer.StatusCode != 429 || answer.Header.Get("Retry-After") == "" {
		t.Errorf("a right one behind them: %d", answer.StatusCode)
	}
}

func TestANameThatIsNotOursIsMisdirected(t *testing.T) {
	s := newSite(t, Options{})
	for host, want := range map[string]int{"localhost": 200, "127.0.0.1:1": 200, "evil.example": 421, "localhost.evil.example": 421} {
		answer, body := s.asks("GET", "/status", "", "Host: "+host)
		if answer.StatusCode != want || want == 421 && !strings.Contains(body, "httpserver.allowed_hosts") {
			t.Errorf("%s: %d %s", host, answer.StatusCode, body)
		}
	}
	s = newSite(t, Options{AllowedHosts: []string{"logs.example"}})
	if answer, _ := s.asks("GET", "/status", "", "Host: logs.example"); answer.StatusCode != 200 {
		t.Error(answer.StatusCode)
	}
}

func TestPagesOfOtherOriginsReadNothingUnlessTheyAreListed(t *testing.T) {
	const listed, other = "https://grafana.example", "https://evil.example"
	s := newSite(t, Options{CORSOrigins: []string{listed}})
	for _, path := range []string{"/status", "/stream?follow=0", "/entries"} {
		for origin, want := range map[string]string{listed: listed, other: ""} {
			answer, _ := s.asks("GET", path, "", "Origin: "+origin)
			if got := answer.Header.Get("Access-Control-Allow-Origin"); got != want || answer.StatusCode != 200 {
				t.Errorf("%s for %s: %d, %q", path, origin, answer.StatusCode, got)
			}
		}
	}
	if answer, _ := s.asks("OPTIONS", "/stream", "", "Origin: "+listed, "Access-Control-Request-Method: GET"); answer.StatusCode != 204 ||
		!strings.Contains(answer.Header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("asked in advance: %d %v", answer.StatusCode, answer.Header)
	}
	for origin, want := range map[string]int{other: 403, listed: 403, "http://" + s.Addr().String(): 404} {
		if answer, _ := s.asks("DELETE", "/clients/sse-9", "", "Origin: "+origin); answer.StatusCode != want {
			t.Errorf("DELETE by a page of %s: %d, want %d", origin, answer.StatusCode, want)
		}
	}
	// Behind a proxy that puts its own name into Host.
	for site, want := range map[string]int{"same-origin": 404, "same-site": 403, "cross-site": 403, "none": 403} {
		if answer, _ := s.asks("DELETE", "/clients/sse-9", "", "Origin: "+other, "Sec-Fetch-Site: "+site); answer.StatusCode != want {
			t.Errorf("DELETE by a page that is %s: %d, want %d", site, answer.StatusCode, want)
		}
	}
}

func TestWhoComesThroughAProxyIsNotNear(t *testing.T) {
	s := newSite(t, Options{})
	if answer, _ := s.asks("DELETE", "/clients/sse-9", "", "X-Forwarded-For: 192.0.2.1"); answer.StatusCode != 403 {
		t.Errorf("through a proxy: %d", answer.StatusCode)
	}
	if answer, _ := s.asks("DELETE", "/clients/sse-9", ""); answer.StatusCode != 404 {
		t.Errorf("from here: %d", answer.StatusCode)
	}
}

func TestWhatAProxySaysCountsOnlyIfItIsOurs(t *testing.T) {
	deny := access.Rules{ACL: access.ACL{Deny: []string{"192.0.2.0/24"}}}
	for _, c := range []struct {
		proxies   []string
		forwarded string
		want      int
	}{
		{nil, "192.0.2.1", 200}, // anybody can say so
		{[]string{"127.0.0.1"}, "192.0.2.1", 403},
		{[]string{"127.0.0.0/8"}, "192.0.2.1, 198.51.100.7", 200}, // the last one is what our proxy has seen
		{[]string{"127.0.0.0/8", "198.51.100.0/24"}, "192.0.2.1, 198.51.100.7", 403},
		{[]string{"127.0.0.1"}, "nonsense", 400}, // else it would come from the proxy's address
		{[]string{"127.0.0.1"}, "nonsense, 198.51.100.7", 200},
		{[]string{"127.0.0.1"}, "192.0.2.1:5678", 403},
		{[]string{"127.0.0.1"}, "[::ffff:192.0.2.1]:5678", 403},
		{[]string{"127.0.0.1"}, "::ffff:192.0.2.1", 403},
		{[]string{"127.0.0.1"}, "[2001:db8::1]", 200},
	} {
		s := newSite(t, Options{TrustedProxies: c.proxies})
		if err := s.gate.Set(deny); err != nil {
			t.Fatal(err)
		}
		if answer, body := s.asks("GET", "/status", "", "X-Forwarded-For: "+c.forwarded); answer.StatusCode != c.want {
			t.Errorf("%v, %s: %d %s, want %d", c.proxies, c.forwarded, answer.StatusCode, body, c.want)
		}
	}
}

// A proxy may add a line of its own behind the one that the client has sent.
func TestTheLastLineOfAProxyCounts(t *testing.T) {
	s := newSite(t, Options{TrustedProxies: []string{"127.0.0.1"}})
	if err := s.gate.Set(access.Rules{ACL: access.ACL{Allow: []string{"198.51.100.0/24", "127.0.0.1"}}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lines []string
		want  int
	}{
		{[]string{"198.51.100.7", "192.0.2.1"}, 403},
		{[]string{"192.0.2.1", "198.51.100.7"}, 200},
		{[]string{"198.51.100.7, 198.51.100.8", "nonsense"}, 400},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.Addr().String()+"/status", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["X-Forwarded-For"] = c.lines
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != c.want {
			t.Errorf("%q: %d, want %d", c.lines, answer.StatusCode, c.want)
		}
	}
}

func TestWhatAProxyPassesOnIsNotNearEvenIfItDoesNotSaySo(t *testing.T) {
	s := newSite(t, Options{TrustedProxies: []string{"127.0.0.1"}})
	if answer, _ := s.asks("DELETE", "/clients/sse-9", ""); answer.StatusCode != 403 {
		t.Errorf("by a proxy of ours without X-Forwarded-For: %d", answer.StatusCode)
	}
}

// The body is held before the request is looked at: whoever may not send one must
// not have that much of the memory.
func TestALargeBodyIsHeldOnlyOfWhoMaySendIt(t *testing.T) {
	for _, base := range []string{"", "/logs"} {
		s := newSite(t, Options{BasePath: base + "/"})
		s.AnswerIngest(func(p Post) (any, error) { return len(p.Body), nil })
		err := s.gate.Set(access.Rules{Auth: access.Auth{Tokens: []access.Token{
			{Name: "reader", Hash: access.Hash(reading)}, {Name: "sender", Hash: access.Hash(ruling), Scopes: []string{"ingest"}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			size  int
			token string
			want  int
		}{
			{4 << 20, ruling, 202},
			{1000, ruling, 202},
			{1000, reading, 403},
			{4 << 20, reading, 403},
			{4 << 20, "wrong", 401},
			{4 << 20, "", 401},
		} {
			var headers []string
			if c.token != "" {
				headers = append(headers, "Authorization: Bearer "+c.token)
			}
			if answer, body := s.asks("POST", base+"/ingest", strings.Repeat("x\n", c.size/2), headers...); answer.StatusCode != c.want {
				t.Errorf("%d bytes with %q: %d %s, want %d", c.size, c.token, answer.StatusCode, body, c.want)
			}
		}
		head := http.Header{"Authorization": {"Bearer wrong"}, "Content-Length": {"8000000"}}
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(waitLimit))
		_, _ = io.WriteString(c, "POST "+base+"/ingest HTTP/1.1\r\nHost: localhost\r\n")
		_ = head.Write(c)
		_, _ = io.WriteString(c, "\r\n")
		if text, _ := bufio.NewReader(c).ReadString('\n'); !strings.Contains(text, "401") {
			t.Errorf("the head alone gets %q", text)
		}
	}
}

func TestBadSettingsOfAccessAreNamed(t *testing.T) {
	for want, o := range map[string]Options{
		"trusted_proxies": {TrustedProxies: []string{"proxy"}}, "cors_origins": {CORSOrigins: []string{"grafana.example"}},
	} {
		if _, err := New(o, nil, access.Open(), "", nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestConformanceWithTLS(t *testing.T) {
	t.Parallel()
	o, client := netiotest.Certificate(t)
	tr := transport("comment")
	tr.Secure = client
	tr.Start = func(t *testing.T, e *netio.Engine, c netio.ClientOptions, h netio.HeartbeatPolicy) (net.Addr, *netio.Transport) {
		s := start(t, e, Options{ClientOptions: c, TLS: o, Heartbeat: Heartbeat{Format: "comment"}})
		s.transport.Reload(c, h)
		t.Cleanup(func() { s.listeners.Flush(t.Context()) })
		return s.Addr(), s.Transport()
	}
	netiotest.Run(t, tr)
}

func TestASessionOverTLSIsForTLSOnly(t *testing.T) {
	o, client := netiotest.Certificate(t)
	s := guarded(t, Options{TLS: o})
	h := http.Client{Timeout: waitLimit, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: client.RootCAs}, DisableKeepAlives: true}}
	answer, err := h.Post("https://"+s.Addr().String()+"/login", "text/plain", strings.NewReader(reading))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if c := strings.ToLower(answer.Header.Get("Set-Cookie")); answer.StatusCode != 204 || !strings.Contains(c, "secure") {
		t.Errorf("%d, cookie %q", answer.StatusCode, c)
	}
}

func TestAHeadThatIsTooLargeIsToldTheLimit(t *testing.T) {
	s := newSite(t, Options{})
	if answer, _ := s.asks("GET", "/status", "", "Cookie: a="+strings.Repeat("x", 7<<10)); answer.StatusCode != 200 {
		t.Errorf("7 KiB of cookies: %d", answer.StatusCode)
	}
	if answer, body := s.asks("GET", "/status", "", "Cookie: a="+strings.Repeat("x", maxHead)); answer.StatusCode != 431 || !strings.Contains(body, "at most 8 KiB") {
		t.Errorf("more than 8 KiB: %d %s", answer.StatusCode, body)
	}
}

func TestARequestWithTwoLengthsIsTheLastOfItsConnection(t *testing.T) {
	s, _ := newIngestSite(t)
	const chunked = "POST /ingest HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
	const body = "\r\n1\r\nx\r\n0\r\n\r\nGET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	for head, answers := range map[string]int{chunked: 2, chunked + "content-Length: 4\r\n": 1} {
		_, r := s.dial(head + body)
		got, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(got), "HTTP/1.1 "); n != answers {
			t.Errorf("%q: %d answers, want %d: %q", head, n, answers, got)
		}
	}
}
