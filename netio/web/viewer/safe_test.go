package viewer_test

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"logwisp/netio/web"
	"logwisp/ring"
)

func TestMarkupAndScriptInALineAreText(t *testing.T) {
	const attack = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><a href="javascript:hacked=1">x</a>`
	s := newSite(t)
	s.write(line{message: attack, source: "<b>app</b>.log", level: "error", fields: `{"<i>k</i>":"<svg onload=hacked=1>","n":{"<u>":"</script>"}}`})
	p := s.open("/?highlight=script&narrow=script")
	p.shows(attack)
	p.keys("j" + kb.Enter)
	p.until("it is open", `document.querySelector(".detail")`)
	if got := p.text(".detail pre"); got != attack {
		t.Errorf("the whole message is %q", got)
	}
	made := eval[[]string](p, `[...document.querySelectorAll(".row *")].map(e => e.localName).filter(n => ["img", "script", "a", "b", "i", "u", "svg"].includes(n))`)
	if len(made) > 0 {
		t.Errorf("the line has become elements: %q", made)
	}
	if eval[bool](p, "'hacked' in window") {
		t.Error("a script of the line has run")
	}
}

func TestAMillionCharactersAreText(t *testing.T) {
	s := startSite(t, web.Options{Viewer: true}, ring.Options{Entries: 1 << 10, Bytes: 64 << 20})
	long := strings.Repeat("0123456789", 100_000)
	s.write(line{message: "before"}, line{message: long}, line{message: "after"})
	p := s.open("/")
	p.ends("after")
	p.until("what is left out is said", `document.querySelectorAll(".msg")[1].textContent.endsWith(" … 998,000 more characters")`)
	p.click(".row:nth-child(2) .caret", "")
	p.click(".detail button", "Show all 1,000,000 characters")
	p.until("all of it is there", `document.querySelector(".detail pre").textContent.length === 1000000`)
	p.keys("w")
	p.until("wrapped, it is no higher than a screen or two", `document.querySelectorAll(".row")[1].offsetHeight < 2 * innerHeight`)
}

func TestThePageAsksNobodyElse(t *testing.T) {
	s := newSite(t)
	s.shop()
	p := s.open("/")
	p.shows(everything...)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.requests) < 6 { // page, style, two scripts, picture, sources
		t.Errorf("the requests have not been seen: %q", p.requests)
	}
	for _, r := range p.requests {
		if !strings.HasPrefix(r, s.url+"/") && !strings.HasPrefix(r, "data:") {
			t.Errorf("the page asks for %s", r)
		}
	}
}

func TestAxeFindsNothingAtBothSizesInBothThemes(t *testing.T) {
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Skip("axe-core is not installed: npm install in netio/web/viewer, or let scripts/test do it")
	}
	for _, scheme := range []string{"dark", "light"} {
		for _, width := range []int64{1440, 360} {
			s := startSite(t, web.Options{Viewer: true}, ring.Options{Entries: 16, Bytes: 1 << 20})
			p := s.open("/?not_source=none.log&highlight=message", prefers(scheme), chromedp.EmulateViewport(width, 800))
			check := func(what string) {
				t.Helper()
				found := eval[[]string](p, `axe.run({resultTypes: ["violations", "incomplete"]}).then(r => r.violations.flatMap(v =>
					v.nodes.map(n => v.id + ": " + n.html.slice(0, 200) + ": " + n.failureSummary)))`)
				for _, f := range found {
					t.Errorf("%s, %d px, %s: %s", scheme, width, what, f)
				}
			}
			p.says("#empty h2", "Nothing passes the filters yet")
			eval[bool](p, string(axe)+";true")
			if (width == 360) == (scheme == "light") {
				check("empty")
			}
			s.variety()
			p.ends("the last message")
			p.keys("jj" + kb.Enter)
			p.until("a row is open", `document.querySelector(".detail")`)
			eval[bool](p, `(document.querySelectorAll("details").forEach(e => { e.open = true; }), document.querySelector("#panel-toggle").click(), true)`)
			check("rows")
			p.keys("?")
			check("help")
			s.kickAll()
			for range 20 {
				s.write(line{message: "filler"}) // the next page begins with a ring of these
			}
			p.until("the loss is there", `!document.querySelector("#lost").hidden`)
		}
	}
}

// variety writes a row of each look.
func (s *site) variety() {
	s.t.Helper()
	for _, level := range []string{"none", "debug", "info", "warn", "error", "fatal"} {
		s.add(line{level: level, source: level + ".log", message: "a message with fields\n\tand a trace", fields: `{"key":"value","n":12,"o":{"a":[1]}}`})
	}
	for _, colour := range []string{"30", "31", "32", "33", "34", "35", "36", "37", "90", "91", "92", "93", "94", "95", "96", "97"} {
		s.add(line{message: "\x1b[" + colour + "mcolour\x1b[0m of a message"})
	}
	s.add(line{message: "the last message"})
	s.builder.Publish()
}
