package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/alecthomas/kong"
	mangokong "github.com/alecthomas/mango-kong"
	"github.com/muesli/roff"
)

// manCommand prints the manual page, for packages.
type manCommand struct{}

func (c *manCommand) Run(ctx *kong.Context, std *stdio) error {
	// The daemon is the command when none is named, so its flags are shown as the
	// program's own; commands that take them too do not show them again.
	daemon := ctx.Model.DefaultCmd.Flags
	model := *ctx.Model
	model.Node = without(daemon, model.Node)
	model.Flags = append(model.Flags, daemon...)
	page := mangokong.NewManPage(1, &model).
		WithSection("Exit status", "0: clean stop. 1: failure while running. 2: bad command line. 69: cannot bind, cannot reach. "+
			"75: tail --fail-on-drop saw a loss. 77: refused by the server. 78: bad configuration. 130: tail was interrupted.").
		WithSection("Files", "The configuration is the first of $XDG_CONFIG_HOME/logwisp.toml, $XDG_CONFIG_HOME/logwisp/logwisp.toml and "+
			"/etc/logwisp/logwisp.toml; logwisp config init prints one with every key. The checkpoint auto is checkpoint.json in "+
			"$STATE_DIRECTORY, else in $XDG_STATE_HOME/logwisp.").
		WithSection("See also", "systemd.service(5), journalctl(1), tail(1), nc(1), curl(1); /usr/share/doc/logwisp/README.md")
	_, err := fmt.Fprint(std.out, page.Build(&manual{roff.NewDocument()}))
	return err
}

// without returns a copy of a command and those below it that lacks flags.
func without(flags []*kong.Flag, node *kong.Node) *kong.Node {
	rest := *node
	rest.Flags, rest.Children = nil, nil
	for _, f := range node.Flags {
		if !slices.ContainsFunc(flags, func(other *kong.Flag) bool { return other.Name == f.Name }) {
			rest.Flags = append(rest.Flags, f)
		}
	}
	for _, child := range node.Children {
		rest.Children = append(rest.Children, without(flags, child))
	}
	return &rest
}

// manual is a document with the date of the sources, so that the same sources
// make the same page.
type manual struct{ *roff.Document }

func (m *manual) Heading(section uint, title, _ string, date time.Time) {
	if epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		date = time.Unix(epoch, 0).UTC()
	}
	m.Document.Heading(section, title, "LogWisp", date)
}
