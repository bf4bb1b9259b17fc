package tail

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var epoch = time.Unix(1, 0)

func TestNewFileIsReadFromItsBeginning(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.start(".:*.log")
		h.append("fresh.log", text(lines("a", 3)))
		h.append("fresh.txt", "not matched\n")
		h.sees("a row 00002")
		h.append("fresh.log", text(lines("b", 2)))
		h.wants(append(lines("a", 3), lines("b", 2)...))
		if s := h.source("b row 00000"); s != "fresh.log" {
			t.Errorf("source %s, want fresh.log", s)
		}
	})
}

func TestFileTargetMayAppearLater(t *testing.T) {
	for _, target := range []string{"later.log", "later.log::true", "sub/dir/later.log"} {
		scenario(t, func(t *testing.T, h *harness) {
			h.start(target)
			h.w.work(t.Context())
			name, _, _ := strings.Cut(target, ":")
			h.must(os.MkdirAll(filepath.Dir(h.path(name)), 0o755))
			h.append(name, text(lines("a", 4)))
			h.wants(lines("a", 4))
			if !strings.Contains(h.logged.String(), "waiting for it") {
				t.Errorf("no warning for a target that is not there: %s", h.logged.String())
			}
		})
	}
}

func TestDirectoryTargetMayAppearLater(t *testing.T) {
	for _, target := range []string{"a/b:*.log", "a/b/", "a/b"} {
		scenario(t, func(_ *testing.T, h *harness) {
			h.start(target)
			h.must(os.MkdirAll(h.path("a/b"), 0o755))
			h.append("a/b/x.log", text(lines("a", 3)))
			h.wants(lines("a", 3))
		})
	}
}

func TestDirectoryDeletedAndRecreatedIsFoundAgain(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.must(os.Mkdir(h.path("d"), 0o755))
		h.start("d:*.log")
		h.append("d/x.log", "one\n")
		h.sees("one")
		h.must(os.RemoveAll(h.path("d")))
		h.must(os.Mkdir(h.path("d"), 0o755))
		h.append("d/x.log", "two\n")
		h.sees("two")
		h.rename("d", "d.old")
		h.must(os.Mkdir(h.path("d"), 0o755))
		h.append("d/x.log", "three\n")
		h.wants([]string{"one", "two", "three"})
	})
}

func TestDoubleStarReachesDirectoriesMadeLater(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.start(".:**/*.log")
		h.append("top.log", "top\n")
		h.must(os.MkdirAll(h.path("x/y/z"), 0o755))
		h.append("x/y/z/deep.log", "deep\n")
		h.sees("deep")
		h.append("x/y/next.log", "next\n")
		h.append("x/y/not.txt", "not\n")
		h.wants([]string{"top"}, []string{"deep"}, []string{"next"})
	})
}

func TestGlobInThePathIsAPattern(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.must(os.MkdirAll(h.path("a/in"), 0o755))
		h.start("*/in/*.log")
		h.append("a/in/x.log", "x\n")
		h.must(os.MkdirAll(h.path("b/in"), 0o755))
		h.append("b/in/y.log", "y\n")
		h.wants([]string{"x"}, []string{"y"})
	})
}

func TestFileOfOverlappingTargetsIsReadOnce(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("app.log", "")
		h.start(".:*.log", "app.log", ".:a*.log")
		h.append("app.log", text(lines("a", 5)))
		h.wants(lines("a", 5))
	})
}

func TestHardLinkedFileIsReadOnceAndKeepsFlowingUnderItsOtherName(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.append("a.log", "")
		h.must(os.Link(h.path("a.log"), h.path("b.log")))
		h.start(".:*.log")
		h.append("b.log", "one\n")
		h.sees("one")
		h.remove("a.log")
		h.until("the first name is gone", func() bool { return h.w.names[h.path("a.log")] == nil })
		h.append("b.log", "two\n")
		h.wants([]string{"one", "two"})
		if a, b := h.source("one"), h.source("two"); a != "a.log" || b != "b.log" {
			t.Errorf("sources %s and %s, want a.log and b.log", a, b)
		}
	})
}

