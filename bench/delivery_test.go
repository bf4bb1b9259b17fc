package bench

import (
	"bytes"
	"fmt"
	"testing"

	"logwisp/ring"
)

// The readers of a ring are given spans, whole pages that they do not look
// into; "copy" makes each of them copy the page as well, which stands for the
// write to its socket. The receivers of the channels do nothing with a line.
func BenchmarkDelivery(b *testing.B) {
	for _, readers := range []int{1, 10, 100, 1000} {
		var baseline float64
		b.Run(fmt.Sprintf("readers=%d/channels", readers), func(b *testing.B) {
			s := openChannels(readers)
			baseline = delivering(b, readers, s.stop, func() {
				s.publish(bytes.Clone(entryLine))
			})
		})
		for _, read := range []string{"span", "copy"} {
			b.Run(fmt.Sprintf("readers=%d/ring/read=%s", readers, read), func(b *testing.B) {
				r := ring.New(ringOptions)
				s := follow(r, readers, read == "copy")
				build := r.NewBuilder()
				stop := func() heard {
					build.Publish()
					return s.stop()
				}
				own := delivering(b, readers, stop, func() { collect(build, 0) })
				times(b, baseline, own, "x-channels")
			})
		}
	}
}

// delivering publishes line after line, flat out, and reports what reaches the
// readers until all of them are done. It returns the time of one delivery in
// nanoseconds.
func delivering(b *testing.B, readers int, stop func() heard, publish func()) float64 {
	m := startMeter(b)
	for b.Loop() {
		publish()
	}
	sum := stop()
	c := m.stop(b)
	if want := uint64(b.N) * uint64(readers); sum.delivered+sum.dropped != want {
		b.Fatalf("%d lines delivered and %d dropped, want %d in all", sum.delivered, sum.dropped, want)
	}
	b.ReportMetric(0, "ns/op")
	rate(b, sum.delivered, c.wall, "deliveries/s")
	per(b, c.process, sum.delivered, "cpu-ns/delivery")
	reportDropped(b, sum, readers)
	return float64(c.wall.Nanoseconds()) / float64(sum.delivered)
}
