package viewer_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// shop writes a few lines that differ in all that can be filtered.
func (s *site) shop() {
	s.t.Helper()
	s.write(
		line{message: "order 1 placed", fields: `{"customer":"ann","ms":12}`},
		line{message: "order 1 timed out", level: "error", fields: `{"customer":"ann","ms":812}`},
		line{source: "web.log", message: "GET /orders", level: "debug"},
		line{message: "order 2 placed", fields: `{"customer":"bob","ms":9007199254740993}`},
		line{source: "web.log", message: "GET /timeout", level: "warn"},
	)
}

var everything = []string{"order 1 placed", "order 1 timed out", "GET /orders", "order 2 placed", "GET /timeout"}

func TestLevelsAndSourcesHaveCountsAndFilterOnTheServerByOneClick(t *testing.T) {
	s := newSite(t)
	s.shop()
	p := s.open("/")
	p.shows(everything...)
	p.until("levels are counted", `[...document.querySelectorAll("#levels button")].map(e => e.textContent).join() === "fatal,error1,warn1,info2,debug1,trace,none"`)
	p.until("sources are counted", `[...document.querySelectorAll("#sources button:first-child")].map(e => e.textContent).join() === "app.log3,web.log2"`)
	steps := []struct {
		selector, text string
		filter         string
		want           []string
	}{
		{"#levels button", "error", "levels=error", []string{"order 1 timed out"}},
		{"#levels button", "warn", "levels=error,warn", []string{"order 1 timed out", "GET /timeout"}},
		{"#sources button", "web.log", "levels=error,warn&source=web.log", []string{"GET /timeout"}},
		{"#sources button", "web.log", "levels=error,warn", []string{"order 1 timed out", "GET /timeout"}},
		{"#sources button", "Leave out web.log", "levels=error,warn&not_source=web.log", []string{"order 1 timed out"}},
		{"#chips button", "Remove all", "", everything},
	}
	for _, step := range steps {
		p.click(step.selector, step.text)
		p.shows(step.want...)
		if got := s.filters(); !slices.Equal(got, []string{step.filter}) {
			t.Errorf("after a press of %s the server has the filters %q, want %q", step.text, got, step.filter)
		}
	}
}

func TestWhatIsTypedNarrowsAtOnceAndFiltersOnTheServerWithEnter(t *testing.T) {
	s := newSite(t)
	s.shop()
	p := s.open("/")
	p.shows(everything...)
	for _, c := range []struct {
		kind, text string
		want       []string
	}{
		{"q", "TIME", []string{"order 1 timed out", "GET /timeout"}},
		{"not", "order", []string{"GET /timeout"}},
		{"re", `order \d p`, []string{"order 1 placed", "order 2 placed"}},
		{"not_re", `^(order|GET /o)`, []string{"GET /timeout"}},
	} {
		p.do(chromedp.SetValue("#kind", c.kind), chromedp.SendKeys("#text", c.text))
		p.shows(c.want...)
		if got := s.filters(); !slices.Equal(got, []string{""}) {
			t.Errorf("narrowing is the server's business: %q", got)
		}
		p.do(chromedp.SendKeys("#text", kb.Enter))
		p.until("it is a chip", `document.querySelectorAll(".chip").length === 1 && document.querySelector("#text").value === ""`)
		p.shows(c.want...)
		p.waitFor("the server filters", func() bool { f := s.filters(); return len(f) == 1 && strings.HasPrefix(f[0], c.kind+"=") })
		s.write(line{message: "GET /orders again"})
		if c.kind != "not_re" {
			p.says("#fill", fmt.Sprintf("%d of", len(c.want)))
		}
		p.click("#chips button", "Remove all")
		p.until("it is gone", `document.querySelectorAll(".chip").length === 0`)
		p.keys(kb.Escape)
	}
}

func TestAFilterTheServerDoesNotTakeSaysWhy(t *testing.T) {
	s := newSite(t)
	s.shop()
	p := s.open("/")
	p.shows(everything...)
	p.do(chromedp.SetValue("#kind", "re"), chromedp.SendKeys("#text", "(unclosed"))
	p.until("the box says so at once", `!document.querySelector("#text").validity.valid`)
	p.do(chromedp.SetValue("#kind", "field"), chromedp.SendKeys("#text", kb.Enter))
	p.says("#empty", "no operator: write KEY=VALUE")
	p.says("#connection", "no operator")
	p.click("#empty button", "Remove the filters")
	p.shows(everything...)
}

func TestAHighlightMarksAndHidesNothing(t *testing.T) {
	s := newSite(t)
	s.shop()
	p := s.open("/")
	p.shows(everything...)
	marks := `[...document.querySelectorAll(".rows mark")].map(e => e.textContent).join()`
	p.keys("h")
	p.do(chromedp.SendKeys("#highlight", "ORDER"))
	p.until("the text is marked", marks+` === "order,order,order,order"`)
	p.erase("#highlight")
	p.do(chromedp.SendKeys("#highlight", `/o\w+er \d/`))
	p.until("the expression is marked", marks+` === "order 1,order 1,order 2"`)
	p.shows(everything...)
}

