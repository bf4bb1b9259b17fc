package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"logwisp/bench/freeport"
)

// scenarios are in the order of the table.
var scenarios = []scenario{
	{"victoria-logs", push, "preset victorialogs, zstd", victoria("/", "victorialogs", "zstd", "")},
	{"victoria-logs", push, "preset victorialogs, guarantee", victoria("/", "victorialogs", "none", "guarantee = true\n")},
	{"victoria-logs", push, "preset loki, gzip, to its Loki API", victoria("/insert/loki/api/v1/push?_msg_field=message", "loki", "gzip", "")},
	{"victoria-logs", push, "preset elasticsearch, gzip, to its bulk API", victoria("/insert/elasticsearch/?_msg_field=message&_time_field=@timestamp&_stream_fields=source", "elasticsearch", "gzip", "")},
	{"victoria-logs", push, "preset splunk, gzip, to its HEC", victoria("/insert/splunk/services/collector/event?_msg_field=event.message", "splunk", "gzip", "")},
	{"otelcol", push, "preset otlp", otlp("none")},
	{"otelcol", push, "preset otlp, gzip", otlp("gzip")},
	{"otelcol", push, "tcp:// to tcplog", otelLines},
	{"benthos", push, "http:// to http_server", benthosServer},
	{"benthos", pull, "socket of the TCP port", benthosPulls("socket of Redpanda Connect", "localhost:9090", tcpPort)},
	{"benthos", pull, "http_client of /stream", benthosPulls("http_client of Redpanda Connect", "localhost:8080", httpPort)},
	{"benthos", takeIn, "socket to --input tcp://", benthosSends},
	{"rsyslog", push, "tcp:// to imtcp", rsyslogTakes},
	{"rsyslog", takeIn, "omfwd to --input syslog+tcp://", rsyslogSends},
	{"syslog-ng", push, "tcp:// to network()", syslogNGTakes},
	{"syslog-ng", takeIn, "syslog() to --input syslog+tcp://", syslogNGSends},
}

const (
	push   = "LogWisp sends"
	pull   = "collector reads"
	takeIn = "LogWisp takes in"
)

// version returns the version of a program: of its module, or what it says.
func (b *bench) version(ctx context.Context, collector string) string {
	path := b.programs[collector]
	if info, err := buildinfo.ReadFile(path); err == nil {
		for _, module := range append(info.Deps, &info.Main) {
			if strings.HasPrefix(info.Path, module.Path+"/") && module.Version != "" && module.Version != "(devel)" {
				return module.Version
			}
		}
	}
	for _, arg := range []string{"--version", "-v"} {
		text, _ := exec.CommandContext(ctx, path, arg).CombinedOutput()
		if found := regexp.MustCompile(`\d+\.\d+(\.\d+)?`).Find(text); found != nil {
			return string(found)
		}
	}
	return "?"
}

// checked waits until as many entries have arrived as LogWisp has, has LogWisp
// stopped, so that nothing more comes, and compares.
func (r *run) checked(ctx context.Context, d *daemon, arrived func() ([]entry, error)) (outcome, error) {
	want, err := d.entries(ctx, lineCount)
	if err != nil {
		return outcome{}, err
	}
	var got []entry
	err = until(ctx, "all have arrived", func() (_ bool, err error) {
		got, err = arrived()
		return len(got) >= len(want), err
	})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return outcome{}, err
	}
	status, _ := get(ctx, "http://127.0.0.1:"+d.http+"/status")
	d.stop()
	if got, err = arrived(); err != nil {
		return outcome{lines: len(got)}, err
	}
	if note := misread(r.wrote, want); note != "" {
		return outcome{lines: len(got), note: note}, nil
	}
	out := outcome{lines: len(got), note: compare(want, got, lenience{readTime: r.reads > 1})}
	if out.note != "" {
		_, outputs, _ := strings.Cut(string(status), `"outputs"`)
		out.note += " outputs" + outputs[:min(len(outputs), 500)]
	}
	return out, nil
}

// sends starts a LogWisp that reads a log and has one output.
func (r *run) sends(ctx context.Context, output string) (*daemon, error) {
	if err := r.writeLog("app.log"); err != nil {
		return nil, err
	}
	r.reads = 1
	if strings.Contains(output, "guarantee") {
		r.reads = 2 // such an output reads files itself
	}
	return r.daemon(ctx, "[monitor]\ncheckpoint = \""+r.path("checkpoint.json")+"\"\n[[outputs]]\n"+output, r.path("app.log"))
}

// arrivedLines reads entries that were written to a file, one a line.
func (r *run) arrivedLines(name string) func() ([]entry, error) {
	return func() ([]entry, error) {
		text, err := os.ReadFile(r.path(name))
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		if err != nil {
			return nil, err
		}
		return ownEntries(text[:bytes.LastIndexByte(text, '\n')+1]) // the last may not be whole
	}
}

