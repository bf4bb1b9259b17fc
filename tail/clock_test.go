package tail

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// The clock is set after the last look at the log, and then the log is rotated
// several times before the next: only the dates of the files tell what came
// between.
func TestAClockThatIsSetHidesNoGeneration(t *testing.T) {
	for name, was := range map[string]time.Duration{"back": time.Hour, "forward": -time.Hour, "not at all": 0} {
		t.Run(name, func(t *testing.T) {
			burst(t, func(_ *testing.T, h *harness) {
				h.w.clock.zero += int64(was) // what it has shown until now
				var all [][]string
				for i := range 5 {
					g := lines(fmt.Sprintf("g%02d", i), 20)
					h.append("app.log", text(g))
					h.tick(burstPause)
					if i < 4 {
						h.rename("app.log", fmt.Sprintf("app.log.%02d", i))
					}
					all = append(all, g)
				}
				h.sees(all[4][19])
				h.wantsGenerations(all)
			})
		})
	}
}

// A directory that could not be looked at when the daemon started has a file that
// is younger, but by a clock that was set back since, older.
func TestAFileIsNoneOfTheStartBecauseTheClockWasSetBack(t *testing.T) {
	h := &harness{t: t, dir: t.TempDir(), watch: "poll"}
	h.start(".:none")
	h.tick(generationGap)
	h.must(os.Mkdir(h.path("d"), 0o755))
	h.append("d/y.log", "y\n")
	h.w.clock.zero += int64(time.Hour)
	h.w.roots = []root{{path: h.path("d"), pattern: "*.log", rules: h.w.roots[0].rules}}
	h.w.blind = []string{h.path("d")}
	h.lookAtAll()
	h.wants([]string{"y"})
}

func TestDatesAreTheLeastOfWhatTheClockHasShown(t *testing.T) {
	zero := time.Unix(1_000_000, 0)
	c := clock{zero: zero.UnixNano()}
	at := func(seconds int, shows time.Duration) time.Duration {
		return c.tell(time.Duration(seconds)*time.Second, zero.Add(shows))
	}
	date := func(seconds int) time.Duration {
		return time.Unix(0, c.date(time.Duration(seconds)*time.Second)).Sub(zero)
	}
	if by := at(10, 10*time.Second+100*time.Millisecond); by != 0 || date(5) != 5100*time.Millisecond {
		t.Errorf("a clock that drifts was set by %v, and 5 s was %v", by, date(5))
	}
	if by := at(20, time.Hour); by != time.Hour-20100*time.Millisecond {
		t.Errorf("a clock that was set forward was set by %v", by)
	}
	if before, after := date(15), date(20); before != 15100*time.Millisecond || after != time.Hour {
		t.Errorf("set forward at 20 s: 15 s was %v, 20 s is %v", before, after)
	}
	if by := at(30, 30*time.Second); by != 20*time.Second-time.Hour || date(25) != 25*time.Second || date(30) != 30*time.Second {
		t.Errorf("set back at 30 s by %v: 25 s was %v, 30 s is %v", by, date(25), date(30))
	}
}

func TestAClockThatWasSetBackBetweenTwoRunsIsWarnedAbout(t *testing.T) {
	for _, ahead := range []time.Duration{0, time.Hour} {
		h := &harness{t: t, dir: t.TempDir(), watch: "poll"}
		h.restart("app.log")
		h.append("app.log", "one\n")
		h.sees("one")
		h.stop()
		h.opens()
		h.checkpoint.before.written += int64(ahead)
		h.start("app.log")
		if warned := strings.Contains(h.logged.String(), "the clock was set back"); warned != (ahead > 0) {
			t.Errorf("written %v ahead, the log has %s", ahead, h.logged.String())
		}
		h.append("app.log", "two\n")
		h.wants([]string{"one", "two"})
	}
}
