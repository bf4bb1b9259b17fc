package bench

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"logwisp/ring"
)

// entryLine is an entry of 200 bytes.
var entryLine = append(bytes.Repeat([]byte{'x'}, 199), '\n')

// ringOptions are the daemon's defaults.
var ringOptions = ring.Options{Entries: 1 << 16, Bytes: 64 << 20}

// pageSizes are the numbers of lines in a page; 0 means as many as fit.
var pageSizes = []int{1, 16, 0}

func pageName(lines int) string {
	if lines == 0 {
		return "page=64KiB"
	}
	return fmt.Sprintf("page=%d", lines)
}

// collect adds one line to the page under construction, which is published
// when it has perPage lines or is full.
func collect(build *ring.Builder, perPage int) {
	build.Add(append(build.Text(), entryLine...), 1, ring.LevelInfo)
	if build.Len() == perPage || build.Full() {
		build.Publish()
	}
}

func BenchmarkPublish(b *testing.B) {
	for _, readers := range []int{0, 1, 10, 100, 1000} {
		var channel, slot, copied float64
		b.Run(fmt.Sprintf("readers=%d/channels", readers), func(b *testing.B) {
			s := openChannels(readers)
			channel = publishing(b, readers, s.stop, func() {
				s.publish(bytes.Clone(entryLine)) // the clients keep it
			})
		})
		b.Run(fmt.Sprintf("readers=%d/slots", readers), func(b *testing.B) {
			s := followSlots(readers)
			slot = publishing(b, readers, s.stop, func() { s.ring.publish(entryLine) })
		})
		b.Run(fmt.Sprintf("readers=%d/copy", readers), func(b *testing.B) {
			c := newCircle()
			copied = publishing(b, 0, func() heard { return heard{} }, func() { c.publish(entryLine) })
		})
		for _, lines := range pageSizes {
			b.Run(fmt.Sprintf("readers=%d/ring/%s", readers, pageName(lines)), func(b *testing.B) {
				r := ring.New(ringOptions)
				s := follow(r, readers, false)
				build := r.NewBuilder()
				own := publishing(b, readers, s.stop, func() { collect(build, lines) })
				times(b, channel, own, "x-channels")
				times(b, slot, own, "x-slots")
				times(b, copied, own, "x-copy")
			})
		}
	}
}

// publishing runs publish for one line after the other, flat out, and reports
// its cost. It returns the processor time of the publishing thread for one
// line, in nanoseconds: the clock also counts what the readers take away.
func publishing(b *testing.B, readers int, stop func() heard, publish func()) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b.SetBytes(int64(len(entryLine)))
	m := startMeter(b)
	for b.Loop() {
		publish()
	}
	c := m.stop(b)
	n := uint64(b.N)
	sum := stop()

	perLine(b, 1)
	per(b, c.thread, n, "cpu-ns/line")
	rate(b, n, b.Elapsed(), "lines/s")
	b.ReportMetric(float64(c.allocs)/float64(n), "allocs/line")
	reportDropped(b, sum, readers)
	return float64(c.thread.Nanoseconds()) / float64(n)
}

// reportDropped reports the share of lines that readers did not get.
func reportDropped(b *testing.B, sum heard, readers int) {
	if all := sum.delivered + sum.dropped; readers > 0 && all > 0 {
		b.ReportMetric(100*float64(sum.dropped)/float64(all), "%dropped")
	}
}
