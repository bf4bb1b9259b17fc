package main

import (
	"fmt"
	"os"
	"regexp"
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
		problems = append(append(problems, s.targetsOnDisk()...), s.placesToKeep()...)
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
func (s *settings) checkTargets() []problem {
	var problems []problem
	_, inFile := s.places["monitor.targets[0]"]
	inFile = inFile && strings.HasPrefix(s.origins.of("monitor.targets"), s.file)
	for i, t := range s.Monitor.Targets {
		path := elementKey("monitor.targets", i)
		if err := t.Check(); err != nil {
			problems = append(problems, s.placed(path, err))
		} else if inFile && t.IsDirectory() {
			p := s.at(path + ".is_file")
			p.Message, p.Hint = t.Path+" is a directory", "leave is_file out, or name a file in it"
			problems = append(problems, p)
		}
	}
	return problems
}

// at starts a problem with the value at a path, or with what it is in, or with
// what else has set it.
func (s *settings) at(path string) problem {
	origin := s.origins.of(path)
	if inFile := s.file != "" && strings.HasPrefix(origin, s.file); !inFile && origin != "" && origin != "default" {
		return problem{Where: origin, Key: path}
	}
	known := path
	for known != "" && s.places[known] == (place{}) {
		known = known[:max(strings.LastIndexByte(known, '.'), 0)]
	}
	p := s.places.at(s.file, known)
	p.Key = path
	return p
}

// leadingKey is how an error begins that is about a key of a table.
var leadingKey = regexp.MustCompile(`^[a-z_]+(\[\d+\])?(\.[a-z_]+(\[\d+\])?)*`)

// placed returns the problem that an error of the settings of a table is. Errors
// begin with the key; if it is known where that was set, that is said.
func (s *settings) placed(table string, err error) problem {
	text, path := err.Error(), table
	if key := leadingKey.FindString(text); key != "" {
		full := strings.TrimPrefix(table+"."+key, ".")
		if _, inFile := s.places[full]; inFile || s.origins[full] != "" {
			path = full
			text = strings.TrimPrefix(text, key+": ")
		}
	}
	p := s.at(path)
	p.Message = text
	return p
}

// allPlaced does it for every error that was joined.
func (s *settings) allPlaced(table string, err error) (problems []problem) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range several.Unwrap() {
			problems = append(problems, s.allPlaced(table, err)...)
		}
		return problems
	}
	if err != nil {
		problems = append(problems, s.placed(table, err))
	}
	return problems
}

// placesToKeep finds checkpoints that have no place to be.
func (s *settings) placesToKeep() []problem {
	_, err := checkpointPath(s.Monitor.Checkpoint, os.Getenv)
	for i := range s.Outputs {
		if o := &s.Outputs[i]; err == nil && o.Guarantee {
			_, err = guaranteePath(s.Monitor.Checkpoint, o.Label(), os.Getenv)
		}
	}
	if err == nil {
		return nil
	}
	p := s.at("monitor.checkpoint")
	p.Message = err.Error()
	return []problem{p}
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
