package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
)

// tailCommand follows a running LogWisp in a terminal, or for a program that
// reads its output.
type tailCommand struct {
	serverFlags
	Tail       *uint64  `name:"tail" short:"n" placeholder:"N" help:"Begin with the last N entries that match." group:"What:"`
	Since      string   `name:"since" placeholder:"TIME" help:"Begin with the entries since then: 5m ago, or a time like 2006-01-02T15:04:05Z." group:"What:"`
	Level      string   `name:"level" short:"l" enum:",trace,debug,info,warn,error,fatal" default:"" placeholder:"LEVEL" help:"Only entries of this level or a more severe one." group:"What:"`
	Source     []string `name:"source" short:"s" sep:"none" placeholder:"GLOB" help:"Only entries of such files; may be repeated." group:"What:"`
	Include    []string `name:"include" short:"i" sep:"none" placeholder:"RE2" help:"Only entries with such text; may be repeated." group:"What:"`
	Exclude    []string `name:"exclude" short:"e" sep:"none" placeholder:"RE2" help:"No entries with such text; may be repeated." group:"What:"`
	Follow     bool     `name:"follow" short:"f" negatable:"" default:"true" help:"Wait for more entries (default: on); --no-follow, for http and https only, ends with what is there." group:"What:"`
	Limit      uint64   `name:"limit" placeholder:"N" help:"End after N entries." group:"What:"`
	FailOnDrop bool     `name:"fail-on-drop" help:"End with exit code 75 at the first loss." group:"What:"`

	Output     string   `name:"output" short:"o" enum:"default,raw,json" default:"default" placeholder:"FORM" help:"default (time, level, source, message, fields), raw (the message) or json (the entry as it came)." group:"How:"`
	Timestamps string   `name:"timestamps" short:"t" enum:"local,utc,time,delta,none" default:"local" placeholder:"FORM" help:"local, utc, time (of day), delta (since the entry before) or none (default: ${default})." group:"How:"`
	Highlight  []string `name:"highlight" short:"H" sep:"none" placeholder:"RE2" help:"Show such text in reverse; may be repeated." group:"How:"`
	Color      string   `name:"color" enum:"auto,always,never" default:"auto" placeholder:"WHEN" help:"auto (on a terminal), always or never (default: ${default})." group:"How:"`
	Raw        bool     `name:"raw" help:"Print control characters in the text of logs as they are, whatever they do to the terminal." group:"How:"`
}

func (c *tailCommand) Run(std *stdio) error {
	f, err := c.follower(std)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGPIPE) // a write then fails with EPIPE
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		code := exitInterrupted
		if <-signals == syscall.SIGTERM {
			code = exitTerminated
		}
		stop(&refusal{code: code})
		signal.Reset(syscall.SIGINT, syscall.SIGTERM) // the next one does not ask
	}()
	watchReader(std.out, func() { stop(errDone) })
	f.out.begin()
	defer f.out.end()
	return f.run(ctx)
}

// follower makes what follows the stream from the flags. Its errors are of the
// command line.
func (c *tailCommand) follower(std *stdio) (*follower, error) {
	a, err := c.address("http", "https", "tcp", "unix")
	if err != nil {
		return nil, err
	}
	wrong := func(format string, args ...any) (*follower, error) {
		return nil, &refusal{code: exitUsage, lines: []string{fmt.Sprintf(format, args...)}}
	}
	if !c.Follow && a.url == nil {
		return wrong("--no-follow: a %s:// stream never ends: use an http:// URL, or --limit", a.scheme)
	}
	if c.Tail != nil && c.Since != "" {
		return wrong("--tail and --since both say where to begin: give one of them")
	}
	for flag, patterns := range map[string][]string{"--include": c.Include, "--exclude": c.Exclude, "--highlight": c.Highlight} {
		for _, p := range patterns {
			if _, err := regexp.Compile(p); err != nil {
				return wrong("%s %q: %v", flag, p, err)
			}
		}
	}
	out := newScreen(std)
	colored := colors(c.Color, std.out, os.Getenv)
	f := &follower{tailCommand: c, server: a, out: out, wait: sleep}
	f.format = c.formatter(colored)
	f.inline = c.Output == "default"
	f.paint = palette{on: colored}
	return f, nil
}

// formatter returns what turns the line of an entry into what is printed.
func (c *tailCommand) formatter(colored bool) formatter {
	var marks *regexp.Regexp
	if colored && len(c.Highlight) > 0 {
		marks = regexp.MustCompile("(?:" + strings.Join(c.Highlight, ")|(?:") + ")")
	}
	style := style{palette: palette{on: colored}, marks: marks, raw: c.Raw}
	switch {
	case c.Output == "json" && marks == nil:
		return asItCame{c.Raw}
	case c.Output == "json":
		return &markedJSON{style}
	case c.Output == "raw":
		return &messageOnly{style}
	default:
		return &columns{style: style, stamps: c.Timestamps}
	}
}
