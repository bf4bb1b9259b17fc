package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

const (
	// garbageAllowance is how much may lie around before it is collected when the
	// ring is full, whatever its size, and leastAllowance before that: as a share of
	// what little there is it would be collected all the time.
	garbageAllowance = 24 << 20
	leastAllowance   = 8 << 20

	leastPercent, mostPercent = 10, 400
)

// garbage suits the garbage collector to a heap that is mostly one ring of known
// size, and what is beside it. GOGC and GOMEMLIMIT, when set, are left to decide.
type garbage struct {
	planned float64 // bytes that live when the ring is full
	most    float64 // that live, as far as the limit goes
	percent int
	ended   atomic.Bool
}

func left() bool { return os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" }

// begin is for the start, which makes much garbage of little.
func (c *garbage) begin() {
	if left() {
		debug.SetGCPercent(mostPercent)
	}
}

// suit says how large the ring is, and what is beside it. From here on to end the
// share that may be garbage follows what lives.
func (c *garbage) suit(ringBytes, beside uint64) {
	if !left() {
		return
	}
	c.planned = float64(ringBytes)*1.25 + float64(beside) // the views have a quarter of it
	c.follow()
}

// follow sets the share, and does so again after the next collection: the runtime
// has the finalizer of what nobody refers to called then.
func (c *garbage) follow() {
	if c.ended.Load() {
		return
	}
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	live := float64(sample[0].Value.Uint64())
	// What is more than was planned, as of many clients with a rest each, is no garbage:
	// to collect all the time would not give it back.
	if most := max(c.planned, live); most > c.most+garbageAllowance/2 || most < 0.9*c.most {
		c.most = most
		debug.SetMemoryLimit(int64(most) + 2*garbageAllowance)
	}
	if percent := c.percentOf(live); math.Abs(float64(percent-c.percent)) > 0.1*float64(c.percent) {
		c.percent = percent
		debug.SetGCPercent(percent) // it stops the world: not for little
	}
	runtime.SetFinalizer(&struct{ c *garbage }{c}, func(sign *struct{ c *garbage }) { sign.c.follow() })
}

// percentOf returns the share for so many bytes that live.
func (c *garbage) percentOf(live float64) int {
	live = max(live, 1)
	allowance := max(leastAllowance, garbageAllowance*min(live/c.planned, 1))
	return int(min(max(100*allowance/live, leastPercent), mostPercent))
}

// end leaves things as they are.
func (c *garbage) end() { c.ended.Store(true) }
