package viewer_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	window "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience bounds every wait. It is not a measure of speed.
const patience = 30 * time.Second

// browser is the one browser of all tests; each has a context of its own in it,
// without anything of the others.
var browser context.Context

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (int, error) {
	flag.Parse()
	path, err := exec.LookPath("chromium")
	if err != nil || testing.Short() {
		return m.Run(), nil // what needs it says so
	}
	dir, err := os.MkdirTemp("", "viewer")
	if err != nil {
		return 0, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], //nolint:gocritic // a copy
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(dir),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		stop()
		return 0, fmt.Errorf("start %s: %w", path, err)
	}
	browser = ctx
	code := m.Run()
	err = chromedp.Cancel(ctx)
	cancel()
	stop()
	// Its children may write for a moment longer.
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if os.RemoveAll(dir) == nil {
			break
		}
	}
	return code, err
}

// tab is a page of the viewer in the browser.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu        sync.Mutex
	requests  []string
	complaint []string // exceptions, and what the browser says is wrong
}

// open shows the page at a path of a site, at 1440 × 900 unless told.
func (s *site) open(path string, actions ...chromedp.Action[chromedp.Void]) *tab {
	s.t.Helper()
	if testing.Short() {
		s.t.Skip("a browser is not run with -short")
	}
	if browser == nil {
		s.t.Skip("chromium is not installed: apt-get install chromium, or let scripts/test do it")
	}
	return s.tabIn(browser, path, append([]chromedp.Action[chromedp.Void]{chromedp.EmulateViewport(1440, 900)}, actions...), chromedp.WithNewBrowserContext())
}

// beside opens another tab of the same user.
func (p *tab) beside(s *site, path string) *tab {
	s.t.Helper()
	return s.tabIn(p.ctx, path, []chromedp.Action[chromedp.Void]{chromedp.EmulateViewport(1440, 900)})
}

func (s *site) tabIn(parent context.Context, path string, actions []chromedp.Action[chromedp.Void], options ...chromedp.ContextOption) *tab {
	s.t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	s.t.Cleanup(cancel)
	p := &tab{t: s.t, ctx: ctx}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		s.t.Fatal(err)
	}
	p.do(actions...)
	p.do(chromedp.Navigate(s.url + path))
	s.t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.complaint {
			s.t.Errorf("%s: %s", path, c)
		}
	})
	return p
}

// hear takes note of what goes wrong in a page, and of what it asks for.
func (p *tab) hear(ev any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		p.complaint = append(p.complaint, "exception: "+e.ExceptionDetails.Exception.Description)
	case *log.EventEntryAdded:
		// A refused filter and a server that is gone are part of some tests.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			p.complaint = append(p.complaint, "the browser: "+e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	}
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// eval returns the value of an expression in the page.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, func(e *runtime.EvaluateParams) {
		yes := true
		e.AwaitPromise, e.UserGesture = &yes, &yes
	}))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for an expression to be true.
func (p *tab) until(what, expression string) {
	p.t.Helper()
	p.waitFor(what, func() bool { return eval[bool](p, "!!("+expression+")") })
}

func (p *tab) waitFor(what string, done func() bool) {
	p.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !done(); <-tick.C {
		if time.Now().After(end) {
			p.t.Fatalf("in vain: %s\nthe page: %s", what, eval[string](p, `[...document.querySelectorAll(".row, #newer, #empty, footer")].slice(-30).map(e => e.innerText.replace(/\s+/g, " ")).join("\n")`))
		}
	}
}

// rows returns what is in sight of messages and marks.
func (p *tab) rows() []string {
	p.t.Helper()
	return eval[[]string](p, `[...document.querySelectorAll(".row .msg")].map(e => e.textContent)`)
}

// shows waits until the rows in sight are these, of a short list all.
func (p *tab) shows(want ...string) {
	p.t.Helper()
	text, err := json.Marshal(want)
	if err != nil {
		p.t.Fatal(err)
	}
	p.until(fmt.Sprintf("the rows are %q", want),
		`JSON.stringify([...document.querySelectorAll(".row .msg")].map(e => e.textContent)) === JSON.stringify(`+string(text)+`)`)
}

// ends waits until the last row in sight is this.
func (p *tab) ends(want string) {
	p.t.Helper()
	p.until("the last row is "+want, `[...document.querySelectorAll(".row .msg")].at(-1)?.textContent === `+strconv.Quote(want))
}

// keys presses one key after the other. Unlike with KeyEvent, a key that the
// page takes writes nothing.
func (p *tab) keys(keys string) {
	p.t.Helper()
	for _, r := range keys {
		events := kb.Encode(r)
		down, up := *events[0], events[len(events)-1]
		if len(events) == 3 {
			down.Text = events[1].Text
		}
		for _, e := range []input.DispatchKeyEventParams{down, *up} {
			if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, e); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}

// typed writes into a box of the page and leaves the focus there.
func (p *tab) typed(selector, text string) {
	p.t.Helper()
	p.do(chromedp.Focus(selector), chromedp.SendKeys(selector, text))
}

// erase empties a box of the page.
func (p *tab) erase(selector string) {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf("(document.querySelector(%q).focus(), document.querySelector(%[1]q).select(), true)", selector))
	p.keys(kb.Backspace)
}

// click presses the first element of a selector that has a text in it.
func (p *tab) click(selector, text string) {
	p.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll(%q)].find(e => (e.ariaLabel ?? "").includes(%q) || e.textContent.includes(%[2]q))`, selector, text)
	p.until("there is "+selector+" "+text, find)
	eval[bool](p, "("+find+".click(), true)")
}

// wheel turns the mouse wheel over the middle of the page.
func (p *tab) wheel(pixels float64) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{
		Type: input.DispatchMouseEventTypeMouseWheel, X: 700, Y: 500, DeltaX: 0.01, DeltaY: pixels, // of 0 the field would be left out
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// text returns the text of the first element of a selector.
func (p *tab) text(selector string) string {
	p.t.Helper()
	return eval[string](p, fmt.Sprintf(`document.querySelector(%q)?.textContent ?? ""`, selector))
}

// says waits until the first element of a selector has a text in it.
func (p *tab) says(selector, text string) {
	p.t.Helper()
	p.until(selector+" says "+text, fmt.Sprintf(`(document.querySelector(%q)?.textContent ?? "").includes(%q)`, selector, text))
}

// prefers makes the system's preference dark or light.
func prefers(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// front makes a tab the one that is looked at.
func (p *tab) front() {
	p.t.Helper()
	p.window(window.WindowStateNormal)
	if _, err := chromedp.Call(p.ctx, page.BringToFront, cdp.Empty{}); err != nil {
		p.t.Fatal(err)
	}
}

// hide minimises the window of a tab.
func (p *tab) hide() {
	p.t.Helper()
	p.window(window.WindowStateMinimized)
	p.until("the tab is hidden", `document.visibilityState === "hidden"`)
}

func (p *tab) window(state window.WindowState) {
	p.t.Helper()
	w, err := chromedp.Call(p.ctx, window.GetWindowForTarget, window.GetWindowForTargetParams{})
	if err == nil {
		_, err = chromedp.Call(p.ctx, window.SetWindowBounds, window.SetWindowBoundsParams{
			WindowID: w.WindowID, Bounds: &window.Bounds{WindowState: state},
		})
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// query is the part of the address behind the question mark, decoded.
func (p *tab) query() string {
	p.t.Helper()
	return strings.TrimPrefix(eval[string](p, "decodeURIComponent(location.search.replaceAll('+', ' '))"), "?")
}