func TestSymbolicLinkIsFollowedWhereItLeads(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.append("one.txt", text(lines("old", 3)))
		h.must(os.Symlink("one.txt", h.path("current.log")))
		h.start(".:*.log")
		h.append("one.txt", text(lines("one", 3)))
		h.sees("one row 00002")
		h.append("two.txt", text(lines("two", 2)))
		h.must(os.Symlink("two.txt", h.path("next")))
		h.append("one.txt", text(lines("late", 1)))
		h.rename("next", "current.log")
		h.sees("two row 00001")
		h.append("two.txt", "two more\n")
		h.wants(append(lines("one", 3), lines("late", 1)...), append(lines("two", 2), "two more"))
		if s := h.source("two more"); s != "current.log" {
			t.Errorf("source %s, want the link's name", s)
		}
	})
}

func TestTargetOfALinkMayRotateInAnotherDirectory(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.must(os.MkdirAll(h.path("pods"), 0o755))
		h.must(os.MkdirAll(h.path("links"), 0o755))
		h.append("pods/0.log", "")
		h.must(os.Symlink("../pods/0.log", h.path("links/x.log")))
		h.start("links:*.log")
		h.append("pods/0.log", "one\n")
		h.sees("one")
		h.rename("pods/0.log", "pods/0.log.1")
		h.append("pods/0.log.1", "late\n")
		h.append("pods/0.log", "two\n")
		h.wants([]string{"one", "late", "two"})
	})
}

func TestPipeInTheDirectoryIsNotOpened(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.must(syscall.Mkfifo(h.path("aaa.log"), 0o644))
		h.append("bbb.log", "")
		h.start(".:*.log")
		h.append("bbb.log", "one\n")
		h.append("ccc.log", "two\n")
		h.wants([]string{"one"}, []string{"two"})
		h.lookAtAll()
		if n := strings.Count(h.logged.String(), "not a regular file"); n != 1 {
			t.Errorf("the pipe was reported %d times, want once: %s", n, h.logged.String())
		}
	})
}

func TestWhatIsNoFileIsSaidOnceAndFollowedWhenItBecomesOne(t *testing.T) {
	for kind, make := range map[string]func(path string) error{
		"pipe": func(path string) error { return syscall.Mkfifo(path, 0o644) },
		"socket": func(path string) error {
			fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			if err != nil {
				return err
			}
			defer syscall.Close(fd)
			return syscall.Bind(fd, &syscall.SockaddrUnix{Name: path})
		},
		"device": func(path string) error { return os.Symlink("/dev/zero", path) },
	} {
		for _, target := range []string{"x.log", "x.log::true", ".:*.log"} {
			t.Run(kind+" "+target, func(t *testing.T) {
				scenario(t, func(t *testing.T, h *harness) {
					if dir, err := os.MkdirTemp("", ""); err == nil { // the path of a socket is short
						h.dir = dir
						t.Cleanup(func() { _ = os.RemoveAll(dir) })
					}
					h.must(make(h.path("x.log")))
					h.append("other.log", "")
					h.start(target, "other.log")
					h.append("other.log", "one\n")
					h.sees("one")
					h.lookAtAll()
					if n := strings.Count(h.logged.String(), "not a regular file"); n != 1 {
						t.Errorf("it was reported %d times, want once: %s", n, h.logged.String())
					}
					h.remove("x.log")
					h.append("x.log", "now a file\n")
					h.wants([]string{"one"}, []string{"now a file"})
				})
			})
		}
	}
}

