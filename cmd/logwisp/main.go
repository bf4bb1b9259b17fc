// Command logwisp follows log files and streams their lines to whoever
// connects: raw JSON lines over TCP, Server-Sent Events over HTTP.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// The exit codes, after sysexits(3) where it has one.
const (
	exitOK          = 0
	exitFailure     = 1  // something broke while running
	exitUsage       = 2  // bad command line
	exitUnavailable = 69 // cannot bind
	exitConfig      = 78 // bad configuration
)

// version is set by the linker for a release.
var version = ""

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the whole program; it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	var line commandLine
	exited := -1
	parser, err := kong.New(&line,
		kong.Name("logwisp"),
		kong.Description("logwisp [flags] [TARGET ...] follows log files and streams their lines, as JSON, to whoever connects.\n\nA TARGET is path[:pattern[:isfile]], as in /var/log:*.log or /var/log/syslog (default: ./:*.log).\n\nA setting is taken from its flag, else its environment variable, else the configuration file, else its default. The variable of a key is LOGWISP_ and its path in upper case: LOGWISP_TCPSERVER_PORT for tcpserver.port."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		sizes(),
	)
	if err != nil {
		fmt.Fprintln(stderr, "logwisp: "+err.Error())
		return exitFailure
	}
	ctx, err := parser.Parse(flagsFirst(parser.Model.Flags, args))
	if exited >= 0 {
		return exited // --help
	}
	if err != nil {
		fmt.Fprintln(stderr, "logwisp: "+err.Error()+" (see logwisp --help)")
		return exitUsage
	}
	if ctx.Command() == "version" {
		fmt.Fprintln(stdout, "logwisp "+buildVersion())
		return exitOK
	}
	settings, warnings, err := loadSettings(&line, ctx)
	if err == nil {
		log := newLogger(settings.Logging, stderr)
		for _, w := range warnings {
			log.Warn("configuration: " + w.String())
		}
		err = serve(settings, log)
	}
	return report(err, stderr)
}

// flagsFirst puts the flags before the targets, in their order: targets may
// stand anywhere, but kong takes those behind a flag for too many.
func flagsFirst(known []*kong.Flag, args []string) []string {
	alone := map[string]bool{"--help": true, "-h": true}
	for _, f := range known {
		alone["--"+f.Name] = f.IsBool()
		alone["--no-"+f.Name] = f.IsBool()
	}
	var flags, rest []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return append(append(flags, rest...), args[i:]...)
		case len(arg) < 2 || arg[0] != '-':
			rest = append(rest, arg)
		case alone[arg] || strings.Contains(arg, "=") || i+1 == len(args):
			flags = append(flags, arg)
		default:
			i++
			flags = append(flags, arg, args[i])
		}
	}
	return append(flags, rest...)
}

// report says why the program ends and returns its exit code.
func report(err error, stderr io.Writer) int {
	var r *refusal
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &r):
		for _, text := range r.lines {
			fmt.Fprintln(stderr, "logwisp: "+text)
		}
		return r.code
	default:
		fmt.Fprintln(stderr, "logwisp: "+err.Error())
		return exitFailure
	}
}

// serve runs the daemon until it is asked to stop. The first SIGINT or SIGTERM
// stops it in good order, a second one at once.
func serve(s *settings, log *slog.Logger) error {
	d, err := newDaemon(s, log)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	go func() {
		stopping := false
		for sig := range signals {
			switch {
			case sig == syscall.SIGHUP:
				log.Warn("SIGHUP ignored: the configuration is read at start only")
			case stopping:
				os.Exit(exitFailure)
			default:
				stopping = true
				log.Info("stopping", "signal", sig.String())
				stop()
			}
		}
	}()
	return d.run(ctx)
}

// buildVersion returns the version of this build.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
