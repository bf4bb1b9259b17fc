package main

import (
	"io"
	"strings"
	"testing"
)

func TestEveryLineOfRandomBytesBecomesAnEntry(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the daemon")
	}
	bin := builtDaemon(t)
	o, err := parseOptions([]string{"-bin", bin, "-mode", "noise", "-megabytes", "4"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	if good, err := runNoise(t.Context(), o, &said); !good || err != nil {
		t.Errorf("%v: %s", err, said.String())
	}
}

func TestWhatIsWrongWithNoiseIsTold(t *testing.T) {
	good := noise{lines: 10, entries: 10}
	if wrong := good.wrong(); len(wrong) > 0 {
		t.Errorf("%q", wrong)
	}
	for name, bad := range map[string]noise{
		"a line is missing": {lines: 10, entries: 9}, "an entry is none": {lines: 10, entries: 10, strange: 1},
		"dropped": {lines: 10, entries: 10, dropped: 1}, "memory": {lines: 10, entries: 10, peak: 1 << 30},
	} {
		if len(bad.wrong()) != 1 {
			t.Errorf("%s: %q", name, bad.wrong())
		}
	}
}
