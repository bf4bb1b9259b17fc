package tail

import (
	"fmt"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// logger is the model: what one program writes to app.log, and how it rotates.
// Every line it finishes must come exactly once; lines of one generation come
// in order.
type logger struct {
	h       *harness
	file    *os.File
	open    string   // the line under way
	written []string // lines finished in this generation
	all     [][]string
	next    int
	rotated int
	copied  bool // since the last look: of what was never seen nobody can tell a copy
	fresh   bool // a copy is so young that the clock does not tell it from a generation
}

// ages has copies that no target names grow old enough to be older than any
// generation that is to come, and looks again.
func (l *logger) ages() {
	if l.fresh {
		l.h.tick(2 * generationGap)
		l.fresh = false
	}
	l.h.lookAtAll()
}

// seen has a copy looked at before the log that it is of is gone.
func (l *logger) seen() {
	if l.copied {
		l.h.lookAtAll()
		l.copied = false
	}
}

func (l *logger) begin() {
	l.file = l.h.writer("app.log")
	l.written = nil
}

// finish ends the generation. An open line is sent as it is.
func (l *logger) finish() {
	if l.open != "" {
		l.written = append(l.written, l.open)
		l.open = ""
	}
	l.all = append(l.all, l.written)
	_ = l.file.Close()
}

func (l *logger) token() string {
	l.next++
	return fmt.Sprintf("row-%06d", l.next)
}

func (l *logger) lines(n int) {
	var s string
	for range n {
		l.open += l.token()
		s += l.open[len(l.open)-len("row-000000"):] + "\n"
		l.written = append(l.written, l.open)
		l.open = ""
	}
	l.h.write(l.file, s)
}

func (l *logger) fragment() {
	s := l.token() + "."
	l.open += s
	l.h.write(l.file, s)
}

// readAll runs the watcher until it has taken every byte of the file. One that
// was truncated may have the size it had.
func (l *logger) readAll() {
	l.h.lookAtAll()
	l.h.until("everything is read", func() bool {
		st, err := statFile(int(l.file.Fd()))
		l.h.must(err)
		f := l.h.w.files[st.id]
		return f != nil && f.phase == following && f.pos == st.size
	})
}

func (l *logger) rename() {
	l.seen()
	l.rotated++
	l.h.rename("app.log", fmt.Sprintf("app.log.%d", l.rotated))
	l.finish()
	l.begin()
}

func (l *logger) remove() {
	l.readAll()
	l.h.remove("app.log")
	l.finish()
	l.begin()
}

func (l *logger) truncate() {
	l.readAll()
	l.h.truncate("app.log")
	if l.open != "" {
		l.written = append(l.written, l.open)
		l.open = ""
	}
	// The truncation must be seen before the file is what it was again.
	l.h.until("the truncation is seen", func() bool { return l.h.w.names[l.h.path("app.log")].file.pos == 0 })
}

// copyAndTruncate rotates as logrotate does with copytruncate; what was not
// read by then is in the copy only.
func (l *logger) copyAndTruncate(between func()) {
	l.seen()
	l.copies()
	between()
	l.h.truncate("app.log")
	if l.open != "" {
		l.written = append(l.written, l.open)
		l.open = ""
	}
	l.all = append(l.all, l.written)
	l.written = nil
}

// copies leaves a copy beside the log, which goes on.
func (l *logger) copies() {
	l.rotated++
	l.h.copy("app.log", fmt.Sprintf("app.log.%d", l.rotated))
	l.copied, l.fresh = true, true
}

func TestRandomSchedulesLoseAndRepeatNothing(t *testing.T) {
	for _, pattern := range []string{"app.log", ".:app.log*"} {
		for _, watch := range []string{"inotify", "poll"} {
			t.Run(pattern+" "+watch, func(t *testing.T) {
				rapid.Check(t, func(rt *rapid.T) {
					dir, err := os.MkdirTemp(t.TempDir(), "")
					if err != nil {
						t.Fatal(err)
					}
					h := &harness{t: rt, dir: dir, watch: watch}
					l := &logger{h: h}
					l.begin()
					o := options(watch)
					o.RotateWait = 10
					h.startWith(o, settings{stall: 20 * time.Millisecond}, pattern)
					defer h.w.Close()
					globbed := h.w.matched(h.path("app.log.1"))
					rt.Repeat(map[string]func(*rapid.T){
						"lines":    func(t *rapid.T) { l.lines(rapid.IntRange(1, 50).Draw(t, "n")) },
						"fragment": func(*rapid.T) { l.fragment() },
						"rename": func(*rapid.T) {
							if !globbed {
								l.ages()
							}
							l.rename()
						},
						"remove": func(*rapid.T) {
							if !globbed {
								l.ages()
							}
							l.remove()
						},
						"truncate": func(*rapid.T) { l.truncate() },
						"copy":     func(*rapid.T) { l.copies() },
						"copytruncate": func(t *rapid.T) {
							if !globbed || rapid.Bool().Draw(t, "look before") {
								h.lookAtAll() // what a copy is of that nobody names must have been seen
							}
							l.copyAndTruncate(func() {
								if rapid.Bool().Draw(t, "look between") {
									h.lookAtAll()
								}
							})
						},
						"look": func(*rapid.T) { h.lookAtAll() },
						"work": func(*rapid.T) { h.w.work(rt.Context()); h.collect() },
					})
					l.lines(1)
					l.finish()
					// A rotated file that still has a name is followed on: only
					// time ends its last line.
					h.w.options.PartialFlush = 10
					h.wants(l.all...)
				})
			})
		}
	}
}
