package tail

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// reload changes the targets, which are relative to the harness's directory,
// and what else edit changes, as Run would.
func (h *harness) reload(edit func(o *Options), targets ...string) {
	h.t.Helper()
	o := options(h.watch)
	for _, s := range targets {
		t, err := ParseTarget(h.path(s))
		h.must(err)
		o.Targets = append(o.Targets, t)
	}
	if targets == nil {
		o.Targets = []Target{}
	}
	if edit != nil {
		edit(&o)
	}
	c, err := prepare(o)
	h.must(err)
	h.w.take(c)
	h.collect()
}

func TestWithoutItsTargetAFileIsReadToItsEndAndLetGo(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start("a.log::true", "b.log::true")
		h.append("a.log", "a one\n")
		h.append("b.log", "b one\n")
		h.sees("a one")
		h.sees("b one")
		h.append("a.log", text(lines("a", 300)))
		h.append("b.log", "b two\n")
		h.reload(nil, "b.log::true")
		h.append("a.log", "for nobody\n")
		h.append("b.log", "b three\n")
		h.wants(append([]string{"a one"}, lines("a", 300)...), []string{"b one", "b two", "b three"})
		if n := h.w.Stats().Files; n != 1 {
			t.Errorf("%d files are followed", n)
		}
		if open := h.w.open.count; open != 1 {
			t.Errorf("%d files are open", open)
		}
		if s := h.w.Stats(); s.Rotations != 0 || s.LagBytes != 0 {
			t.Errorf("rotations %d, lag %d", s.Rotations, s.LagBytes)
		}
	})
}

func TestWithoutTargetsNothingIsFollowedOrWatched(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:*.log")
		h.append("a.log", "one\n")
		h.sees("one")
		h.reload(nil)
		h.append("a.log", "for nobody\n")
		h.append("b.log", "for nobody\n")
		h.lookAtAll()
		if len(h.got) != 1 || len(h.w.dirs) != 0 || len(h.w.names) != 0 {
			t.Errorf("%q, %d directories, %d names", h.messages(), len(h.w.dirs), len(h.w.names))
		}
		h.reload(nil, ".:*.log")
		h.wants([]string{"one"}, []string{"for nobody"})
	})
}

func TestFilesOfANewTargetBeginAsThoseOfAStartDo(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start("old:*.log")
		h.must(os.Mkdir(h.path("new"), 0o755))
		h.must(os.Mkdir(h.path("old"), 0o755))
		h.append("new/a.log", text(lines("before", 3)))
		h.append("old/a.log", "told of late\n") // and not taken for one that the change brings
		h.reload(nil, "old:*.log", "new:*.log")
		h.append("new/a.log", text(lines("after", 3)))
		h.append("new/b.log", text(lines("fresh", 3)))
		h.wants([]string{"told of late"}, lines("after", 3), lines("fresh", 3))
	})
}

func TestWithACheckpointFilesOfANewTargetAreReadWhole(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.opens()
		h.start("a.log::true")
		h.append("b.log", text(lines("b", 3)))
		h.reload(nil, "a.log::true", "b.log::true")
		h.append("b.log", "more\n")
		h.wants(append(lines("b", 3), "more"))
		h.stop()
	})
}

func TestAFileThatATargetNamesAgainGoesOnWhereItWas(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start(".:*.log")
		h.append("a.log", "one\ntwo begins")
		h.sees("one")
		h.reload(nil, "other:*.log")
		h.lookAtAll()
		h.append("a.log", " and ends\nthree\n")
		h.lookAtAll()
		h.reload(nil, ".:*.log")
		h.append("a.log", "four\n")
		h.wants([]string{"one", "two begins and ends", "three", "four"})
	})
}

func TestAFileThatWasLetGoIsFoundAfterARestart(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.opens()
		h.start(".:*.log")
		h.append("a.log", "one\n")
		h.append("b.log", "other\nhalf")
		h.sees("one")
		h.sees("other")
		h.reload(nil, "b.log::true")
		h.append("a.log", "two\n")
		h.rename("a.log", "a.log.1")
		h.append("a.log", "three\n")
		h.append("b.log", " and half\n")
		h.sees("half and half")
		h.stop()
		h.restart(".:*.log")
		h.append("a.log", "four\n")
		h.wants([]string{"one", "two", "three", "four"}, []string{"other", "half and half"})
		h.stop()
	})
}

func TestALineUnderWayOutlivesAChangeOfItsTarget(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:*.log")
		h.append("a.log", "one\nha")
		h.sees("one")
		h.reload(func(o *Options) {
			o.Targets[0].Tags = map[string]string{"env": "test"}
			o.SourceName = "path"
		}, ".:*.log")
		h.append("a.log", "lf\n")
		h.wants([]string{"one", "half"})
		if e := h.got[1]; e.Fields["env"] != "test" || e.Source != h.path("a.log") {
			t.Errorf("the entry behind the change: %+v", e)
		}
	})
}

