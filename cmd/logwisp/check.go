package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"logwisp/tail"
)

// checkCommand says what is wrong with the configuration that the daemon would
// start with, given the same flags, environment and file.
type checkCommand struct{ commandLine }

func (c *checkCommand) Run(ctx *kong.Context, std *stdio) error {
	s, problems := readSettings(&c.commandLine, ctx)
	if s != nil {
		problems = append(problems, s.targetsOnDisk()...)
	}
	errors := 0
	for _, p := range problems {
		kind := "error"
		if p.Warning {
			kind = "warning"
		} else {
			errors++
		}
		// The place comes first, so that editors and pagers find it.
		text := strings.TrimPrefix(p.String(), p.Where+": ")
		if p.Where != "" {
			kind = p.Where + ": " + kind
		}
		fmt.Fprintln(std.err, kind+": "+text)
	}
	if errors > 0 {
		return &refusal{code: exitConfig}
	}
	name := "the configuration"
	if s.file != "" {
		name = s.file
	}
	fmt.Fprintf(std.out, "%s is good: it serves %s\n", name, s.serves())
	return nil
}

// checkTargets finds targets of the file that the daemon would refuse. Those of
// the environment and the command line have been parsed, which checks them.
func (s *settings) checkTargets(toml []byte) []problem {
	var problems []problem
	places := placesOf(bytes.TrimPrefix(toml, byteOrderMark))
	a := &assignment{loading: &loading{sources: sources{File: s.file}}, places: places}
	for i, t := range s.Monitor.Targets {
		path := elementKey("monitor.targets", i)
		if _, inFile := places[path]; !inFile || !strings.HasPrefix(s.origins.of("monitor.targets"), s.file) {
			return nil
		}
		switch {
		case t.Path == "":
			p := a.at(path)
			p.Message, p.Hint = "has no path", "set path to a file or a directory"
			problems = append(problems, p)
		case !patternIsGood(t.Pattern):
			p := a.at(path + ".pattern")
			p.Message, p.Hint = fmt.Sprintf("pattern %q is malformed", t.Pattern), "close every [ and {"
			problems = append(problems, p)
		case t.IsDirectory():
			p := a.at(path + ".is_file")
			p.Message, p.Hint = t.Path+" is a directory", "leave is_file out, or name a file in it"
			problems = append(problems, p)
		}
	}
	return problems
}

// patternIsGood asks the parser of targets. A colon, which would end the
// pattern there, means no more in a pattern than any letter.
func patternIsGood(pattern string) bool {
	_, err := tail.ParseTarget("./:" + strings.ReplaceAll(pattern, ":", "x"))
	return err == nil
}

// targetsOnDisk warns about targets that are not there yet, and finds those of
// the environment and the command line that are not what they are said to be.
func (s *settings) targetsOnDisk() []problem {
	var problems []problem
	inFile := s.file != "" && strings.HasPrefix(s.origins.of("monitor.targets"), s.file)
	for _, t := range s.Monitor.Targets {
		if t.IsDirectory() && !inFile {
			problems = append(problems, problem{Message: (&tail.DirectoryError{Path: t.Path}).Error()})
		}
		if _, err := os.Stat(t.Path); err != nil && t.Path != "" && refuseMisspeltCommand(t.Path) == nil {
			problems = append(problems, problem{
				Message: fmt.Sprintf("target %s: %v", t.Path, cause(err)), Hint: "it will be waited for", Warning: true,
			})
		}
	}
	return problems
}