func TestAFieldsValueFiltersByOneClickWithEveryDigit(t *testing.T) {
	s := newSite(t)
	s.shop()
	p := s.open("/")
	p.shows(everything...)
	p.click(".row .caret", "")
	p.until("it is open", `document.querySelector(".detail")`)
	p.click(".detail button", "Only entries with this customer")
	p.shows("order 1 placed", "order 1 timed out")
	if got := s.filters(); !slices.Equal(got, []string{"field=customer=ann"}) {
		t.Errorf("the server has the filters %q", got)
	}
	p.click("#chips button", "Remove all")
	p.shows(everything...)
	eval[bool](p, `(document.querySelectorAll(".row .caret")[3].click(), true)`)
	p.click(".detail button", "No entries with this ms")
	p.shows("order 1 placed", "order 1 timed out", "GET /orders", "GET /timeout")
	if got := p.query(); got != "field=ms!=9007199254740993" {
		t.Errorf("the address has %q", got)
	}
	p.click(".row .caret", "")
	p.click(".detail button", "No entries with this customer")
	p.shows("GET /orders", "order 2 placed", "GET /timeout")
	if got := s.filters(); !slices.Equal(got, []string{"field=customer!=ann"}) {
		t.Errorf("the server has the filters %q, of which any may hold", got)
	}
}

func TestAnRE2ThatTheBrowserDoesNotKnowIsAFilterToo(t *testing.T) {
	s := newSite(t)
	s.shop()
	p := s.open("/")
	p.shows(everything...)
	p.do(chromedp.SetValue("#kind", "re"), chromedp.SendKeys("#text", "(?i)TIMED.out"), chromedp.SendKeys("#text", kb.Enter))
	p.shows("order 1 timed out")
}

func TestAnEntryIsShownInItsContextAndBackLeadsToTheFilter(t *testing.T) {
	s := newSite(t)
	s.number(1, 300)
	s.write(line{message: "it broke", level: "error"})
	s.number(301, 600)
	p := s.open("/?levels=error")
	p.shows("it broke")
	p.click(".row .caret", "")
	p.click(".detail button", "Show in context")
	p.until("its neighbours are there", `(() => {
		const e = document.querySelector(".row[aria-current]"), text = e => e?.querySelector(".msg").textContent;
		return e && text(e.previousElementSibling) === "entry 300" && text(e) === "it broke" && text(e.nextElementSibling) === "entry 301";
	})()`)
	p.do(chromedp.NavigateBack())
	p.shows("it broke")
}

func TestAnAddressIsTheStateAndAPermalinkFindsItsRow(t *testing.T) {
	s := newSite(t)
	s.shop()
	s.number(1, 200)
	p := s.open("/?level=debug&source=app.log&not=placed&highlight=out&narrow=order&wrap=1&dense=1&time=utc&hide=source")
	p.shows("order 1 timed out")
	p.until("the highlight is there", `document.querySelector("mark").textContent === "out"`)
	p.until("the look is there", `document.querySelector("#list").matches(".wrap.dense.time-utc.hide-source")`)
	p.keys("t")
	if got, want := p.query(), "level=debug&source=app.log&not=placed&narrow=order&highlight=out&wrap=1&dense=1&time=age&hide=source"; got != want {
		t.Errorf("the address has %q, want %q", got, want)
	}
	p.click(".row .caret", "")
	p.allowClipboard()
	p.click(".detail button", "Copy link")
	p.says("#said", "Copied the link")
	link := eval[string](p, "navigator.clipboard.readText()")
	if !strings.HasPrefix(link, s.url+"/?level=debug") || !strings.Contains(link, "&id=") {
		t.Fatalf("the link is %q", link)
	}
	other := p.beside(s, strings.TrimPrefix(link, s.url))
	other.until("the row is open", `document.querySelector(".row[aria-current] .detail pre")?.textContent === "order 1 timed out"`)
	id := link[strings.Index(link, "&id="):]
	third := p.beside(s, "/?"+id[1:])
	third.until("it is found among all", `document.querySelector(".row[aria-current] .msg")?.textContent === "order 1 timed out" && document.querySelectorAll(".row").length > 5`)
	fourth := p.beside(s, "/?id=0-1")
	fourth.says("#said", "no longer held")
}

func TestAPermalinkShowsItsRowHoweverFewEntriesComeWithIt(t *testing.T) {
	s := newSite(t)
	s.number(1, 5)
	p := s.open("/")
	p.ends("entry 5")
	p.click(".row .caret", "")
	p.click(".detail button", "Show in context")
	p.until("the address has it", `location.search.startsWith("?id=")`)
	p = p.beside(s, "/?"+p.query())
	p.until("the row is open", `document.querySelector(".row[aria-current]:has(.detail) .msg")?.textContent === "entry 1"`)
	s.number(6, 200)
	p.says("#newer", "195 new")
	p.until("it is still in sight", `document.querySelector(".row[aria-current] .msg")?.textContent === "entry 1"`)
}

func TestWhatPassesTheFiltersIsDownloadedInThreeForms(t *testing.T) {
	s := newSite(t)
	s.shop()
	s.number(1, 1200)
	p := s.open("/?q=entry")
	p.ends("entry 1200")
	for form, last := range map[string]string{
		"ndjson": `"message":"entry 1200"}` + "\n", "text": " info app.log entry 1200\n", "csv": ",app.log,info,entry 1200,\r\n",
	} {
		href := eval[string](p, fmt.Sprintf(`document.querySelector("a[data-download=%s]").href`, form))
		resp, err := http.Get(href)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", href, resp.Status, err)
		}
		if !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s is no download: %v", href, resp.Header)
		}
		lines := strings.Count(string(body), "\n")
		if form == "csv" {
			lines-- // the header
		}
		if lines != 1200 || !strings.HasSuffix(string(body), last) {
			t.Errorf("%s: %d lines, the last of %q", form, lines, body[max(0, len(body)-120):])
		}
	}
}
