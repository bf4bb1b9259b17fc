package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is the one page of a browser.
type tab struct {
	ctx   context.Context
	close func()
}

// startBrowser starts a browser with nothing remembered. The caller closes it.
func (b *bench) startBrowser(ctx context.Context) (*tab, error) {
	dir, err := os.MkdirTemp("", "viewer-browser")
	if err != nil {
		return nil, err
	}
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options, chromedp.ExecPath(b.chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(dir),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, stop := chromedp.NewExecAllocator(ctx, options...)
	p := &tab{}
	var cancel context.CancelFunc
	p.ctx, cancel = chromedp.NewContext(allocator)
	p.close = func() {
		cancel()
		stop() // waits for the browser
		_ = os.RemoveAll(dir)
	}
	if err := chromedp.Do(p.ctx, chromedp.EmulateViewport(1440, 900)); err != nil {
		p.close()
		return nil, fmt.Errorf("start %s: %w", b.chromium, err)
	}
	return p, nil
}

func (p *tab) open(url string) error {
	if err := chromedp.Do(p.ctx, chromedp.Navigate(url)); err != nil {
		return fmt.Errorf("open %s: %w", url, err)
	}
	return nil
}

// eval stores the value of an expression, a promise's when it has come, in to
// unless that is nil.
func (p *tab) eval(expression string, to any, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	raw, err := chromedp.Run(ctx, chromedp.Evaluate[*runtime.RemoteObject](expression, func(e *runtime.EvaluateParams) {
		yes := true
		e.AwaitPromise, e.ReturnByValue = &yes, &yes
	}))
	if err != nil {
		return fmt.Errorf("ask the page: %w", err)
	}
	if to == nil {
		return nil
	}
	return decode(raw.Value, to)
}

// watchFirst has the next page keep when its first line is on screen.
func (p *tab) watchFirst() error {
	_, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: notice})
	return err
}

// heapOf returns the bytes that a page or worker uses, garbage collected.
func heapOf(ctx context.Context) (float64, error) {
	if _, err := chromedp.Call(ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
		return 0, fmt.Errorf("collect garbage in the page: %w", err)
	}
	u, err := chromedp.Call(ctx, runtime.GetHeapUsage, cdp.Empty{})
	return u.UsedSize, err
}

const settled = 5 * time.Second // from when a page is open, or the first of a browser

// idleProcessor returns the share of a processor that the browser uses for a
// while, in percent.
func (p *tab) idleProcessor(ctx context.Context, d time.Duration) (float64, error) {
	pid := chromedp.FromContext(p.ctx).Browser.Process().Pid
	if err := pause(ctx, settled); err != nil {
		return 0, err
	}
	before, begin := ticks(pid), time.Now()
	if err := pause(ctx, d); err != nil {
		return 0, err
	}
	return float64(ticks(pid)-before) / time.Since(begin).Seconds(), nil // 100 ticks a second
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ticks returns the processor time of a process and its descendants, in
// hundredths of a second. One that has just ended counts nothing.
func ticks(pid int) int {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, _ := os.ReadFile(dir + "/stat")
	_, after, _ := bytes.Cut(stat, []byte(") "))
	fields := bytes.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(string(fields[11]))
	system, _ := strconv.Atoi(string(fields[12]))
	sum := user + system
	threads, _ := os.ReadDir(dir + "/task")
	for _, t := range threads {
		children, _ := os.ReadFile(dir + "/task/" + t.Name() + "/children")
		for _, child := range bytes.Fields(children) {
			n, _ := strconv.Atoi(string(child))
			sum += ticks(n)
		}
	}
	return sum
}
