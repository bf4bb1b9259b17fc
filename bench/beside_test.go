package bench

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"logwisp/ring"
)

// turnLines are published to one ring, then to the other.
const turnLines = 16 << 10

// BenchmarkPublishBeside publishes lines to a ring with readers and as many to
// one without, in turn within every operation: both have the same machine, and
// of-alone, the quotient of what they cost, is repeatable where those of runs
// one after the other are not. Pages are as full as under load.
func BenchmarkPublishBeside(b *testing.B) {
	for _, readers := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("readers=%d/ring", readers), func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			with, alone := ring.New(ringOptions), ring.New(ringOptions)
			s := follow(with, readers, false)
			builders := [2]*ring.Builder{with.NewBuilder(), alone.NewBuilder()}
			var spent [2]time.Duration
			publish := func(i, lines int) {
				s.rest() // their readers must not be busy while the other ring is measured
				begin := processorTime(b, unix.CLOCK_THREAD_CPUTIME_ID)
				for range lines {
					collect(builders[i], 0)
				}
				spent[i] += processorTime(b, unix.CLOCK_THREAD_CPUTIME_ID) - begin
			}
			// Round the ring twice: its memory is all there and in use.
			warm := 2 * int(ringOptions.Bytes) / len(entryLine)
			publish(0, warm)
			publish(1, warm)
			clear(spent[:])
			for n := 0; b.Loop(); n++ {
				publish(n%2, turnLines)
				publish(1-n%2, turnLines)
			}
			reportDropped(b, s.stop(), readers)
			lines := uint64(b.N) * turnLines
			b.ReportMetric(0, "ns/op")
			per(b, spent[0], lines, "cpu-ns/line")
			per(b, spent[1], lines, "alone-cpu-ns/line")
			b.ReportMetric(float64(spent[0])/float64(spent[1]), "of-alone")
		})
	}
}
