package netio

import (
	"sync/atomic"
	"time"
)

// LatencyBounds are the upper bounds of the buckets of a Latency; one more has
// what is beyond. They never change.
var LatencyBounds = [...]time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// Latency says how many writes took how long after the newest entry in them was
// read. What was published before its subscriber's stream began is not in it:
// that is as old as the subscriber wanted it.
type Latency struct {
	Counts [len(LatencyBounds) + 1]uint64 // of each bucket by itself
	Sum    time.Duration
}

// histogram is a Latency under way. One loop writes it, so that counting costs
// no more than two instructions on memory of its own.
type histogram struct {
	counts [len(LatencyBounds) + 1]atomic.Uint64
	sum    atomic.Int64 // nanoseconds
	_      [64]byte     // that of another loop may be next
}

func (h *histogram) observe(d time.Duration) {
	d = max(d, 0) // the clock may have been set back
	i := 0
	for i < len(LatencyBounds) && d > LatencyBounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

func (h *histogram) addTo(l *Latency) {
	for i := range h.counts {
		l.Counts[i] += h.counts[i].Load()
	}
	l.Sum += time.Duration(h.sum.Load())
}

// latencyOf returns the loop's own histogram for the subscribers of t.
func (l *loop) latencyOf(t *Transport) *histogram {
	h := l.latencies[t]
	if h == nil {
		h = new(histogram)
		if l.latencies == nil {
			l.latencies = make(map[*Transport]*histogram)
		}
		l.latencies[t] = h
		t.mu.Lock()
		defer t.mu.Unlock()
		t.latencies = append(t.latencies, h)
	}
	return h
}

// timeWrite counts how long the newest entry that a write has finished was on
// its way since its page was published; stamp is that page's, 0 when the write
// has finished none.
func (s *Subscriber) timeWrite(stamp int64) {
	if stamp > s.since {
		s.latency.observe(time.Duration(time.Now().UnixNano() - stamp))
	}
}

// Stalled returns for how long the event loop that was at work longest ago has
// not been. All of them are once a second, so that more than some seconds mean
// that something is wrong.
func (e *Engine) Stalled() time.Duration {
	now, longest := time.Since(e.started), time.Duration(0)
	for _, l := range e.loops {
		longest = max(longest, now-time.Duration(l.ticked.Load()))
	}
	return longest
}
