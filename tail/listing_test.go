package tail

import (
	"os"
	"testing"
	"time"
)

func TestADirectoryThatWasMovedAwayAndBackIsListedAgain(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.put("logs/a.log", "")
		long := time.Now().Add(-time.Hour)
		h.must(os.Chtimes(h.path("logs"), long, long))
		h.startWith(options(h.watch), settings{slow: time.Minute}, "logs:*.log")
		h.put("logs/a.log", "one\n")
		h.sees("one")
		h.rename("logs", "away")
		h.until("forgotten", func() bool { return h.w.names[h.path("logs/a.log")] == nil })
		h.until("closed", func() bool { return h.w.Stats().Files == 0 && h.w.Stats().Open == 0 })
		h.rename("away", "logs")
		h.put("logs/a.log", "two\n")
		h.wants([]string{"one", "two"})
	})
}

func TestADirectoryWhoseTimeWasSetBackIsListedAgain(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "poll"}
	h.put("logs/a.log", "")
	long := time.Now().Add(-time.Hour)
	h.must(os.Chtimes(h.path("logs"), long, long))
	h.startWith(options(h.watch), settings{}, "logs:*.log")
	h.put("logs/b.log", "one\n")
	h.must(os.Chtimes(h.path("logs"), long, long)) // as an unpacked archive or a copy does
	h.w.scan()
	h.sees("one")
}

func TestADirectoryDatedInWholeSecondsIsListedUntilTheSecondIsOver(t *testing.T) {
	at := int64(1_000_000 * time.Second)
	st := status{mtime: at, ctime: at}
	for after, want := range map[time.Duration]bool{time.Second: false, 3 * time.Second: true} {
		if l := (listing{of: st, at: at + int64(after)}); l.holds(st) != want {
			t.Errorf("%v after a change in whole seconds: holds is %v", after, !want)
		}
	}
}
