package freeport

import (
	"net"
	"strconv"
	"testing"
)

func TestPortsAreDifferentAndNotOfThoseTheKernelGivesAway(t *testing.T) {
	seen := map[string]bool{}
	for range 20 {
		ports, err := Some(5)
		if err != nil {
			t.Fatal(err)
		}
		for _, port := range ports {
			if n, err := strconv.Atoi(port); seen[port] || err != nil || n < lowest || n >= ephemeral() {
				t.Fatalf("%s is given, of %d to %d; again: %v", port, lowest, ephemeral()-1, seen[port])
			}
			seen[port] = true
			ln, err := net.Listen("tcp", "127.0.0.1:"+port)
			if err != nil {
				t.Fatalf("port %s is not free: %v", port, err)
			}
			defer ln.Close()
		}
	}
	if len(seen) != 100 {
		t.Fatalf("%d ports, want 100", len(seen))
	}
}
