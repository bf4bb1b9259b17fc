package main

import (
	"fmt"
	"slices"
	"time"
)

// turnSettle is how long nothing is counted after those that never read have come
// or gone: their sockets fill up meanwhile.
const turnSettle = 200 * time.Millisecond

// turns is what the clients received while those that never read were there, and
// while they were not: the medians of all turns.
type turns struct {
	With    float64 `json:"delivered_per_second_with"`
	Without float64 `json:"delivered_per_second_without"`
	Count   int     `json:"turns"` // of both together
}

// takeTurns has those that never read come and go until done: without, with, with,
// without, so that a machine that slows down slows both alike.
func (b *bench) takeTurns(done <-chan struct{}) error {
	var rates [2][]float64
	for i := 0; ; i++ {
		with := i%4 == 1 || i%4 == 2
		switch {
		case !with:
			b.closeDeaf()
		case len(b.deaf) == 0:
			if err := b.connectDeaf(); err != nil {
				return fmt.Errorf("client that never reads: %w", err)
			}
		}
		if !waited(done, turnSettle) {
			return nil
		}
		began, before := time.Now(), b.board.delivered.Load()
		if !waited(done, b.o.turn) {
			return nil
		}
		kind := 0
		if with {
			kind = 1
		}
		rates[kind] = append(rates[kind], perSecond(b.board.delivered.Load()-before, time.Since(began).Seconds()))
		if i%4 == 3 { // as many of each
			b.turns = &turns{With: median(rates[1]), Without: median(rates[0]), Count: i + 1}
		}
	}
}

func median(of []float64) float64 {
	s := slices.Sorted(slices.Values(of))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// waited reports whether d is over before done.
func waited(done <-chan struct{}, d time.Duration) bool {
	select {
	case <-done:
		return false
	case <-time.After(d):
		return true
	}
}
