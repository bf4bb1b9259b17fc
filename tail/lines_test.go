package tail

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"logwisp/ring/entry"
)

// follow starts a watcher on one target below the harness's directory.
func (h *harness) follow(o Options, t Target) {
	h.t.Helper()
	o.CheckInterval, o.Watch, o.RotateWait = 10, h.watch, 50
	o.MaxLineBytes, o.MaxFiles = max(o.MaxLineBytes, 1<<16), 1000
	t.Path = h.path(t.Path)
	o.Targets = []Target{t}
	h.startWith(o, settings{})
}

func (h *harness) put(name, text string) {
	h.t.Helper()
	path := h.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		h.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		h.t.Fatal(err)
	}
}

// fileAt runs the watcher until the file at path holds.
func (h *harness) fileAt(path string, holds func(f *file) bool) (f *file) {
	h.t.Helper()
	h.until("what is pending", func() bool {
		if n := h.w.names[h.path(path)]; n != nil {
			f = n.file
		}
		return f != nil && holds(f)
	})
	return f
}

func TestLinesOfOneEventAreOneEntry(t *testing.T) {
	for _, c := range []struct {
		name      string
		multiline Multiline
		text      string
		want      []string
	}{
		{"start", Multiline{Start: `^\d{4}-`}, "orphan\n2026-01-01 a\n b\nc\n2026-01-02 d\n", []string{"orphan", "2026-01-01 a\n b\nc", "2026-01-02 d"}},
		{"indent", Multiline{Preset: "indent"}, "a\n b\n\tc\nd\n", []string{"a\n b\n\tc", "d"}},
		{
			"java",
			Multiline{Preset: "java"},
			"10:00 ERROR boom\njava.lang.IllegalStateException: x\n\tat a.B.c(B.java:1)\n\t... 3 more\nCaused by: java.io.IOException: y\n\tat d.E.f(E.java:2)\n10:01 INFO well: Error\n",
			[]string{
				"10:00 ERROR boom\njava.lang.IllegalStateException: x\n\tat a.B.c(B.java:1)\n\t... 3 more\nCaused by: java.io.IOException: y\n\tat d.E.f(E.java:2)",
				"10:01 INFO well: Error",
			},
		},
		{
			"python",
			Multiline{Preset: "python"},
			"ERROR:root:boom\nTraceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    f()\nValueError: x\nDuring handling of the above exception, another exception occurred:\nTraceback (most recent call last):\n  File \"b.py\", line 2\nKeyError: 'y'\nINFO:root:well\n",
			[]string{
				"ERROR:root:boom\nTraceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    f()\nValueError: x\nDuring handling of the above exception, another exception occurred:\nTraceback (most recent call last):\n  File \"b.py\", line 2\nKeyError: 'y'",
				"INFO:root:well",
			},
		},
		{
			"go",
			Multiline{Preset: "go"},
			"started\npanic: runtime error: index out of range [3]\ngoroutine 1 [running]:\nmain.(*server).run(0xc000010000, {0x1, 0x2})\n\t/src/main.go:7 +0x1d\ngopkg.in/yaml%2ev3.handleErr(0xc000123e38)\n\t/src/main.go:7 +0x1d\ncreated by main.main in goroutine 1\n\t/src/main.go:3 +0x2a\nexit status 2\n2026/01/01 restarted (again)\n",
			[]string{
				"started",
				"panic: runtime error: index out of range [3]\ngoroutine 1 [running]:\nmain.(*server).run(0xc000010000, {0x1, 0x2})\n\t/src/main.go:7 +0x1d\ngopkg.in/yaml%2ev3.handleErr(0xc000123e38)\n\t/src/main.go:7 +0x1d\ncreated by main.main in goroutine 1\n\t/src/main.go:3 +0x2a\nexit status 2",
				"2026/01/01 restarted (again)",
			},
		},
		{"lines", Multiline{Preset: "indent", MaxLines: 2}, "a\n b\n c\n d\ne\n", []string{"a\n b", " c\n d", "e"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			scenario(t, func(t *testing.T, h *harness) {
				c.multiline.Flush = 50
				h.follow(Options{}, Target{Path: ".", Pattern: "*.log", Multiline: c.multiline})
				h.put("a.log", c.text)
				h.wants(c.want)
			})
		})
	}
}

