package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"logwisp/netio/access"
	"logwisp/netio/forward"
	"logwisp/netio/ingest"
	"logwisp/netio/tcp"
	"logwisp/netio/web"
	"logwisp/ring"
	"logwisp/tail"
)

// config is everything that can be set. Each part's settings live with the
// part; the tags there are the source of key, flag, default and help.
type config struct {
	Monitor tail.Options      `toml:"monitor" embed:"" group:"Files:"`
	Inputs  []ingest.Options  `toml:"inputs" kong:"-"`
	Filter  tail.Filter       `toml:"filter" embed:""`
	TCP     tcp.Options       `toml:"tcpserver" embed:"" group:"TCP server:"`
	HTTP    web.Options       `toml:"httpserver" embed:"" group:"HTTP server:"`
	Auth    access.Auth       `toml:"auth" kong:"-"`
	ACL     access.ACL        `toml:"acl" kong:"-"`
	Ring    ring.Options      `toml:"ring" embed:"" group:"Ring:"`
	Outputs []forward.Options `toml:"outputs" kong:"-"`
	Logging logging           `toml:"logging" embed:"" group:"Own log:"`
}

// settings is a loaded configuration and where it came from.
type settings struct {
	config
	file     string // path of the configuration file, "" when there is none
	loadedAt time.Time
	origins  origins
	places   places // in file
	size     int    // of file, in bytes
}

// commandLine is what kong fills for the daemon, and for the commands that
// want its configuration.
type commandLine struct {
	Config    config   `embed:""`
	File      string   `name:"config" placeholder:"FILE" help:"Configuration file (default: the first of logwisp.toml and logwisp/logwisp.toml in $XDG_CONFIG_HOME, /etc/logwisp/logwisp.toml)." group:"Files:"`
	FromStart *bool    `name:"from-start" help:"Read the files that are there from their beginning, and start subscribers at the oldest entry held." group:"Files:"`
	Outputs   []string `name:"output" sep:"none" placeholder:"URL" help:"Push entries to tcp://, tls://, http:// or https:// as well; may be repeated." group:"Outputs:"`

	Inputs  []string `name:"input" sep:"none" placeholder:"URL" help:"Take in lines as well: tcp://:9091, tls://:9092, unix:///run/logwisp.sock, syslog+tcp://:6514, syslog+udp://:5514 or -, standard input (repeatable)." group:"Inputs:"`
	Targets []string `arg:"" optional:"" name:"target" help:"What to follow: path[:pattern[:isfile]], or - for standard input (default: ./:*.log)."`
}

// refusal is a reason not to start, with the exit code that tells its kind.
type refusal struct {
	code  int
	lines []string
}

func (r *refusal) Error() string { return strings.Join(r.lines, "\n") }

// refuse returns a refusal with one line per problem that is more than a
// warning.
func refuse(code int, problems []problem) *refusal {
	r := &refusal{code: code}
	for _, p := range problems {
		if !p.Warning {
			r.lines = append(r.lines, p.String())
		}
	}
	return r
}

// loadSettings layers defaults, file, environment and command line, and
// returns the warnings found on the way. The error is a *refusal.
func loadSettings(line *commandLine, ctx *kong.Context) (*settings, []problem, error) {
	s, problems := readSettings(line, ctx)
	if broken(problems) {
		code := exitConfig
		if onlyFlags(problems) {
			code = exitUsage
		}
		return nil, problems, refuse(code, problems)
	}
	return s, problems, nil
}

