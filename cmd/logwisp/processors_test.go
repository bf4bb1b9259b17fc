package main

import (
	"testing"
	"time"
)

// TestOneProcessorIsForLittleWork has seconds of different load follow each other.
func TestOneProcessorIsForLittleWork(t *testing.T) {
	start := time.Unix(0, 0)
	p := processors{since: start, at: start}
	used, at := time.Duration(0), time.Duration(0)
	for i, step := range []struct {
		after time.Duration
		share float64 // of a processor, meanwhile
		few   bool
		one   bool
		again time.Duration
	}{
		{wideFor / 2, 0.5, true, false, lookEvery},    // it may be about to be loaded
		{wideFor / 2, 0.5, true, true, lookEvery},     //
		{lookEvery, 0.8, true, true, lookEvery},       //
		{lookEvery, 0.01, true, true, lookIdleEvery},  //
		{lookEvery, 0.9, true, false, lookEvery},      // a load
		{lookEvery, 0.1, true, false, lookEvery},      // is not taken for over at once
		{wideFor, 0.1, true, true, lookEvery},         //
		{lookEvery, 0.1, false, false, lookEvery},     // many clients
		{2 * wideFor, 0.1, false, false, lookEvery},   // are not served by producers
		{lookEvery, 1.9, true, false, lookEvery},      // few, who take all they can get
		{lookEvery, 0.84, true, true, lookEvery},      //
		{lookEvery, 1.5, true, false, lookEvery},      //
		{wideFor - 1, 0.01, true, false, lookEvery},   // just too early
		{2, 0.01, true, true, lookIdleEvery},          //
		{time.Hour, 0.001, true, true, lookIdleEvery}, // nothing to do
	} {
		at += step.after
		used += time.Duration(step.share * float64(step.after))
		one, again := p.look(start.Add(at), used, step.few)
		if one != step.one || again != step.again {
			t.Errorf("step %d: one processor %v, look again after %s; want %v, %s", i, one, again, step.one, step.again)
		}
	}
}
