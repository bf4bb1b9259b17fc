package ring_test

import (
	"fmt"
	"runtime"
	"testing"

	"logwisp/ring"
)

// Every step gives way to somebody else, on one, two and more processors than
// there are: the windows between the steps are as wide as the scheduler makes
// them.
func TestAccountsHoldWhenEveryStepGivesWay(t *testing.T) {
	lines := 12_000
	if testing.Short() {
		lines = 800
	}
	for _, procs := range []int{1, 2, 8} {
		for _, o := range []ring.Options{
			{Entries: 2, Bytes: 1},
			{Entries: 2, Bytes: 1 << 30},
			{Entries: 8, Bytes: 2000},
			{Entries: 64, Bytes: 1 << 30},
			{Entries: 2, Bytes: 1, Recycle: true},
			{Entries: 8, Bytes: 2000, Recycle: true},
			{Entries: 64, Bytes: 1 << 30, Recycle: true},
		} {
			t.Run(fmt.Sprintf("%d processors, %d slots, %d bytes, used again %v", procs, o.Entries, o.Bytes, o.Recycle), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				l := load{o: o, producers: 4, readers: 4, slow: 2, lines: lines / 4, batch: 3, size: 40, yield: runtime.Gosched}
				l.run(t)
			})
		}
	}
}