func TestAnEntryOfSeveralLinesIsBoundedInBytes(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{MaxLineBytes: 1 << 16}, Target{Path: ".", Pattern: "*.log", Multiline: Multiline{Preset: "indent", MaxLines: 100_000, Flush: 50}})
		line := " " + strings.Repeat("x", 999)
		h.put("a.log", strings.Repeat(line+"\n", 100))
		h.until("all bytes", func() bool {
			sum := 0
			for _, m := range h.messages() {
				if len(m) > 1<<16 {
					t.Fatalf("an entry of %d bytes", len(m))
				}
				sum += strings.Count(m, line)
			}
			return sum == 100
		})
	})
}

func TestAnEntryOfSeveralLinesEndsWithItsFile(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "a.log", Multiline: Multiline{Preset: "indent", Flush: 3_600_000}})
		h.put("a.log", "one\n more\n")
		h.until("the first lines", func() bool {
			n := h.w.names[h.path("a.log")]
			return n != nil && n.file != nil && n.file.group.lines == 2
		})
		if err := os.Rename(h.path("a.log"), h.path("old")); err != nil {
			t.Fatal(err)
		}
		h.put("a.log", " of another file\ntwo\n")
		h.until("the old file's entry", func() bool { return h.has("one\n more") })
		if h.has("one\n more\n of another file") {
			t.Error("an entry has lines of two files")
		}
	})
}

func TestContainerLinesAreUnwrapped(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "**/*.log"})
		h.put("pods/shop_web-1_uid/nginx/0.log", "2026-01-02T03:04:05.123456789Z stdout P half \n"+
			"2026-01-02T03:04:06.5Z stderr F other\n"+
			"2026-01-02T03:04:07.5Z stdout F whole\n"+
			"no longer wrapped\n")
		h.wants([]string{"other", "half whole", "no longer wrapped"})
		for _, e := range h.got {
			want, at := "stdout", "2026-01-02T03:04:05.123456Z"
			if e.Message == "other" {
				want, at = "stderr", "2026-01-02T03:04:06.500000Z"
			}
			if e.Message == "no longer wrapped" {
				continue
			}
			if e.Time != at || fmt.Sprint(e.Fields["namespace"], e.Fields["pod"], e.Fields["container"], e.Fields["stream"]) != fmt.Sprint("shop", "web-1", "nginx", want) {
				t.Errorf("entry %+v", e)
			}
		}
	})
}

func TestDockerLinesAreUnwrapped(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "*.log"})
		h.put("x-json.log", `{"log":"{\"level\":\"error\",\"msg\":\"inner\"}\n","stream":"stderr","time":"2026-01-02T03:04:05.5Z"}`+"\n")
		h.wants([]string{"inner"})
		if e := h.got[0]; e.Level != "error" || e.Time != "2026-01-02T03:04:05.500000Z" || e.Fields["stream"] != "stderr" {
			t.Errorf("entry %+v", e)
		}
	})
}

func TestTagsAreMergedIntoTheFieldsAndTheLineCounts(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "*.log", Tags: map[string]string{"env": "prod", "host": "a\"b"}})
		h.put("a.log", "plain\n"+`{"msg":"both","env":"test","n":1}`+"\n"+`{"msg":"nested","o":{"env":1}}`+"\n")
		h.wants([]string{"plain", "both", "nested"})
		for i, want := range []string{"prod", "test", "prod"} {
			if f := h.got[i].Fields; f["env"] != want || f["host"] != "a\"b" {
				t.Errorf("fields of %s: %v", h.got[i].Message, f)
			}
		}
	})
}

func TestWhatTheFilterKeepsOutIsCounted(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{Filter: Filter{Include: []string{"keep"}, Exclude: []string{"not"}, Level: "info", Redact: []string{`pin=\d+`}}},
			Target{Path: ".", Pattern: "*.log"})
		h.put("a.log", "keep one\nkeep not this\nother\nDEBUG: keep low\nkeep pin=1234 safe\n")
		h.wants([]string{"keep one", "keep *** safe"})
		if n := h.w.Stats().Filtered; n != 3 {
			t.Errorf("%d counted as kept out, want 3", n)
		}
	})
}