func otlp(compress string) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		port, err := freeport.One()
		if err != nil {
			return outcome{}, err
		}
		if err := r.otelcol(ctx, port, "OTLP receiver of OpenTelemetry", "0.0.0.0:4318", "/var/log/logwisp.json"); err != nil {
			return outcome{}, err
		}
		d, err := r.sends(ctx, fmt.Sprintf("url = \"http://127.0.0.1:%s\"\npreset = \"otlp\"\ncompress = %q\n", port, compress))
		if err != nil {
			return outcome{}, err
		}
		return r.checked(ctx, d, r.otelRecords)
	}
}

func otelLines(ctx context.Context, r *run) (outcome, error) {
	port, err := freeport.One()
	if err != nil {
		return outcome{}, err
	}
	if err := r.otelcol(ctx, port, "tcplog receiver of OpenTelemetry", "0.0.0.0:5170", "/var/log/logwisp.json"); err != nil {
		return outcome{}, err
	}
	d, err := r.sends(ctx, fmt.Sprintf("url = \"tcp://127.0.0.1:%s\"\n", port))
	if err != nil {
		return outcome{}, err
	}
	return r.checked(ctx, d, r.otelRecords)
}

// otelcol starts the OpenTelemetry Collector with a recipe that writes a file.
func (r *run) otelcol(ctx context.Context, port, recipe, address, file string) error {
	text, err := r.recipe(recipe, address, "127.0.0.1:"+port, file, r.path("arrived"))
	if err != nil {
		return err
	}
	// Its own figures would be served at a port that somebody may have.
	path, err := r.write("otel.yaml", text+"  telemetry: {metrics: {level: none}}\n")
	if err != nil {
		return err
	}
	p, err := r.start(r.programs["otelcol"], "--config", "file:"+path)
	if err != nil {
		return err
	}
	return p.listens(ctx, port)
}

func benthosServer(ctx context.Context, r *run) (outcome, error) {
	port, err := freeport.One()
	if err != nil {
		return outcome{}, err
	}
	err = r.benthos(ctx, port, "http_server of Redpanda Connect", "0.0.0.0:4195", "127.0.0.1:"+port, "/var/log/logwisp.json", r.path("arrived"))
	if err != nil {
		return outcome{}, err
	}
	d, err := r.sends(ctx, fmt.Sprintf("url = \"http://127.0.0.1:%s/logs\"\n", port))
	if err != nil {
		return outcome{}, err
	}
	return r.checked(ctx, d, r.arrivedLines("arrived"))
}

func tcpPort(d *daemon) string  { return d.tcp }
func httpPort(d *daemon) string { return d.http }

func benthosPulls(recipe, address string, port func(*daemon) string) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		if err := r.writeLog("app.log"); err != nil {
			return outcome{}, err
		}
		d, err := r.daemon(ctx, "", r.path("app.log"))
		if err != nil {
			return outcome{}, err
		}
		err = r.benthos(ctx, "", recipe, address, "localhost:"+port(d), "/var/log/logwisp.json", r.path("arrived"))
		if err != nil {
			return outcome{}, err
		}
		return r.checked(ctx, d, r.arrivedLines("arrived"))
	}
}

// benthosSends has entries go from one LogWisp to another.
func benthosSends(ctx context.Context, r *run) (outcome, error) {
	if err := r.writeLog("app.log"); err != nil {
		return outcome{}, err
	}
	from, err := r.daemon(ctx, "", r.path("app.log"))
	if err != nil {
		return outcome{}, err
	}
	port, err := freeport.One()
	if err != nil {
		return outcome{}, err
	}
	to, err := r.daemon(ctx, "[[inputs]]\nurl = \"tcp://127.0.0.1:"+port+"\"\n", "-")
	if err != nil {
		return outcome{}, err
	}
	if err := r.benthos(ctx, "", "socket of Redpanda Connect to LogWisp", "localhost:9090", "localhost:"+from.tcp, "localhost:9091", "localhost:"+port); err != nil {
		return outcome{}, err
	}
	return r.checked(ctx, from, func() ([]entry, error) { return to.entries(ctx, 0) })
}

// benthos starts it with a recipe, and waits for its port if it has one.
func (r *run) benthos(ctx context.Context, port, recipe string, pairs ...string) error {
	text, err := r.recipe(recipe, pairs...)
	if err != nil {
		return err
	}
	if port == "" { // of the server that it has besides
		if port, err = freeport.One(); err != nil {
			return err
		}
		text += "http: {address: \"127.0.0.1:" + port + "\"}\n"
	}
	path, err := r.write("connect.yaml", text)
	if err != nil {
		return err
	}
	p, err := r.start(r.programs["benthos"], "run", path)
	if err != nil {
		return err
	}
	return p.listens(ctx, port)
}
