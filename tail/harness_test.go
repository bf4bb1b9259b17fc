package tail

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"logwisp/ring"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// got is one entry as a subscriber sees it.
type got struct {
	Time    string         `json:"time"`
	Source  string         `json:"source"`
	Message string         `json:"message"`
	Level   string         `json:"level"`
	Fields  map[string]any `json:"fields"`
}

// harness runs a Watcher step by step in the test's own goroutine, so that a
// test can wait for what it needs and look at everything in between.
type harness struct {
	t      reporter
	dir    string
	w      *Watcher
	ring   *ring.Ring
	cursor ring.Cursor
	got    []got
	watch  string
	logged strings.Builder

	checkpoint *Checkpoint // nil: none
}

// reporter is what testing.T and rapid.T have in common.
type reporter interface {
	Helper()
	Cleanup(func())
	Context() context.Context
	Log(...any)
	Error(...any)
	Errorf(string, ...any)
	Fatal(...any)
	Fatalf(string, ...any)
	Failed() bool
}

// patience is how long a condition may take to become true. It is a limit for
// failures; nothing waits for it to pass.
const patience = 20 * time.Second

func options(watch string) Options {
	return Options{
		CheckInterval: 10, Watch: watch, RotateWait: 50, PartialFlush: 0,
		MaxLineBytes: 1 << 20, MaxFiles: 1000,
	}
}

// scenario runs a test with events and without.
func scenario(t *testing.T, test func(t *testing.T, h *harness)) {
	for _, watch := range []string{"inotify", "poll"} {
		t.Run(watch, func(t *testing.T) {
			test(t, &harness{t: t, dir: t.TempDir(), watch: watch})
		})
	}
}

// start begins to follow targets, which are relative to the harness's
// directory.
func (h *harness) start(targets ...string) {
	h.t.Helper()
	h.startWith(options(h.watch), settings{}, targets...)
}

func (h *harness) startWith(o Options, s settings, targets ...string) {
	h.t.Helper()
	for _, s := range targets {
		t, err := ParseTarget(h.path(s))
		if err != nil {
			h.t.Fatal(err)
		}
		o.Targets = append(o.Targets, t)
	}
	epoch, head, _ := h.checkpoint.Continues()
	h.ring = ring.New(ring.Options{Entries: 1 << 16, Bytes: 64 << 20, Epoch: epoch, First: head + 1})
	h.cursor = h.ring.Live()
	w, err := newWatcher(o, h.checkpoint, h.ring, slog.New(slog.NewTextHandler(&h.logged, nil)), s)
	if err != nil {
		h.t.Fatal(err)
	}
	h.w = w
	h.t.Cleanup(func() { _ = w.Close() })
}

func (h *harness) path(name string) string { return filepath.Join(h.dir, name) }

// collect takes what was published.
func (h *harness) collect() {
	h.t.Helper()
	for {
		p, lost, ok := h.cursor.Page()
		if lost > 0 {
			h.t.Fatalf("the ring of the test is too small: %d entries lost", lost)
		}
		if !ok {
			return
		}
		for i := range p.Count() {
			var e got
			if err := json.Unmarshal(p.Entry(i), &e); err != nil {
				h.t.Fatalf("entry %q: %v", p.Entry(i), err)
			}
			h.got = append(h.got, e)
		}
		h.cursor.Advance(p.First + uint64(p.Count()))
	}
}

// until runs the watcher until the condition holds.
func (h *harness) until(what string, holds func() bool) {
	h.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		h.w.work(h.t.Context())
		h.collect()
		if holds() {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("never: %s; entries %v; log %s", what, h.messages(), h.logged.String())
		}
		h.w.wait(h.t.Context())
	}
}

// sees runs the watcher until the message has come.
func (h *harness) sees(message string) {
	h.t.Helper()
	h.until("message "+message, func() bool { return h.has(message) })
}

// begin begins to follow app.log, which is empty, and has n lines come.
func (h *harness) begin(tag string, n int) {
	h.t.Helper()
	h.append("app.log", "")
	h.start("app.log")
	rows := lines(tag, n)
	h.append("app.log", text(rows))
	h.sees(rows[n-1])
}

