//go:build race

package filter_test

// raceEnabled: the race detector drops pooled memory, so regexp allocates.
const raceEnabled = true