func TestLinesBeyondTheRateAreCountedAsSampled(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "*.log", MaxLinesPerSecond: 10})
		h.put("a.log", strings.Repeat("line\n", 1000))
		h.until("the file's end", func() bool {
			s := h.w.Stats()
			return s.Lines+s.Sampled == 1000
		})
		if s := h.w.Stats(); s.Lines < 10 || s.Lines > 500 || int(s.Lines) != len(h.got) {
			t.Errorf("%d lines passed, %d came", s.Lines, len(h.got))
		}
	})
}

func TestColoursAndZonesAndNamesAreAsTheTargetSays(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{SourceName: "relative"}, Target{
			Path: ".", Pattern: "**/*.log", Exclude: []string{"*.gz.log", "old/**"},
			StripANSI: true, Timezone: "America/New_York", Format: "regex", Regex: `^(?P<time>\S+ \S+) \[(?P<level>\w+)\] (?P<message>.*) by (?P<user>\w+)$`,
		})
		h.put("old/b.log", "not this\n")
		h.put("c.gz.log", "nor this\n")
		h.put("sub/a.log", "2026-01-02 03:04:05 [warn] \x1b[31mdone\x1b[0m by me\nanything else\n")
		h.wants([]string{"done", "anything else"})
		e := h.got[0]
		if e.Source != "sub/a.log" || e.Level != "warn" || e.Time != "2026-01-02T08:04:05.000000Z" || e.Fields["user"] != "me" {
			t.Errorf("entry %+v", e)
		}
	})
}

func TestSettingsOfATargetThatMakeNoSenseAreRefused(t *testing.T) {
	for want, target := range map[string]Target{
		"preset":     {Multiline: Multiline{Preset: "cobol"}},
		"leave one":  {Multiline: Multiline{Preset: "go", Start: "x"}},
		"start":      {Multiline: Multiline{Start: "("}},
		"format":     {Format: "xml"},
		"set regex":  {Format: "regex"},
		"regex":      {Format: "regex", Regex: "no group"},
		"set format": {Regex: "(?P<a>.)"},
		"timezone":   {Timezone: "Mars/Olympus"},
		"negative":   {MaxLinesPerSecond: -1},
		"begin with": {Tags: map[string]string{"_x": "y"}},
		"at most":    {Tags: map[string]string{"x": strings.Repeat("y", entry.MaxTags)}},
		"malformed":  {Exclude: []string{"[a"}},
	} {
		target.Path = "x"
		o := Options{CheckInterval: 10, MaxLineBytes: 1 << 20, MaxFiles: 1, Targets: []Target{target}}
		if err := o.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want an error with %q", target, err, want)
		}
	}
}

func TestAnEntryUnderConstructionIsReadAgainAfterAKill(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "*.log", Multiline: Multiline{Preset: "indent", Flush: 3_600_000}})
		h.put("a.log", "one\n more\n")
		var f *file
		h.until("the first lines", func() bool {
			if n := h.w.names[h.path("a.log")]; n != nil {
				f = n.file
			}
			return f != nil && f.group.lines == 2
		})
		if f.whole != 0 {
			t.Errorf("%d bytes count as sent", f.whole)
		}
		h.put("a.log", "two\n")
		h.until("the entry", func() bool { return h.has("one\n more") })
		if f.whole != 10 {
			t.Errorf("%d bytes count as sent, want those before the line under construction", f.whole)
		}
		h.w.lastLook()
		h.collect()
		if !h.has("two") || f.whole != f.pos {
			t.Errorf("after the last look %d of %d bytes are sent: %q", f.whole, f.pos, h.messages())
		}
	})
}

func TestATracebackAtTheBeginningOfALogIsOneEntry(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "*.log", Multiline: Multiline{Preset: "python", Flush: 50}})
		trace := "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nValueError: x"
		h.put("a.log", trace+"\nINFO:root:well\n")
		h.wants([]string{trace, "INFO:root:well"})
	})
}

func TestTheLastEntryOfSeveralLinesOfARenamedFileIsNotHeldBack(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		o := options(h.watch)
		o.RotateWait = 3600000
		o.Targets = []Target{{Path: h.path("app.log"), IsFile: true, Multiline: Multiline{Preset: "indent", Flush: 20}}}
		h.append("app.log", "")
		h.startWith(o, settings{})
		h.append("app.log", "first\nsecond\n below\n")
		h.sees("first")
		h.rename("app.log", "app.log.1")
		h.sees("second\n below")
	})
}