func TestLinesThatWaitForMoreAreJoinedAcrossAChangeOfOtherThings(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		joined := func(o *Options) { o.Targets[0].Multiline = Multiline{Preset: "indent", Flush: 3600000} }
		h.start("none")
		h.reload(joined, ".:*.log")
		h.append("a.log", "head\n one\n")
		h.until("it waits", func() bool {
			for _, f := range h.w.files {
				return f.group.lines == 2
			}
			return false
		})
		h.reload(func(o *Options) { joined(o); o.Targets[0].Exclude = []string{"*.tmp.log"} }, ".:*.log", "more.txt")
		h.append("a.log", " two\nnext\n")
		h.wants([]string{"head\n one\n two"})
		h.reload(nil, ".:*.log")
		h.wants([]string{"head\n one\n two", "next"})
	})
}

func TestTheLimitsOfLinesChange(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		long := strings.Repeat("x", 3000)
		h.start(".:*.log")
		h.append("a.log", long+"\n"+long)
		h.until("it is held", func() bool { return len(h.got) == 1 && h.w.open.newest.pos == 6001 })
		h.reload(func(o *Options) { o.MaxLineBytes = 1024; o.Filter.Exclude = []string{"secret"} }, ".:*.log")
		h.append("a.log", "\n"+long+"\na secret\nlast\n")
		h.sees("last")
		var sizes []int
		for _, m := range h.messages() {
			sizes = append(sizes, len(m))
		}
		if !slices.Equal(sizes, []int{3000, 1024, 1024, 4}) {
			t.Errorf("lengths %d", sizes)
		}
		if s := h.w.Stats(); s.Filtered != 1 || s.Truncated != 2 {
			t.Errorf("filtered %d, truncated %d", s.Filtered, s.Truncated)
		}
	})
}

func TestFilesBeyondMaxFilesAreFollowedOnceThereMayBeMore(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start("none")
		h.reload(func(o *Options) { o.MaxFiles = 1 }, ".:*.log")
		h.append("a.log", "a\n")
		h.sees("a")
		h.append("b.log", "b\n")
		h.until("it is too many", func() bool { return h.w.Stats().Skipped == 1 })
		h.reload(nil, ".:*.log")
		h.wants([]string{"a"}, []string{"b"})
	})
}

func TestABadChangeChangesNothing(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "poll"}
	h.start(".:*.log")
	for want, edit := range map[string]func(*Options){
		"max_line_bytes": func(o *Options) { o.MaxLineBytes = 1 },
		"regex":          func(o *Options) { o.Targets = []Target{{Path: ".", Format: "regex", Regex: "("}} },
		"filter":         func(o *Options) { o.Filter.Exclude = []string{"("} },
		"is a directory": func(o *Options) { o.Targets = []Target{{Path: h.dir, IsFile: true}} },
	} {
		o := options("poll")
		edit(&o)
		if apply, err := h.w.Reload(o); err == nil || apply != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// While targets come and go and the log is rotated, no line of a file that stays
// is lost, and none comes twice.
func TestNoLineIsLostOrComesTwiceWhileTargetsChange(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		const changes, each = 40, 50
		h.opens()
		h.start("a.log::true", "b.log::true")
		stop := running(t, h.w)
		var want []string
		apply := func(i int) {
			o := options(h.watch)
			o.Targets = []Target{{Path: h.path("a.log"), IsFile: true}}
			switch i % 4 {
			case 0:
				o.Targets = []Target{{Path: h.dir, Pattern: "*.log"}}
			case 1:
				o.Targets[0].Tags = map[string]string{"change": fmt.Sprint(i)}
			case 2:
				o.Targets = append(o.Targets, Target{Path: h.path("b.log"), IsFile: true})
			}
			take, err := h.w.Reload(o)
			if err != nil {
				t.Fatal(err)
			}
			take()
		}
		f := h.writer("a.log")
		for i := range changes {
			more := lines(fmt.Sprint("change ", i), each)
			want = append(want, more...)
			half := len(text(more)) / 2
			h.write(f, text(more)[:half])
			apply(i)
			h.write(f, text(more)[half:])
			if i%10 == 9 {
				h.must(f.Close())
				h.rename("a.log", fmt.Sprintf("a.log.%d", i))
				f = h.writer("a.log")
			}
		}
		deadline := time.Now().Add(patience)
		for h.collect(); len(h.got) < len(want) && time.Now().Before(deadline); h.collect() {
			time.Sleep(time.Millisecond)
		}
		stop()
		h.collect()
		h.must(h.checkpoint.Close(h.ring.Epoch(), h.ring.Head()))
		if got := h.messages(); !slices.Equal(got, want) {
			t.Errorf("%d entries, want %d; log %s", len(got), len(want), h.logged.String())
		}
	})
}

func TestAFileThatIsLetGoBeforeItSaysWhetherItIsACopyIsClosed(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start("app.log*")
		h.append("app.log", text(lines("a", 3)))
		h.sees("a row 00002")
		h.append("app.log.1", "")
		h.until("it is known", func() bool { return len(h.w.names) == 2 })
		h.reload(nil, "app.log::true")
		if n := h.w.open.count; n != 1 {
			t.Errorf("%d files are open", n)
		}
		h.wants(lines("a", 3))
	})
}
