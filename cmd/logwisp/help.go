package main

import (
	"fmt"

	"github.com/alecthomas/kong"
)

const description = `LogWisp follows log files and streams their lines, as JSON, to whoever connects.

A TARGET is path[:pattern[:isfile]], as in /var/log:*.log or /var/log/syslog (default: ./:*.log).

A setting is taken from its flag, else its environment variable, else the configuration file, else its default. The variable of a key is LOGWISP_ and its path in upper case: LOGWISP_TCPSERVER_PORT for tcpserver.port.`

// printHelp is kong's help, except that the program's own shows the flags of
// the daemon: that is the command when none is named.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if ctx.Selected() == nil {
		options.NoAppSummary = true
		fmt.Fprint(ctx.Stdout, "Usage: logwisp [flags] [TARGET ...]\n       logwisp COMMAND [flags] [arguments]\n")
		// Only this help is printed: the program ends behind it.
		ctx.Model.Flags = append(ctx.Model.Flags, ctx.Model.DefaultCmd.Flags...)
	}
	return kong.DefaultHelpPrinter(options, ctx)
}
