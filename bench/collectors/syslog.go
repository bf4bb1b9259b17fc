package main

import (
	"context"
	"fmt"

	"logwisp/bench/freeport"
)

func rsyslogTakes(ctx context.Context, r *run) (outcome, error) {
	port, err := freeport.One()
	if err != nil {
		return outcome{}, err
	}
	text, err := r.recipe("rsyslog, /etc/rsyslog.d/logwisp.conf, with --output", `port="5170"`, `port="`+port+`"`, "/var/log/logwisp.json", r.path("arrived"))
	if err != nil {
		return outcome{}, err
	}
	if err := r.rsyslog(ctx, text, port); err != nil {
		return outcome{}, err
	}
	return r.linesTo(ctx, port)
}

func syslogNGTakes(ctx context.Context, r *run) (outcome, error) {
	port, err := freeport.One()
	if err != nil {
		return outcome{}, err
	}
	text, err := r.recipe("syslog-ng, /etc/syslog-ng/conf.d/logwisp.conf, with --output", "port(5170)", "port("+port+")", "/var/log/logwisp.json", r.path("arrived"))
	if err != nil {
		return outcome{}, err
	}
	if err := r.syslogNG(ctx, text, port); err != nil {
		return outcome{}, err
	}
	return r.linesTo(ctx, port)
}

func (r *run) linesTo(ctx context.Context, port string) (outcome, error) {
	d, err := r.sends(ctx, "url = \"tcp://127.0.0.1:"+port+"\"\n")
	if err != nil {
		return outcome{}, err
	}
	return r.checked(ctx, d, r.arrivedLines("arrived"))
}

func rsyslogSends(ctx context.Context, r *run) (outcome, error) {
	return r.syslogInput(ctx, func(port string) error {
		text, err := r.recipe("rsyslog, /etc/rsyslog.d/logwisp.conf, with --input", `port="6514"`, `port="`+port+`"`)
		if err != nil {
			return err
		}
		read := fmt.Sprintf("module(load=\"imfile\")\ninput(type=\"imfile\" file=%q tag=\"app\" freshStartTail=\"off\")\n", r.path("json.log"))
		return r.rsyslog(ctx, read+text, "")
	})
}

func syslogNGSends(ctx context.Context, r *run) (outcome, error) {
	return r.syslogInput(ctx, func(port string) error {
		text, err := r.recipe("syslog-ng, /etc/syslog-ng/conf.d/logwisp.conf, with --input", "port(6514)", "port("+port+")")
		if err != nil {
			return err
		}
		// What Debian's configuration calls s_src.
		read := fmt.Sprintf("source s_src { file(%q flags(no-parse) program-override(\"app\")); };\n", r.path("json.log"))
		return r.syslogNG(ctx, read+text, "")
	})
}

// syslogInput has a file go through a collector into an input of LogWisp, and
// compares with what LogWisp makes of the file itself.
func (r *run) syslogInput(ctx context.Context, collect func(port string) error) (outcome, error) {
	if err := r.writeJSONLog("json.log"); err != nil {
		return outcome{}, err
	}
	direct, err := r.daemon(ctx, "", r.path("json.log"))
	if err != nil {
		return outcome{}, err
	}
	port, err := freeport.One()
	if err != nil {
		return outcome{}, err
	}
	d, err := r.daemon(ctx, "[[inputs]]\nurl = \"syslog+tcp://127.0.0.1:"+port+"\"\n", "-")
	if err != nil {
		return outcome{}, err
	}
	if err := collect(port); err != nil {
		return outcome{}, err
	}
	want, err := direct.entries(ctx, lineCount)
	if err != nil {
		return outcome{}, err
	}
	if note := misread(r.wrote, want); note != "" {
		return outcome{note: note}, nil
	}
	if _, err := d.entries(ctx, lineCount); err != nil {
		return outcome{}, err
	}
	r.stopLast() // the collector: nothing more comes
	got, err := d.entries(ctx, lineCount)
	return outcome{len(got), compare(want, got, lenience{more: true, renamed: true})}, err
}

func (r *run) rsyslog(ctx context.Context, text, port string) error {
	path, err := r.write("rsyslog.conf", "global(workDirectory=\""+r.dir+"\" maxMessageSize=\"1m\")\n"+text)
	if err != nil {
		return err
	}
	p, err := r.start(r.programs["rsyslog"], "-n", "-f", path, "-i", r.path("pid"))
	if err != nil || port == "" {
		return err
	}
	return p.listens(ctx, port)
}

func (r *run) syslogNG(ctx context.Context, text, port string) error {
	path, err := r.write("syslog-ng.conf", "@version: 3.38\n"+text)
	if err != nil {
		return err
	}
	p, err := r.start(r.programs["syslog-ng"], "-F", "--no-caps", "-f", path, "-R", r.path("persist"), "-p", r.path("pid"), "-c", r.path("ctl"))
	if err != nil || port == "" {
		return err
	}
	return p.listens(ctx, port)
}
