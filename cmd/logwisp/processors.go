package main

import (
	"os"
	"runtime"
	"time"
)

// Go wakes a thread to look for work whenever a goroutine gets some while a
// processor of Go's is idle, which takes longer than to deliver a line to a client
// or two. So as long as there is little to do, for few, Go has one processor.
const (
	// oneIsEnough is the share of one processor up to which one will do.
	oneIsEnough = 0.85
	// wideFor is how long all processors are kept at least.
	wideFor = time.Second

	lookEvery     = wideFor / 4
	lookIdleEvery = wideFor
	idleShare     = 0.05
)

// processors decides how many Go has.
type processors struct {
	one   bool
	since time.Time     // that it has all, or one
	at    time.Time     // of the last look
	used  time.Duration // processor time by then
}

// look takes in how much processor time was used up to now, and whether producers
// deliver to all clients there are. It reports whether one processor is enough from
// here on, and when to look again.
func (p *processors) look(now time.Time, used time.Duration, few bool) (one bool, again time.Duration) {
	share := float64(used-p.used) / float64(max(now.Sub(p.at), 1))
	p.at, p.used = now, used
	one = few && share < oneIsEnough && (p.one || now.Sub(p.since) >= wideFor)
	if one != p.one {
		p.one, p.since = one, now
	}
	if one && share < idleShare {
		return one, lookIdleEvery
	}
	return one, lookEvery
}

// suitProcessors has Go use as many processors as there is work for, until the
// function it returns is called. GOMAXPROCS, when set, is left to decide.
func suitProcessors(few func() bool) (end func()) {
	used, known := processorTime()
	if !known || os.Getenv("GOMAXPROCS") != "" || runtime.GOMAXPROCS(0) == 1 {
		return func() {}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		defer runtime.SetDefaultGOMAXPROCS() // a stop has much to do
		now := time.Now()
		p := processors{since: now, at: now, used: used}
		timer := time.NewTimer(lookEvery)
		defer timer.Stop()
		for {
			select {
			case <-stop:
				return
			case now = <-timer.C:
			}
			before := p.one
			used, _ := processorTime()
			one, again := p.look(now, used, few())
			switch {
			case one && !before:
				runtime.GOMAXPROCS(1)
			case before && !one:
				runtime.SetDefaultGOMAXPROCS()
			}
			timer.Reset(again)
		}
	}()
	return func() {
		close(stop)
		<-stopped
	}
}
