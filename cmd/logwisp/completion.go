package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	posener "github.com/posener/complete"
)

// completionCommand is the library's. Its code for zsh needs the shell's own
// completion, which is off where nothing in .zshrc has turned it on.
type completionCommand struct{ kongcompletion.Completion }

func (c *completionCommand) Run(ctx *kong.Context) error {
	if c.Code && c.Shell == "zsh" {
		fmt.Fprintln(ctx.Stdout, "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }")
	}
	return c.Completion.Run(ctx)
}

// complete answers a shell that asks what a word may become: such a shell sets
// COMP_LINE and runs the program. The parser's Exit is called then. Without
// COMP_LINE it does nothing.
func complete(parser *kong.Kong) error {
	if os.Getenv("COMP_LINE") == "" {
		return nil
	}
	commands, err := kongcompletion.Command(parser)
	if err != nil {
		return fmt.Errorf("complete the command line: %w", err)
	}
	fillIn(parser.Model.Node, &commands)
	// The program's own flags are those of run, but not those of its commands.
	commands.Flags = commands.Sub["run"].GlobalFlags
	commands.Args = posener.PredictFiles("*")
	answer := posener.New(parser.Model.Name, commands)
	answer.Out = parser.Stdout
	if answer.Complete() {
		parser.Exit(exitOK)
	}
	return nil
}

// fillIn adds to the completions of a command what the library leaves out:
// negated flags, and files as targets and as the values of flags.
func fillIn(node *kong.Node, command *posener.Command) {
	for _, f := range node.Flags {
		switch name := "--" + f.Name; {
		case f.Tag.Negatable == negatedByPrefix:
			command.GlobalFlags["--no-"+f.Name] = posener.PredictNothing
		case f.PlaceHolder == "FILE":
			command.GlobalFlags[name] = posener.PredictFiles("*")
		case strings.HasSuffix(f.PlaceHolder, "|FILE"):
			words := strings.Split(strings.TrimSuffix(f.PlaceHolder, "|FILE"), "|")
			command.GlobalFlags[name] = posener.PredictOr(posener.PredictSet(words...), posener.PredictFiles("*"))
		}
	}
	for _, p := range node.Positional {
		if p.Name == "target" {
			command.Args = posener.PredictFiles("*")
		}
	}
	for _, child := range node.Children {
		if sub, ok := command.Sub[child.Name]; ok {
			fillIn(child, &sub)
			command.Sub[child.Name] = sub
		}
	}
}
