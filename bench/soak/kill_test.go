package main

import (
	"io"
	"strings"
	"testing"
)

// The daemon itself is killed twenty times in either mode that kills; scripts/soak
// does so for longer.
func TestTwentyKillsLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	bin := builtDaemon(t)
	for _, mode := range []string{"kill", "guarantee"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			o, err := parseOptions([]string{"-bin", bin, "-mode", mode, "-kills", "20", "-uptime", "500ms", "-rate", "5000", "-every", "300ms"}, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			rep, err := run(t.Context(), o, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			if err := rep.write(&text); err != nil {
				t.Fatal(err)
			}
			t.Log(text.String())
			if len(rep.broken) > 0 || rep.kills != 20 || rep.counts.lines == 0 {
				t.Errorf("%d kills: %q", rep.kills, rep.broken)
			}
		})
	}
}
