package bench

import (
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"logwisp/netio/netiotest"
)

func TestMain(m *testing.M) {
	// The last HTTP server's cleaner sees only when it next wakes, within a
	// second, that it has been closed.
	cleaner := goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2")
	goleak.VerifyTestMain(m, append(netiotest.IgnoreLibraries(), cleaner)...)
}

// meter measures what a stretch of a benchmark costs. Benchmarks whose readers
// go on after the last iteration need a clock of their own: the built-in one
// stops there.
type meter struct {
	wall    time.Time
	thread  time.Duration
	process time.Duration
	allocs  uint64
}

// cost is what a meter has counted.
type cost struct {
	wall    time.Duration
	thread  time.Duration // processor time of the calling thread
	process time.Duration // processor time of the process
	allocs  uint64        // heap objects allocated by the process
}

// startMeter begins to measure. For cost.thread to mean anything the caller
// must be locked to its thread until stop.
func startMeter(b *testing.B) meter {
	b.Helper()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return meter{
		allocs:  m.Mallocs,
		thread:  processorTime(b, unix.CLOCK_THREAD_CPUTIME_ID),
		process: processorTime(b, unix.CLOCK_PROCESS_CPUTIME_ID),
		wall:    time.Now(),
	}
}

func (m meter) stop(b *testing.B) cost {
	b.Helper()
	c := cost{
		wall:    time.Since(m.wall),
		thread:  processorTime(b, unix.CLOCK_THREAD_CPUTIME_ID) - m.thread,
		process: processorTime(b, unix.CLOCK_PROCESS_CPUTIME_ID) - m.process,
	}
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	c.allocs = now.Mallocs - m.allocs
	return c
}

func processorTime(b *testing.B, clock int32) time.Duration {
	b.Helper()
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		b.Fatalf("read processor clock %d: %v", clock, err)
	}
	return time.Duration(t.Nano())
}

// per reports a duration spread over n things.
func per(b *testing.B, d time.Duration, n uint64, unit string) {
	b.ReportMetric(float64(d.Nanoseconds())/float64(n), unit)
}

// rate reports n things as so many a second.
func rate(b *testing.B, n uint64, d time.Duration, unit string) {
	b.ReportMetric(float64(n)/d.Seconds(), unit)
}

// times reports how many times better than its baseline something is. Both are
// costs. Without a baseline it reports nothing.
func times(b *testing.B, baseline, own float64, unit string) {
	if baseline > 0 && own > 0 {
		b.ReportMetric(baseline/own, unit)
	}
}

// perLine replaces ns/op, where an operation is n lines, by ns/line. It returns
// what it reports.
func perLine(b *testing.B, n int) float64 {
	ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N*n)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ns, "ns/line")
	return ns
}

// oneLine reports lines and bytes where an operation handles one line of size
// bytes. It returns ns/line.
func oneLine(b *testing.B, size int) float64 {
	b.SetBytes(int64(size))
	rate(b, uint64(b.N), b.Elapsed(), "lines/s")
	return perLine(b, 1)
}