// A volume as the kubelet keeps it: the names lead through one link, which is
// replaced when everything behind it is to change at once.
func TestAVolumeWhoseLinkIsSwappedGoesOnInTheNewDirectory(t *testing.T) {
	for _, target := range []string{".:*.log", "app.log"} {
		scenario(t, func(_ *testing.T, h *harness) {
			for _, dir := range []string{"..one", "..two"} {
				h.must(os.Mkdir(h.path(dir), 0o755))
			}
			h.append("..one/app.log", "old\n")
			h.must(os.Symlink("..one", h.path("..data")))
			h.must(os.Symlink("..data/app.log", h.path("app.log")))
			h.start(target)
			h.append("..one/app.log", "one\n")
			h.sees("one")
			h.append("..two/app.log", "two\n")
			h.must(os.Symlink("..two", h.path("..tmp")))
			h.append("..one/app.log", "late\n")
			h.rename("..tmp", "..data")
			h.sees("two")
			h.append("..two/app.log", "more\n")
			h.wants([]string{"one", "late"}, []string{"two", "more"})
		})
	}
}

func TestUnreadableFileIsReadFromItsBeginningOnceAllowed(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	scenario(t, func(_ *testing.T, h *harness) {
		h.start(".:*.log")
		h.append("x.tmp", text(lines("a", 3)))
		h.must(os.Chmod(h.path("x.tmp"), 0))
		h.rename("x.tmp", "x.log")
		h.until("it is reported", func() bool { return strings.Contains(h.logged.String(), "x.log") })
		h.must(os.Chmod(h.path("x.log"), 0o644))
		h.append("x.log", text(lines("b", 2)))
		h.wants(append(lines("a", 3), lines("b", 2)...))
	})
}

func TestFileUnreadableAtStartKeepsTheEndItHad(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.append("x.log", text(lines("old", 3)))
		h.start(".:*.log")
		// What New leaves behind when it may not open a file.
		n := h.w.names[h.path("x.log")]
		f := n.file
		st, err := statPath(n.path)
		h.must(err)
		h.w.release(f)
		delete(h.w.files, f.id)
		h.w.ready = nil
		n.file, n.present = nil, &st
		h.append("x.log", text(lines("new", 3)))
		h.wants(lines("new", 3))
	})
}

func TestMoreFilesThanDescriptorsLoseNothing(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		names := lines("f", 60)
		for _, n := range names {
			h.append(n+".log", "old\n")
		}
		h.startWith(options(h.watch), settings{descriptors: 16}, ".:*.log")
		all := make([][]string, len(names))
		for _, round := range []string{"a", "b", "c"} {
			for i, n := range names {
				all[i] = append(all[i], round+" "+n)
				h.append(n+".log", all[i][len(all[i])-1]+"\n")
			}
			h.until("the round", func() bool { return len(h.got) == len(slices.Concat(all...)) })
			if n := h.w.open.count; n > 16 {
				t.Errorf("%d files are open, want at most 16", n)
			}
		}
		for i, n := range names { // rotated while not open
			h.append(n+".log", "d "+n+"\n")
			h.rename(n+".log", n+".log.1")
			all[i] = append(all[i], "d "+n)
		}
		h.wants(all...)
	})
}

func TestFilesBeyondTheLimitAreFollowedWhenThereIsRoom(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		o := options(h.watch)
		o.MaxFiles = 2
		h.startWith(o, settings{slow: 50 * time.Millisecond}, ".:*.log")
		h.append("a.log", "a\n")
		h.append("b.log", "b\n")
		h.until("two files", func() bool { return len(h.got) == 2 })
		h.append("c.log", "c\n")
		h.lookAtAll()
		if s := h.w.Stats(); s.Files != 2 || s.Skipped != 1 || h.has("c") {
			t.Errorf("stats %+v, want 2 files and 1 skipped", s)
		}
		h.remove("a.log")
		h.wants([]string{"a"}, []string{"b"}, []string{"c"})
		if n := strings.Count(h.logged.String(), "too many files"); n != 1 {
			t.Errorf("reported %d times, want once", n)
		}
	})
}

