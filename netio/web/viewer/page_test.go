package viewer_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"

	"logwisp/netio/web"
	"logwisp/ring"
)

// get asks for a page as a browser would and returns what is on the wire.
func get(t *testing.T, url string, header ...string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

func TestTheWholePageIsSmallAndItsAssetsStayForEver(t *testing.T) {
	s := newSite(t)
	resp, page := get(t, s.url+"/", "Accept-Encoding", "identity")
	if got := resp.Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("the page itself is to be looked after each time, not %q", got)
	}
	if strings.Contains(string(page), "<style") || regexp.MustCompile(`<script>|\son\w+=|\sstyle=`).Match(page) {
		t.Error("the page has something inline")
	}
	resp, packed := get(t, s.url+"/")
	total := len(packed)
	if resp.Header.Get("Content-Encoding") != "gzip" {
		t.Error("the page is not compressed")
	}
	if resp, _ := get(t, s.url+"/", "If-None-Match", resp.Header.Get("ETag")); resp.StatusCode != http.StatusNotModified {
		t.Errorf("a page that is known is sent again: %s", resp.Status)
	}
	assets := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?:src|href)="(assets/[^"]+)"`).FindAllStringSubmatch(string(page), -1) {
		assets[m[1]] = true
		assets[path.Dir(m[1])+"/worker.js"] = true
	}
	for asset := range assets {
		resp, packed := get(t, s.url+"/"+asset)
		total += len(packed)
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %s, %v", asset, resp.Status, resp.Header)
		}
		if packed := resp.Header.Get("Content-Encoding"); packed != "gzip" {
			t.Errorf("%s is not compressed", asset)
		}
	}
	if len(assets) != 5 || total > 60_000 {
		t.Errorf("%d assets of %d bytes in all", len(assets), total)
	}
	t.Logf("%d assets, %d bytes", len(assets), total)
}

// Modules that are joined share their names; a browser takes none of a script
// that has one twice.
func TestTheScriptsAreWholeAndNoNameIsInThemTwice(t *testing.T) {
	s := newSite(t)
	_, page := get(t, s.url+"/", "Accept-Encoding", "identity")
	main := regexp.MustCompile(`assets/[^"]+main\.js`).FindString(string(page))
	for asset, end := range map[string]string{main: "viewer.start();\n", strings.Replace(main, "main", "worker", 1): "else new Tab(scope);\n"} {
		_, script := get(t, s.url+"/"+asset, "Accept-Encoding", "identity")
		if !strings.HasSuffix(string(script), end) {
			t.Errorf("%s ends with %q", asset, script[max(0, len(script)-80):])
		}
		if m := regexp.MustCompile(`(?m)^(?:import|export)\b.*`).Find(script); m != nil {
			t.Errorf("%s: this is left of a module: %s", asset, m)
		}
		seen := make(map[string]bool)
		for _, m := range regexp.MustCompile(`(?m)^(?:async )?(?:function\*?|class|const|let) (\w+)`).FindAllSubmatch(script, -1) {
			name := string(m[1])
			if seen[name] {
				t.Errorf("%s: two modules have something named %s", asset, name)
			}
			seen[name] = true
		}
		if len(seen) < 10 {
			t.Errorf("%s: only %d names were found", asset, len(seen))
		}
	}
}

func TestEveryAnswerOfThePageHasItsPolicies(t *testing.T) {
	s := newSite(t)
	_, page := get(t, s.url+"/", "Accept-Encoding", "identity")
	asset := regexp.MustCompile(`assets/[^"]+main\.js`).FindString(string(page))
	for _, path := range []string{"", asset, strings.Replace(asset, "main", "worker", 1)} {
		resp, _ := get(t, s.url+"/"+path)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
			"X-Content-Type-Options":  "nosniff", "Referrer-Policy": "no-referrer",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("/%s: %s is %q", path, name, got)
			}
		}
	}
	if resp, _ := get(t, s.url+"/assets/0000000000000000/main.js"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("an asset of another version is answered with %s", resp.Status)
	}
}

func TestAViewerThatIsTurnedOffIsNotThere(t *testing.T) {
	s := startSite(t, web.Options{}, ring.Options{Entries: 64, Bytes: 1 << 20})
	resp, body := get(t, s.url+"/")
	if resp.StatusCode != http.StatusNotFound || !strings.Contains(string(body), "httpserver.viewer") {
		t.Errorf("%s: %s", resp.Status, body)
	}
}

func TestThePageWorksBelowAPrefixOfAProxy(t *testing.T) {
	s := newSite(t)
	s.shop()
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.StripPrefix("/logs", &httputil.ReverseProxy{
		FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
	}))
	defer proxy.Close()
	defer proxy.CloseClientConnections()
	s.url = proxy.URL + "/logs"
	p := s.open("/?level=error")
	p.shows("order 1 timed out")
	p.click("#chips button", "Remove all")
	p.shows(everything...)
	if got := eval[string](p, "location.pathname"); got != "/logs/" {
		t.Errorf("the path has become %s", got)
	}
}

func TestEverythingIsBelowTheBasePath(t *testing.T) {
	s := startSite(t, web.Options{Viewer: true, BasePath: "/logs/app"}, ring.Options{Entries: 64, Bytes: 1 << 20})
	s.shop()
	for path, want := range map[string]int{
		"/": http.StatusNotFound, "/logs/appendix": http.StatusNotFound, "/stream": http.StatusNotFound,
		"/logs/app/": http.StatusOK, "/logs/app/entries": http.StatusOK, "/logs/app": http.StatusPermanentRedirect,
	} {
		if resp, _ := get(t, s.url+path); resp.StatusCode != want {
			t.Errorf("%s is answered with %s", path, resp.Status)
		}
	}
	p := s.open("/logs/app?level=error")
	p.shows("order 1 timed out")
}

func TestAPageAsksForOneStreamOnly(t *testing.T) {
	s := newSite(t)
	s.number(1, 30)
	for i, address := range []string{"/", "/?level=info"} {
		p := s.open(address)
		p.ends("entry 30")
		if got := p.rows(); got[len(got)-1] != "entry 30" || len(got) > 30 {
			t.Errorf("%s shows %d rows, the last is %q", address, len(got), got[len(got)-1])
		}
		if n := s.server.Transport().Stats().Joined; n != uint64(i+1) {
			t.Errorf("%s: %d streams by now, want %d", address, n, i+1)
		}
	}
}
