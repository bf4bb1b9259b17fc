//go:build race

package ring_test

// The model runs in one goroutine: the race detector has nothing to find in it
// and makes the large configurations take minutes.
func init() { modelSmall = true }
