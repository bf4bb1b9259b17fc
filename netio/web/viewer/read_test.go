package viewer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	window "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// allowClipboard lets the page read what it has copied.
func (p *tab) allowClipboard() {
	p.t.Helper()
	p.front()
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(p.ctx, window.SetPermission, window.SetPermissionParams{
			Permission: &window.PermissionDescriptor{Name: name}, Setting: window.PermissionSettingGranted,
			Origin: eval[string](p, "location.origin"), BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

func TestAnOpenRowShowsItsFieldsWithEveryDigitAndCopies(t *testing.T) {
	s := newSite(t)
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)
	const fields = `{"id":9007199254740993,"user":{"name":"ann","tags":["a","b"],"none":{}},"note":"two\nlines"}`
	s.write(line{message: "paid", level: "error", fields: fields, time: at})
	p := s.open("/")
	p.shows("paid")
	p.allowClipboard()
	p.keys("j" + kb.Enter)
	p.until("the row is open", `document.querySelector(".row[aria-current] .detail")`)
	members := eval[[]string](p, `[...document.querySelectorAll(".detail dd .value")].map(e => e.textContent)`)
	want := []string{
		"2026-03-01T12:00:00.123456Z", "app.log", "error", "9007199254740993",
		"{\n  \"name\": \"ann\",\n  \"tags\": [\n    \"a\",\n    \"b\"\n  ],\n  \"none\": {}\n}", "two\nlines",
	}
	if got, want := fmt.Sprintf("%q", members), fmt.Sprintf("%q", want); got != want {
		t.Errorf("the fields are\n%s, want\n%s", got, want)
	}
	for button, want := range map[string]string{
		"Copy entry":   `{"time":"2026-03-01T12:00:00.123456Z","source":"app.log","level":"error","message":"paid","fields":` + fields + `}`,
		"Copy message": "paid",
		"Copy note":    "two\nlines",
	} {
		p.click(".detail button", button)
		p.until("it is copied: "+button, fmt.Sprintf("navigator.clipboard.readText().then(t => t === %s)", s.quote(want)))
	}
	p.keys(kb.Enter)
	p.until("the row is closed", `!document.querySelector(".detail")`)
}

func TestTimesAreLocalOrUTCOrRelativeToTheMillisecond(t *testing.T) {
	s := newSite(t)
	at := time.Now().Add(-90 * time.Second)
	s.write(line{message: "then", time: at})
	p := s.open("/")
	p.shows("then")
	local := eval[string](p, fmt.Sprintf(`(() => { const d = new Date(%d); return d.toTimeString().slice(0, 8) + "." + String(d.getMilliseconds()).padStart(3, "0"); })()`, at.UnixMilli()))
	p.says(".row time", local)
	p.keys("t")
	p.says(".row time", at.UTC().Format("15:04:05.000"))
	p.keys("t")
	p.until("it is relative", `/^−1:\d\d\.\d{3}$/.test(document.querySelector(".row time").textContent)`)
	p.keys("t")
	p.says(".row time", local)
	if got, want := eval[string](p, `document.querySelector(".row time").dateTime`), at.UTC().Format("2006-01-02T15:04:05.000000Z"); got != want {
		t.Errorf("the whole time is %s, want %s", got, want)
	}
}

func TestLinesWrapAndColumnsAndDensityChange(t *testing.T) {
	s := newSite(t)
	s.write(line{message: strings.Repeat("long ", 200)}, line{message: "short"})
	p := s.open("/")
	p.ends("short")
	height := func() float64 { return eval[float64](p, `document.querySelector(".row").offsetHeight`) }
	one := height()
	p.keys("w")
	p.until("it wraps", fmt.Sprintf(`document.querySelector(".row").offsetHeight >= 5 * %f`, one))
	p.keys("w")
	p.until("it does not", fmt.Sprintf(`document.querySelector(".row").offsetHeight === %f`, one))
	p.click("summary", "View")
	p.click(".menu label", "Compact")
	p.until("rows are lower", fmt.Sprintf(`document.querySelector(".row").offsetHeight < %f`, one))
	for name, selector := range map[string]string{"Time": "time", "Level": ".lv", "Source": ".src"} {
		p.click(".menu label", name)
		p.until(name+" is hidden", fmt.Sprintf(`document.querySelector(".row > %s").offsetWidth === 0`, selector))
	}
	p.until("the address says so", `location.search.includes("dense=1") && location.search.includes("hide=")`)
	p.do(chromedp.Reload())
	p.ends("short")
	p.until("and it holds", `document.querySelector("#list").matches(".dense.hide-time")`)
}

func TestATraceIsFoldedWhetherOneEntryOrOneLineByLine(t *testing.T) {
	s := newSite(t)
	s.write(
		line{message: "one entry\n\tat a.b(C.java:1)\n\tat a.c(C.java:2)", level: "error"},
		line{message: "line by line", level: "error"},
		line{message: "in between", source: "web.log"},
		line{message: "\tat d.e(F.java:3)", level: "none"},
		line{message: "Caused by: java.lang.Error", level: "none"},
		line{message: "\t... 12 more", level: "none"},
		line{message: "next"},
	)
	p := s.open("/")
	p.shows("one entry", "line by line", "in between", "next")
	p.until("the rest is counted", `[...document.querySelectorAll(".fold:not([hidden])")].map(e => e.textContent).join() === "+2 lines,+3 lines"`)
	p.click(".fold", "+3 lines")
	p.shows("one entry", "line by line", "in between", "\tat d.e(F.java:3)", "Caused by: java.lang.Error", "\t... 12 more", "next")
	p.click(".fold", "+2 lines")
	p.until("the whole message is there", `document.querySelector(".detail pre").textContent === "one entry\n\tat a.b(C.java:1)\n\tat a.c(C.java:2)"`)
}

func TestColoursOfATerminalShowAndNothingElseOfItActs(t *testing.T) {
	s := newSite(t)
	s.write(
		line{message: "\x1b[1;31mred\x1b[0m plain \x1b[38;5;46mgreen\x1b[39m \x1b[38;2;250;40;40mrgb\x1b[m \x1b[7;33minverse\x1b[27m"},
		line{message: "\x1b]0;title\x07a\x1b[2Jb\x1b[10;10Hc\rd\x1b\u202ee"},
	)
	p := s.open("/")
	p.shows("red plain green rgb inverse", "abc␍d␛‹U+202E›e")
	spans := eval[string](p, `[...document.querySelectorAll(".row:first-child .msg span")].map(e => e.className + "=" + e.textContent).join("; ")`)
	if want := "bold a1=red; a10=green; a9=rgb; on3=inverse"; spans != want {
		t.Errorf("the colours are %q, want %q", spans, want)
	}
}

func TestTheEmptyPageTellsHowToWriteTheFirstLine(t *testing.T) {
	s := newSite(t)
	p := s.open("/")
	p.says("#empty h2", "Waiting for the first line")
	p.says("#empty code", ">> /var/log/app.log")
	s.write(line{message: "hello"})
	p.shows("hello")
	p.until("the hint is gone", `document.querySelector("#empty").hidden`)
	p.typed("#text", "no such text")
	p.says("#empty h2", "No row here matches")
	p.do(chromedp.SendKeys("#text", kb.Enter))
	p.says("#empty h2", "Nothing passes the filters yet")
	p.click("#empty button", "Remove the filters")
	p.shows("hello")
	p.keys(kb.Escape + "c")
	p.says("#empty h2", "Cleared")
}
