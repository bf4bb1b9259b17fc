package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/chromedp/chromedp"
)

// bench is what is run, and with what.
type bench struct {
	logwisp, chromium string
	duration          time.Duration
}

// run takes all figures once, each viewer in a browser of its own.
func (b *bench) run(ctx context.Context) (figures, error) {
	f := make(figures)
	steps := []func(context.Context, figures) error{b.idlePage, b.live, b.fast, b.naive}
	for _, step := range steps {
		if err := step(ctx, f); err != nil {
			return f, err
		}
	}
	return f, nil
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// frames takes the frames of a page for a while. A page that does not answer in
// twice the time has none.
func (b *bench) frames(p *tab, f figures, of, rate string) error {
	var got struct{ FPS, P95, Lag float64 }
	err := p.eval(fmt.Sprintf("(%s)(%d)", sampler, b.duration.Milliseconds()), &got, 2*b.duration+10*time.Second)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		got.P95, got.Lag = float64(b.duration.Milliseconds()), float64(b.duration.Milliseconds())
	case err != nil:
		return err
	}
	say("%s, %s lines/s: %.1f fps, p95 %.1f ms, lag %.0f ms", of, rate, got.FPS, got.P95, got.Lag)
	f[of+" "+rate+" fps"], f[of+" "+rate+" p95"] = got.FPS, got.P95
	if of != "idle" {
		f[of+" "+rate+" lag"] = got.Lag
	}
	return nil
}

// idlePage takes the frames of a page that does nothing while lines are written.
func (b *bench) idlePage(ctx context.Context, f figures) error {
	return b.with(ctx, func(d *daemon, p *tab) error {
		if err := p.open("http://" + d.address + "/healthz"); err != nil {
			return err
		}
		var err error
		if f["idle idle"], err = p.idleProcessor(ctx, min(b.duration, 20*time.Second)); err != nil {
			return err
		}
		defer d.grow(20_000)()
		return b.frames(p, f, "idle", "20k")
	})
}

// live takes what is promised at 20,000 lines a second, and before them.
func (b *bench) live(ctx context.Context, f figures) error {
	return b.with(ctx, func(d *daemon, p *tab) error {
		d.write(1000)
		// A browser that has just been started is busy with itself for a while.
		if err := p.open("http://" + d.address + "/healthz"); err != nil {
			return err
		}
		if err := pause(ctx, settled); err != nil {
			return err
		}
		if err := p.watchFirst(); err != nil {
			return err
		}
		if err := p.open("http://" + d.address + "/"); err != nil {
			return err
		}
		var first float64
		if err := p.eval(firstLine, &first, time.Minute); err != nil {
			return err
		}
		f["viewer first"] = first
		say("viewer: first line after %.0f ms", first)
		used, err := p.idleProcessor(ctx, min(b.duration, 20*time.Second))
		if err != nil {
			return err
		}
		f["viewer idle"] = used
		say("viewer: %.2f %% of a processor when nothing comes", used)
		defer d.grow(20_000)()
		return b.frames(p, f, "viewer", "20k")
	})
}

// fast takes what is promised at 50,000 lines a second, and of the 100,000 rows
// that are held then.
func (b *bench) fast(ctx context.Context, f figures) error {
	return b.with(ctx, func(d *daemon, p *tab) error {
		if err := p.open("http://" + d.address + "/"); err != nil {
			return err
		}
		stop := d.grow(50_000)
		err := b.frames(p, f, "viewer", "50k")
		if err == nil {
			err = p.eval(full, nil, time.Minute) // a short run has not filled it
		}
		stop()
		if err != nil {
			return err
		}
		if f["viewer heap"], err = p.heap(); err != nil {
			return err
		}
		var got struct{ Rows, Jump, Narrow float64 }
		if err := p.eval(handling, &got, time.Minute); err != nil {
			return err
		}
		f["viewer rows"], f["viewer jump"], f["viewer narrow"] = got.Rows, got.Jump, got.Narrow
		say("viewer: %.0f MB, %.0f rows, a jump %.1f ms, narrowed in %.1f ms", f["viewer heap"], got.Rows, got.Jump, got.Narrow)
		return nil
	})
}

// naive takes the frames of the viewer that makes one element an event.
func (b *bench) naive(ctx context.Context, f figures) error {
	for rate, lines := range map[string]int{"20k": 20_000, "50k": 50_000} {
		err := b.with(ctx, func(d *daemon, p *tab) error {
			if err := p.open("http://" + d.address + "/healthz"); err != nil {
				return err
			}
			if err := p.eval(naiveViewer, nil, time.Minute); err != nil {
				return err
			}
			defer d.grow(lines)()
			return b.frames(p, f, "naive", rate)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// with runs a step with a daemon and a browser of its own.
func (b *bench) with(ctx context.Context, step func(*daemon, *tab) error) error {
	d, err := b.startDaemon(ctx)
	if err != nil {
		return err
	}
	defer d.close()
	p, err := b.startBrowser(ctx)
	if err != nil {
		return err
	}
	defer p.close()
	return step(d, p)
}

var errNoWorker = errors.New("the worker of the page is not found")

// heap returns what page and worker use of JavaScript's memory once what is
// free is collected, in MB.
func (p *tab) heap() (float64, error) {
	page, err := heapOf(p.ctx)
	if err != nil {
		return 0, err
	}
	targets, err := chromedp.Targets(p.ctx)
	if err != nil {
		return 0, fmt.Errorf("list what the browser has open: %w", err)
	}
	for _, t := range targets {
		if t.Type != "shared_worker" {
			continue
		}
		ctx, cancel := chromedp.NewContext(p.ctx, chromedp.WithTargetID(t.TargetID))
		defer cancel()
		worker, err := heapOf(ctx)
		say("viewer: heap of the page %.0f MB, of the worker %.0f MB", page/1e6, worker/1e6)
		return (page + worker) / 1e6, err
	}
	return 0, errNoWorker
}
