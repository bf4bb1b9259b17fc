package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// program is the command line: every command, with its flags and arguments. A
// command is a struct with a Run method, which may ask for the *kong.Context
// and the stdio. A refusal that Run returns says the exit code.
type program struct {
	Run         runCommand         `cmd:"" default:"withargs" help:"Follow files and serve their lines (the default command)." group:"Daemon:"`
	Check       checkCommand       `cmd:"" help:"Say everything that is wrong with the configuration, and start nothing." group:"Daemon:"`
	Config      configCommands     `cmd:"" group:"Daemon:"`
	Tail        tailCommand        `cmd:"" help:"Print the entries of a running LogWisp as they come." group:"Clients of a running LogWisp:"`
	Status      statusCommand      `cmd:"" help:"Print the state of a running LogWisp." group:"Clients of a running LogWisp:"`
	Clients     clientsCommand     `cmd:"" help:"Print who reads from a running LogWisp, and how far behind." group:"Clients of a running LogWisp:"`
	Healthcheck healthcheckCommand `cmd:"" help:"Exit with 0 when a running LogWisp is ready, with 1 when it is not." group:"Clients of a running LogWisp:"`
	Token       tokenCommands      `cmd:"" help:"Make tokens." group:"Other:"`
	Completion  completionCommand  `cmd:"" help:"Print how to turn on completion; with -c, the code that does it." group:"Other:"`
	Version     versionCommand     `cmd:"" help:"Print the version." group:"Other:"`
	Man         manCommand         `cmd:"" hidden:"" help:"Print the manual page, for packages."`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`
}

// stdio is where a command writes to.
type stdio struct{ out, err io.Writer }

// runCommand is the daemon.
type runCommand struct{ commandLine }

func (c *runCommand) Run(ctx *kong.Context, std *stdio) error {
	if runtime.GOOS != "linux" {
		return &refusal{code: exitUnavailable, lines: []string{
			"the daemon is for Linux; here are tail, check, status and the other commands for one that runs elsewhere",
		}}
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP) // one that comes too early must not end what is about to start otherwise than later
	started := untilStarted(signals)
	read := func() (*settings, []problem, error) { return loadSettings(&c.commandLine, ctx) }
	settings, warnings, err := read()
	if err != nil {
		return err
	}
	log := newLogger(settings.Logging, std.err)
	for _, w := range warnings {
		log.Warn("configuration: " + w.String())
	}
	return serve(settings, read, signals, started, log)
}

// startLimit is how long a start that is to end has to come to where it can be
// stopped in good order, which leaves its place to the next run.
const startLimit = 5 * time.Second

// untilStarted keeps signals for later, until the function it returns is called. It
// ends the program when that is not soon after it was told to end, or told twice.
func untilStarted(signals chan os.Signal) (started func()) {
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		kept := make(map[os.Signal]bool)
		var late <-chan time.Time
		for {
			select {
			case s := <-signals:
				if s != syscall.SIGHUP {
					if late != nil {
						os.Exit(exitOK)
					}
					late = time.After(startLimit)
				}
				kept[s] = true
			case <-late:
				os.Exit(exitOK)
			case <-done:
				for s := range kept {
					select {
					case signals <- s:
					default: // there are more
					}
				}
				return
			}
		}
	}()
	return func() {
		close(done)
		<-gone
	}
}

// parse reads the command line and runs the command it names.
func parse(args []string, std *stdio) error {
	var line program
	ended := false
	parser, err := kong.New(&line,
		kong.Name("logwisp"),
		kong.Description(description),
		kong.Vars{"version": "logwisp " + buildVersion()},
		kong.Writers(std.out, std.err),
		kong.Exit(func(int) { ended = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.Help(printHelp),
		sizes(),
	)
	if err != nil {
		return fmt.Errorf("read the table of commands: %w", err)
	}
	if err := complete(parser); err != nil || ended {
		return err
	}
	ctx, err := parser.Parse(arrange(parser.Model.Node, args))
	if ended {
		return nil // --help or --version
	}
	if err != nil {
		return refuseUsage(parser.Model.Node, args, err)
	}
	return ctx.Run(std)
}

// refuseUsage says what is wrong with a command line and what was meant.
func refuseUsage(root *kong.Node, args []string, err error) error {
	// The flags of a misspelt command are unknown; that is not what is wrong.
	if word := firstWord(root, args); word != "" {
		if misspelt := refuseMisspeltCommand(word); misspelt != nil && childNamed(root, word) == nil {
			return &refusal{code: exitUsage, lines: []string{misspelt.Error()}}
		}
	}
	node, help := root, "logwisp --help"
	if parse, ok := errors.AsType[*kong.ParseError](err); ok && parse.Context != nil {
		if selected := parse.Context.Selected(); selected != nil && selected.Name != "run" {
			node, help = selected, selected.FullPath()+" --help"
		}
	}
	return &refusal{code: exitUsage, lines: []string{meant(root, node, err.Error()) + " (see " + help + ")"}}
}
