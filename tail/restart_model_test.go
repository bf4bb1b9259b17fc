package tail

import (
	"flag"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// operator is the model of a logger whose follower is stopped and started now
// and then. What happens while it is down must not show: every line comes once,
// those of a generation in order.
type operator struct {
	logger

	target string
	up     bool
}

func (o *operator) start() {
	opts := options(o.h.watch)
	opts.RotateWait = 10
	o.h.opens()
	o.h.startWith(opts, settings{stall: 20 * time.Millisecond}, o.target)
	o.up = true
}

// end stops the run, or kills it right after its positions were written.
func (o *operator) end(kill bool) {
	if !o.up {
		o.start()
		return
	}
	o.up, o.copied = false, false
	if kill {
		o.h.lookAtAll() // a rotation is noticed before another follows
		o.h.keeps()
		o.h.kill()
	} else {
		o.h.stop()
	}
	o.h.tick(3 * generationGap) // the clock is too coarse to tell generations apart
}

func (o *operator) rename() {
	if o.up {
		o.h.lookAtAll()
	} else {
		o.h.tick(2 * generationGap)
	}
	o.logger.rename()
}

// copyTruncate rotates by copying. While the follower is down, what is written
// between two rotations can be told apart by its clock only.
func (o *operator) copyTruncate(between func()) {
	if o.up {
		o.h.lookAtAll()
	} else {
		o.h.tick(2 * generationGap)
		between = func() {}
	}
	o.logger.copyAndTruncate(between)
	o.copied = o.copied && o.up
}

// restartChecks is how many schedules are tried unless the command line says:
// each waits for the clock of the file system again and again.
const restartChecks = "15"

func TestRandomSchedulesWithRestartsLoseAndRepeatNothing(t *testing.T) {
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set(restartChecks); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = checks.Value.Set(checks.DefValue) })
	}
	for _, pattern := range []string{"app.log", ".:app.log*"} {
		t.Run(pattern, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				dir, err := os.MkdirTemp(t.TempDir(), "")
				if err != nil {
					t.Fatal(err)
				}
				h := &harness{t: rt, dir: dir, watch: "inotify"}
				o := &operator{logger: logger{h: h}, target: pattern}
				o.begin()
				o.start()
				defer func() { h.must(h.w.Close()) }()
				rt.Repeat(map[string]func(*rapid.T){
					"lines":    func(t *rapid.T) { o.lines(rapid.IntRange(1, 50).Draw(t, "n")) },
					"fragment": func(*rapid.T) { o.fragment() },
					"rename":   func(*rapid.T) { o.rename() },
					"copytruncate": func(t *rapid.T) {
						o.copyTruncate(func() {
							if rapid.Bool().Draw(t, "look between") {
								h.lookAtAll()
							}
						})
					},
					"end": func(t *rapid.T) { o.end(rapid.Bool().Draw(t, "kill")) },
					"work": func(*rapid.T) {
						if o.up {
							h.w.work(rt.Context())
							h.collect()
						}
					},
				})
				if !o.up {
					o.start()
				}
				o.lines(1)
				o.finish()
				h.w.options.PartialFlush = 10
				h.wants(o.all...)
			})
		})
	}
}