func TestLostEventsAreMadeUpFor(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.append("a.log", "")
	h.start(".:*.log")
	h.append("a.log", "a\n")
	h.append("b.log", "b\n")
	for len(h.w.notify.events) > 0 {
		<-h.w.notify.events
	}
	h.w.notify.failed.Store(true)
	h.wants([]string{"a"}, []string{"b"})
	h.w.notify.failed.Store(true)
	h.append("a.log", "c\n")
	h.wants([]string{"a", "c"}, []string{"b"})
	if n := strings.Count(h.logged.String(), "events were lost"); n != 1 {
		t.Errorf("it was said %d times, want once: %s", n, h.logged.String())
	}
}

func TestRunReadsEverythingOnceMoreBeforeItReturns(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.append("a.log", "")
	h.start(".:*.log")
	stop := running(t, h.w)
	h.append("a.log", text(lines("a", 1000))+"no end")
	stop()
	h.collect()
	if m := h.messages(); !slices.Equal(m, lines("a", 1000)) {
		t.Errorf("%d messages, want 1000 whole lines", len(m))
	}
	if h.w.open.count != 0 {
		t.Errorf("%d descriptors are open after Run", h.w.open.count)
	}
}

func TestTargetDirectoryMayBeALinkThatIsPointedElsewhere(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.must(os.MkdirAll(h.path("r1"), 0o755))
		h.must(os.MkdirAll(h.path("r2"), 0o755))
		h.must(os.Symlink("r1", h.path("current")))
		h.append("r1/app.log", "")
		h.append("r2/app.log", "")
		h.start("current:*.log")
		h.append("r1/app.log", "one\n")
		h.sees("one")
		h.must(os.Symlink("r2", h.path("next")))
		h.rename("next", "current")
		h.append("r2/app.log", "two\n")
		h.append("r1/app.log", "late\n")
		h.append("r2/new.log", "three\n")
		h.wants([]string{"one", "late"}, []string{"two"}, []string{"three"})
	})
}

func TestDirectoryRenamedWithAllItsFilesIsNotReadAgain(t *testing.T) {
	scenario(t, func(_ *testing.T, h *harness) {
		h.must(os.Mkdir(h.path("d"), 0o755))
		h.start(".:**/*.log")
		h.append("d/x.log", "one\n")
		h.sees("one")
		h.rename("d", "e")
		h.append("e/x.log", "two\n")
		h.wants([]string{"one", "two"})
	})
}

func TestDirectoryHiddenAtStartHidesNoReplay(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.must(os.Mkdir(h.path("d"), 0o755))
	h.append("d/x.log", text(lines("old", 3)))
	h.start(".:none")
	h.tick(generationGap)
	// What New leaves behind when it may not list a directory.
	h.w.start = time.Now()
	h.w.roots = []root{{path: h.path("d"), pattern: "*.log", rules: h.w.roots[0].rules}}
	h.w.blind = []string{h.path("d")}
	h.lookAtAll()
	h.append("d/x.log", text(lines("new", 2)))
	h.append("d/y.log", "y\n")
	h.wants(lines("new", 2), []string{"y"})
}

// The kernel's watch of a directory goes with it when one above it is renamed.
func TestFilesBelowARenamedTreeAreFollowedByEvents(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "inotify"}
	h.must(os.MkdirAll(h.path("logs/a/sub"), 0o755))
	h.append("logs/a/sub/app.log", "")
	h.start("logs:**/*.log")
	h.append("logs/a/sub/app.log", "one\n")
	h.sees("one")
	h.rename("logs/a", "logs/b")
	h.lookAtAll()
	h.lookAtAll()
	watched := h.w.notify.fs.WatchList()
	for _, dir := range []string{"logs/b", "logs/b/sub"} {
		found := false
		for _, at := range watched {
			found = found || at == h.path(dir)
		}
		if !found {
			t.Errorf("%s is not watched: %v", dir, watched)
		}
	}
	h.append("logs/b/sub/app.log", "two\n")
	h.sees("two")
}