// readSettings is loadSettings with everything that is wrong, in the order of a
// report. The settings may be used when none of it is more than a warning.
func readSettings(line *commandLine, ctx *kong.Context) (*settings, []problem) {
	file, _, err := configFile(line.File, os.Getenv)
	if err != nil {
		return nil, []problem{{Message: err.Error()}}
	}
	s := &settings{file: file, loadedAt: time.Now()}
	var toml []byte
	if file != "" {
		if toml, err = os.ReadFile(file); err != nil {
			return nil, []problem{{Message: "read the configuration: " + err.Error()}}
		}
	}
	var problems []problem
	s.origins, problems = load(&s.config, sources{
		File: file, TOML: toml, Environ: os.Environ(), Flags: ctx, Scratch: &line.Config,
		Variables: map[string]func(string) error{
			"monitor.targets": s.targetsVariable, "inputs": s.inputsVariable, "outputs": s.outputsVariable,
		},
	})
	if line.FromStart != nil {
		s.Monitor.ReadFrom = "end"
		if *line.FromStart {
			s.Monitor.ReadFrom = "beginning"
		}
		s.origins["monitor.read_from"] = "--from-start"
	}
	s.size = len(toml)
	s.places = placesOf(bytes.TrimPrefix(toml, byteOrderMark))
	problems = append(problems, s.checkTargets()...)
	problems = append(problems, s.setTargets(line.Targets)...)
	problems = append(problems, s.allPlaced("filter", s.Filter.Check())...)
	s.setInputs(line.Inputs)
	problems = append(problems, s.checkInputs()...)
	problems = append(problems, s.setOutputs(line.Outputs)...)
	problems = append(problems, s.checkAccess()...)
	if !s.TCP.Enabled && !s.HTTP.Enabled && len(s.Outputs) == 0 {
		problems = append(problems, problem{
			Message: "nothing to serve: both servers are disabled, and there is no output", Hint: "use --enable-tcp or --enable-http",
		})
	}
	return s, problems
}

// onlyFlags reports whether every problem is one of the command line.
func onlyFlags(problems []problem) bool {
	for _, p := range problems {
		if !p.Warning && p.layer != layerFlags {
			return false
		}
	}
	return true
}

// targetsVariable reads LOGWISP_MONITOR_TARGETS.
func (s *settings) targetsVariable(value string) error {
	targets, err := parseTargets(strings.Split(value, ","))
	if err == nil {
		s.Monitor.Targets = targets
	}
	return err
}

// setTargets takes the targets of the command line, or the default when
// neither it nor file and environment name any. It returns what is wrong.
func (s *settings) setTargets(args []string) []problem {
	var targets []tail.Target
	var problems []problem
	for _, arg := range args {
		parsed, err := parseTargets([]string{arg})
		if err == nil {
			err = refuseMisspeltCommand(arg)
		}
		if err != nil {
			problems = append(problems, problem{Message: err.Error(), layer: layerFlags})
		}
		targets = append(targets, parsed...)
	}
	if len(args) > 0 {
		s.Monitor.Targets = targets
		s.origins.replace("monitor.targets", commandLineOrigin)
	}
	if len(s.Monitor.Targets) == 0 {
		s.Monitor.Targets = []tail.Target{newTarget(tail.Target{Path: "./", Pattern: "*.log"})}
	}
	return problems
}

// commandLineOrigin is the origin of targets given as arguments.
const commandLineOrigin = "the command line"

// targets returns the targets as they are written on a command line.
func (s *settings) targets() string {
	var texts []string
	for _, t := range s.Monitor.Targets {
		text := t.Path
		if t.Pattern != "" {
			text += ":" + t.Pattern
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

// newTarget returns t's path and pattern with the defaults of everything else.
func newTarget(t tail.Target) tail.Target {
	var full tail.Target
	setDefaults(settingsOf(reflect.TypeFor[tail.Target]()), reflect.ValueOf(&full).Elem())
	full.Path, full.Pattern, full.IsFile = t.Path, t.Pattern, t.IsFile
	return full
}

func parseTargets(texts []string) ([]tail.Target, error) {
	var targets []tail.Target
	var errs []error
	for _, text := range texts {
		if text = strings.TrimSpace(text); text == stdin {
			targets = append(targets, newTarget(tail.Target{Path: stdin}))
			continue
		}
		target, err := tail.ParseTarget(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("target %s: %w", strconv.Quote(text), err))
			continue
		}
		targets = append(targets, newTarget(target))
	}
	return targets, errors.Join(errs...)
}

// entries returns the number of page slots of the ring: enough for every
// buffer_size.
func (s *settings) entries() int {
	return max(s.Ring.Entries, s.TCP.BufferSize, s.HTTP.BufferSize)
}
