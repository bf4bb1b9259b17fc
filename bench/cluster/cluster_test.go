package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The real binary, a real server. scripts/cluster does it with three of them and
// for longer.
func TestNothingIsLostOrRepeatedWhenAPartOfEachKindIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	dir := t.TempDir()
	o := &options{
		bin: filepath.Join(dir, "logwisp"), server: filepath.Join(dir, "nats-server"),
		servers: 1, rate: 2000, duration: 5 * time.Second, maxBytes: 1 << 28,
	}
	for _, build := range [][]string{
		{"build", "-o", o.bin, "./cmd/logwisp"},
		{"build", "-modfile=scripts/peers.mod", "-o", o.server, "github.com/nats-io/nats-server/v2"},
	} {
		cmd := exec.Command("go", build...)
		cmd.Dir = "../.."
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", cmd.Args, err, text)
		}
	}
	if err := runKill(context.Background(), o, 0, t.TempDir()); err != nil {
		t.Fatal(err)
	}
}
