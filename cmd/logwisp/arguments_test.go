package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func newTestParser(t *testing.T) (*program, *kong.Kong) {
	t.Helper()
	var line program
	parser, err := kong.New(&line, kong.Name("logwisp"), kong.Writers(io.Discard, io.Discard), kong.Vars{"version": "test"}, sizes())
	if err != nil {
		t.Fatal(err)
	}
	return &line, parser
}

func TestTargetsMayStandBetweenFlags(t *testing.T) {
	line, parser := newTestParser(t)
	for _, c := range []struct{ args, want string }{
		{"", "run"},
		{"a b", "run a b"},
		{"a --enable-tcp b", "run --enable-tcp a b"},
		{"a --tcp-port 1 b --tcp-port=2 c", "run --tcp-port 1 --tcp-port=2 a b c"},
		{"a --no-enable-http - b", "run --no-enable-http a - b"},
		{"a --from-start -- --odd.log", "run --from-start a -- --odd.log"},
		{"-- tail", "run -- tail"},
		{"version --help", "version --help"},
		{"--help", "--help"},
		{"a --tcp-port", "run a --tcp-port"},
		{"--enable-tcp check a", "check --enable-tcp a"},
		{"a check", "run a check"},
		{"--origins config --format json show x", "config show --origins --format json x"},
		{"tail URL -n 5 -l warn", "tail -n 5 -l warn URL"},
		{"tail -n5 URL", "tail -n5 URL"},
		{"completion -c bash", "completion -c bash"},
	} {
		if got := arrange(parser.Model.Node, strings.Fields(c.args)); !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%q became %q, want %q", c.args, got, c.want)
		}
	}
	if _, err := parser.Parse(arrange(parser.Model.Node, strings.Fields("a --enable-tcp b --tcp-port 7 c"))); err != nil {
		t.Fatal(err)
	}
	if got := line.Run.Targets; !slices.Equal(got, []string{"a", "b", "c"}) || line.Run.Config.TCP.Port != 7 {
		t.Errorf("targets %q, port %d", got, line.Run.Config.TCP.Port)
	}
}

// arrange relies on it: it does not know the command yet when it meets a flag.
func TestFlagOfAnyNameTakesValueInAllCommandsOrInNone(t *testing.T) {
	_, parser := newTestParser(t)
	alone := map[string]bool{}
	for _, leaf := range append(parser.Model.Leaves(false), parser.Model.Node) {
		for _, f := range leaf.Flags {
			names := []string{"--" + f.Name}
			if f.Short != 0 {
				names = append(names, "-"+string(f.Short))
			}
			for _, name := range names {
				if known, ok := alone[name]; ok && known != f.IsBool() {
					t.Errorf("%s of %s takes a value in one command and none in another", name, leaf.FullPath())
				}
				alone[name] = f.IsBool()
			}
		}
	}
}

func TestEveryCommandWordIsFoundByReflection(t *testing.T) {
	_, parser := newTestParser(t)
	var want []string
	for _, child := range parser.Model.Children {
		want = append(want, child.Name)
	}
	if got := commandWords(); !slices.Equal(got, want) {
		t.Errorf("command words %q, want %q", got, want)
	}
}

func TestWhatWasMeantIsSaid(t *testing.T) {
	_, parser := newTestParser(t)
	root := parser.Model.Node
	tail := childNamed(root, "tail")
	for _, c := range []struct {
		node          *kong.Node
		problem, want string
	}{
		{root, "unknown flag --enalbe-htpt", `unknown flag --enalbe-htpt, did you mean "--enable-http"?`},
		{root, "unknown flag --limit", "unknown flag --limit: it is one of logwisp tail"},
		{root, "unknown flag --limti", "unknown flag --limti, did you mean --limit of logwisp tail?"},
		{tail, `unknown flag --nofollow, did you mean "--follow"?`, `unknown flag --nofollow, did you mean "--no-follow"?`},
		{root, `unknown flag -x, did you mean "-h"?`, "unknown flag -x"},
		{tail, "unknown flag --no-folow", `unknown flag --no-folow, did you mean "--no-follow"?`},
		{tail, `--level must be one of "","warn","info" but got "wran"`, `--level must be one of "","warn","info" but got "wran", did you mean "warn"?`},
		{tail, "something else", "something else"},
	} {
		if got := meant(root, c.node, c.problem); got != c.want {
			t.Errorf("%s became %s, want %s", c.problem, got, c.want)
		}
	}
}
