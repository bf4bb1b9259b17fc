package viewer_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"logwisp/netio/web"
	"logwisp/ring"
)

var screenshots = flag.String("screenshots", "", "`DIRECTORY` to write the pictures of README.md to; pngquant --ext .png --force makes them small")

func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("only with -screenshots DIRECTORY")
	}
	for _, shot := range []struct {
		name, scheme, path string
		width, height      int64
		prepare            func(s *site, p *tab)
	}{
		{"dark-1440", "dark", "/", 1440, 900, func(s *site, p *tab) {
			s.kickAll()
			s.lose()
			s.day(28, s.builder.PublishMore)
			p.until("the loss is there", `document.querySelector(".mark-gap")`)
			p.click(".mark-gap ~ .lv-error .caret", "")
			p.until("a row is open", `document.querySelector(".detail")`)
		}},
		{"light-1440", "light", "/?levels=warn,error,fatal&not_source=nginx.log&highlight=timed+out", 1440, 900, func(s *site, p *tab) {
			p.click(".row:nth-last-child(12) .caret", "")
			p.until("it is open", `document.querySelector(".detail")`)
		}},
		{"dark-360", "dark", "/", 360, 740, func(*site, *tab) {}},
		{"light-360", "light", "/?q=timed", 360, 740, func(s *site, p *tab) {
			p.click(".row:nth-last-child(4) .caret", "")
			p.until("it is open", `document.querySelector(".detail")`)
		}},
	} {
		s := startSite(t, web.Options{Viewer: true}, ring.Options{Entries: 32, Bytes: 1 << 20})
		s.files = nil
		s.day(600, func() {})
		p := s.open(shot.path, prefers(shot.scheme), chromedp.EmulateViewport(shot.width, shot.height))
		p.until("rows are there", `document.querySelectorAll(".row").length > 8`)
		shot.prepare(s, p)
		p.until("all is said", `document.querySelector("#said").textContent === "" && /^\s*[1-9]/.test(document.querySelector("#fill").textContent)`)
		picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*screenshots, shot.name+".png"), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// lose writes as much as the ring holds, so that what was before is gone.
func (s *site) lose() {
	for range 1200 {
		s.add(line{message: "request served", source: "api.log"})
		s.builder.PublishMore()
	}
	s.builder.Wake()
}

// day writes n lines as they come in a shop; after is called behind each.
func (s *site) day(n int, after func()) {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	begin := time.Now().Add(-time.Duration(n) * 60 * time.Millisecond)
	pick := func(texts ...string) string { return texts[r.IntN(len(texts))] }
	for i := range n {
		l := line{time: begin.Add(time.Duration(i)*60*time.Millisecond + time.Duration(r.IntN(30_000))*time.Microsecond)}
		switch k := r.IntN(100); {
		case i == n-9:
			l.source, l.level, l.message = "jobs.log", "error", "invoice 20417 failed: java.lang.IllegalStateException: no tax rate for XK\n\tat com.shop.Tax.rate(Tax.java:88)\n\tat com.shop.Invoice.total(Invoice.java:214)\n\tat com.shop.Job.run(Job.java:140)\nCaused by: java.util.NoSuchElementException: XK"
		case i == n-17:
			l.source, l.level, l.message, l.fields = "payments.log", "fatal", "ledger is not writable, shutting down", `{"path":"/var/lib/ledger","errno":"EROFS"}`
		case k < 42:
			l.source, l.message = "api.log", "request served"
			l.fields = fmt.Sprintf(`{"method":"%s","path":"%s","status":%s,"ms":%d.%d,"request_id":"%08x"}`,
				pick("GET", "GET", "POST"), pick("/v1/orders", "/v1/orders/8412", "/v1/carts/77"), pick("200", "200", "201"), r.IntN(60), r.IntN(10), r.Uint32())
		case k < 52:
			l.source, l.level, l.message = "api.log", "debug", "cache hit"
			l.fields = fmt.Sprintf(`{"key":"orders:%d","ttl_seconds":%d}`, 8000+r.IntN(900), r.IntN(60))
		case k < 58:
			l.source, l.level, l.message = "api.log", "warn", "slow query"
			l.fields = fmt.Sprintf(`{"ms":%d,"table":"%s","rows":%d}`, 400+r.IntN(2000), pick("orders", "stock"), r.IntN(90000))
		case k < 62:
			l.source, l.level, l.message = "payments.log", "error", "upstream timed out"
			l.fields = fmt.Sprintf(`{"upstream":"acquirer-eu","attempt":%d,"error":"context deadline exceeded","payment":{"id":9007199254740993,"amount":"49.90","tags":["card","3ds"]}}`, 1+r.IntN(3))
		case k < 74:
			l.source, l.message = "payments.log", "payment captured"
			l.fields = fmt.Sprintf(`{"amount":"%d.%02d","currency":"%s","payment_id":%d}`, 5+r.IntN(180), r.IntN(100), pick("EUR", "CHF"), r.Uint64N(1<<52))
		case k < 86:
			l.source, l.message = "nginx.log", fmt.Sprintf(`203.0.113.%d "GET /assets/app.%04x.js HTTP/1.1" %s %d`, 1+r.IntN(250), r.IntN(1<<16), pick("200", "200", "304"), r.IntN(90000))
		default:
			l.source, l.message = "jobs.log", fmt.Sprintf("\x1b[36m%s\x1b[0m \x1b[1m#%d\x1b[0m done in \x1b[32m%d ms\x1b[0m, queue \x1b[35mdefault\x1b[0m", pick("resize", "mail", "invoice"), 20000+r.IntN(1000), r.IntN(900))
		}
		s.add(l)
		after()
	}
	s.builder.Publish()
	s.builder.Wake()
}
