package tail

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestTargetIsReadAsPathPatternIsfile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"app.log", "a:b.log", "a:b:true"} {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"logs", "c:d"} {
		if err := os.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f := func(s string, want Target) {
		t.Helper()
		if got, err := ParseTarget(s); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q gives %+v, %v, want %+v", s, got, err, want)
		}
	}
	f("app.log", Target{Path: "app.log", IsFile: true})
	f("logs", Target{Path: "logs", Pattern: "*.log"})
	f("logs:*.txt", Target{Path: "logs", Pattern: "*.txt"})
	f("logs:", Target{Path: "logs", Pattern: "*.log"})
	f("logs:*.txt:false", Target{Path: "logs", Pattern: "*.txt"})
	f("later.log", Target{Path: "later.log"})
	f("later/", Target{Path: "later/", Pattern: "*.log"})
	f("later.log::true", Target{Path: "later.log", IsFile: true})
	f("later.log::1", Target{Path: "later.log", IsFile: true})
	f("./:*.log", Target{Path: "./", Pattern: "*.log"})
	f(":*.txt", Target{Path: ".", Pattern: "*.txt"})
	f("a:b.log", Target{Path: "a:b.log", IsFile: true})
	f("a:b:true", Target{Path: "a:b:true", IsFile: true})
	f("c:d:*.txt", Target{Path: "c:d", Pattern: "*.txt"})
	f("c:d:*.txt:true", Target{Path: "c:d", Pattern: "*.txt", IsFile: true})
	f("none/*/x-*.log", Target{Path: "none", Pattern: "*/x-*.log"})
}

func TestBadTargetIsRefusedByName(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		if got, err := ParseTarget(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %+v, %v, want an error with %q", s, got, err, want)
		}
	}
	f("", "empty")
	f("  ", "empty")
	f("/none:*.log:yes", `isfile is "yes"`)
	f("/none:[a", `"[a" is malformed`)
}

func TestSettingOutOfRangeIsRefusedByItsKey(t *testing.T) {
	f := func(want string, change func(*Options)) {
		t.Helper()
		o := options("auto")
		o.Targets = []Target{{Path: filepath.Join(t.TempDir(), "x"), IsFile: true}}
		change(&o)
		w, err := New(o, nil, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v", want, w, err)
		}
	}
	f("check_interval_ms is 9", func(o *Options) { o.CheckInterval = 9 })
	f("read_from", func(o *Options) { o.ReadFrom = "middle" })
	f("watch", func(o *Options) { o.Watch = "kqueue" })
	f("rotate_wait_ms", func(o *Options) { o.RotateWait = -1 })
	f("partial_flush_ms", func(o *Options) { o.PartialFlush = -1 })
	f("max_line_bytes", func(o *Options) { o.MaxLineBytes = 15 })
	f("max_files", func(o *Options) { o.MaxFiles = 0 })
	f("no path", func(o *Options) { o.Targets = []Target{{Pattern: "*"}} })
	f("malformed", func(o *Options) { o.Targets = []Target{{Path: "/", Pattern: "{a"}} })
}
