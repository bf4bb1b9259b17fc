//go:build race

package record

// raceEnabled: the race detector makes sonic allocate.
const raceEnabled = true
