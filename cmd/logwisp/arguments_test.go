package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestTargetsMayStandBetweenFlags(t *testing.T) {
	var line commandLine
	parser, err := kong.New(&line, sizes())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"a b", "a b"},
		{"a --enable-tcp b", "--enable-tcp a b"},
		{"a --tcp-port 1 b --tcp-port=2 c", "--tcp-port 1 --tcp-port=2 a b c"},
		{"a --no-enable-http - b", "--no-enable-http a - b"},
		{"a --from-start -- --odd.log", "--from-start a -- --odd.log"},
		{"version --help", "--help version"},
		{"a --tcp-port", "--tcp-port a"},
	} {
		if got := flagsFirst(parser.Model.Flags, strings.Fields(c.args)); !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%q became %q, want %q", c.args, got, c.want)
		}
	}
	if _, err := parser.Parse(flagsFirst(parser.Model.Flags, strings.Fields("a --enable-tcp b --tcp-port 7 c"))); err != nil {
		t.Fatal(err)
	}
	if got := line.Run.Targets; !slices.Equal(got, []string{"a", "b", "c"}) || line.Config.TCP.Port != 7 {
		t.Errorf("targets %q, port %d", got, line.Config.TCP.Port)
	}
}