func (h *harness) has(message string) bool {
	return slices.ContainsFunc(h.got, func(e got) bool { return e.Message == message })
}

func (h *harness) messages() (all []string) {
	for _, e := range h.got {
		all = append(all, e.Message)
	}
	return all
}

// wants runs the watcher until all messages of all groups have come and no
// question is open, looks at everything once more, and checks that each
// message came exactly once, those of a group in order, and no others.
func (h *harness) wants(groups ...[]string) {
	h.t.Helper()
	want := slices.Concat(groups...)
	h.until(fmt.Sprint(len(want), " messages"), func() bool {
		undecided := func(f *file) bool { return f.copied != nil && f.copied.size > 0 }
		return len(h.got) >= len(want) && !slices.ContainsFunc(h.w.timed, undecided)
	})
	h.lookAtAll()
	count := map[string]int{}
	place := map[string]int{}
	for i, m := range h.messages() {
		count[m]++
		place[m] = i
	}
	for _, m := range want {
		if count[m] != 1 {
			h.t.Errorf("message %.80q came %d times, want once", m, count[m])
		}
	}
	for _, g := range groups {
		if !slices.IsSortedFunc(g, func(a, b string) int { return place[a] - place[b] }) {
			h.t.Errorf("messages out of order: %.200v", g)
		}
	}
	if len(h.got) != len(want) {
		h.t.Errorf("%d messages, want %d: %.2000q", len(h.got), len(want), h.messages())
	}
	if h.t.Failed() {
		h.t.Log(h.logged.String())
	}
}

// lookAtAll does what the slow round and a listing do in one go.
func (h *harness) lookAtAll() {
	h.w.checkAll(false)
	h.w.scan()
	h.w.work(h.t.Context())
	h.collect()
}

// source returns the source of a message that has come.
func (h *harness) source(message string) string {
	for _, e := range h.got {
		if e.Message == message {
			return e.Source
		}
	}
	return ""
}

// lines returns n distinct messages.
func lines(tag string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%s row %05d", tag, i))
	}
	return all
}

func text(lines []string) string { return strings.Join(lines, "\n") + "\n" }

// append adds text to a file with one write.
func (h *harness) append(name, text string) {
	h.t.Helper()
	f := h.writer(name)
	h.write(f, text)
	h.must(f.Close())
}

// writer opens a file as a logger does; it keeps the descriptor across
// renames.
func (h *harness) writer(name string) *os.File {
	h.t.Helper()
	f, err := os.OpenFile(h.path(name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	h.must(err)
	h.t.Cleanup(func() { _ = f.Close() })
	return f
}

func (h *harness) write(f *os.File, text string) {
	h.t.Helper()
	_, err := f.WriteString(text)
	h.must(err)
}

func (h *harness) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) rename(from, to string) {
	h.t.Helper()
	h.must(os.Rename(h.path(from), h.path(to)))
}

func (h *harness) remove(name string) {
	h.t.Helper()
	h.must(os.Remove(h.path(name)))
}

func (h *harness) truncate(name string) {
	h.t.Helper()
	h.must(os.Truncate(h.path(name), 0))
}

// copy copies a file's content into a new file.
func (h *harness) copy(from, to string) {
	h.t.Helper()
	b, err := os.ReadFile(h.path(from))
	h.must(err)
	h.must(os.WriteFile(h.path(to), b, 0o644))
}

// tick waits until the clock of the file system has moved on by d, so that
// what happens next is told apart from what happened before.
func (h *harness) tick(d time.Duration) {
	h.t.Helper()
	dir, err := os.MkdirTemp(h.dir, "")
	h.must(err)
	first, now := int64(0), int64(0)
	for i := 0; first == 0 || now < first+int64(d); i++ {
		path := filepath.Join(dir, fmt.Sprint(i))
		h.must(os.WriteFile(path, nil, 0o644))
		st, err := statPath(path)
		h.must(err)
		h.must(os.Remove(path))
		if st.id.born == 0 {
			return
		}
		if now = st.id.born; first == 0 {
			first = now
		}
	}
}

// running starts Run; stop ends it and waits.
func running(t *testing.T, w *Watcher) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
