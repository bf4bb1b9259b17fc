package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"logwisp/bench/freeport"
)

const (
	answerTimeout = 5 * time.Second // for a server to listen
	endTimeout    = 5 * time.Second // for a server to end after SIGTERM
	endedOutput   = 500             // bytes of what a server printed, in an error
)

// peerSystems lists the peers that there are programs for.
func (t *tools) peerSystems() []system {
	var all []system
	if t.nats != "" {
		for _, batch := range []int{1, 64} {
			name := "nats-server"
			if batch > 1 {
				name = fmt.Sprintf("nats-server, %d lines a message", batch)
			}
			all = append(all, system{name: name, proto: "tcp", run: func(ctx context.Context, c, rate int) (result, error) {
				return t.natsRun(ctx, c, rate, batch)
			}})
		}
	}
	if t.nginx != "" && t.nchan != "" {
		all = append(all, system{name: "nginx + nchan", proto: "sse", run: t.nchanRun})
	}
	// Forwarders know one destination and no fan-out.
	if t.rsyslogd != "" {
		all = append(all, system{name: "rsyslog", proto: "tcp", most: 1, run: t.rsyslogRun})
	}
	if t.nc != "" {
		all = append(all, system{name: "tail -F | nc", proto: "tcp", most: 1, run: t.tailRun})
	}
	return all
}

// natsRun runs a NATS server of its own.
func (t *tools) natsRun(ctx context.Context, clients, rate, batch int) (result, error) {
	port, err := freeport.One()
	if err != nil {
		return result{}, err
	}
	args := []string{"-a", "127.0.0.1", "-p", port}
	return t.serve(ctx, port, exec.CommandContext(ctx, t.nats, args...), func(address string, pid int) (result, error) {
		target := []string{"-nats", address, "-pid", strconv.Itoa(pid)}
		if batch > 1 {
			target = append(target, "-batch", strconv.Itoa(batch))
		}
		return t.generate(ctx, clients, rate, target...)
	})
}

// nchanRun runs an nginx of its own.
func (t *tools) nchanRun(ctx context.Context, clients, rate int) (result, error) {
	dir, err := os.MkdirTemp(t.dir, "nginx")
	if err != nil {
		return result{}, err
	}
	port, err := freeport.One()
	if err != nil {
		return result{}, err
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, []byte(nginxConf(t.nchan, port, os.Getuid() == 0)), 0o644); err != nil {
		return result{}, err
	}
	nginx := exec.CommandContext(ctx, t.nginx, "-p", dir, "-e", "stderr", "-c", conf)
	return t.serve(ctx, port, nginx, func(address string, pid int) (result, error) {
		return t.generate(ctx, clients, rate, "-nchan", address, "-pid", strconv.Itoa(pid))
	})
}

// nginxConf returns the configuration of an nginx with one nchan channel. All
// its paths are below the prefix that nginx is given. Messages are kept for much
// longer than the generator runs ahead of the slowest client, so that none is
// lost, and the one publishing connection may carry any number of requests.
func nginxConf(module, port string, root bool) string {
	var b strings.Builder
	if root { // the workers would be nobody, who may not enter the directory
		b.WriteString("user root;\n")
	}
	fmt.Fprintf(&b, `daemon off;
worker_processes 2;
worker_rlimit_nofile 8192;
pid nginx.pid;
load_module %q;
events { worker_connections 4096; }
http {
	access_log off;
	server_tokens off;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	keepalive_requests 1000000000;
	keepalive_timeout 1h;
	nchan_shared_memory_size 1G;
	server {
		listen 127.0.0.1:%s backlog=4096;
		location = /pub {
			nchan_publisher http;
			nchan_channel_id lines;
			nchan_message_buffer_length 500000;
			nchan_message_timeout 1h;
		}
		location = /sub {
			nchan_subscriber eventsource;
			nchan_channel_id lines;
			nchan_subscriber_first_message newest;
		}
	}
}
`, module, port)
	return b.String()
}

// rsyslogRun lets rsyslog follow the file.
func (t *tools) rsyslogRun(ctx context.Context, clients, rate int) (result, error) {
	return t.forward(ctx, clients, rate, func(dir, file, port string) ([]string, error) {
		conf := filepath.Join(dir, "rsyslog.conf")
		err := os.WriteFile(conf, []byte(rsyslogConf(dir, file, port)), 0o644)
		return []string{t.rsyslogd, "-n", "-f", conf, "-i", filepath.Join(dir, "pid")}, err
	})
}

// rsyslogConf returns the configuration of an rsyslogd that sends each line of
// file, as it is, to port; it reads no other log. One worker, for a second one,
// which the queue would start when it is long, opens a connection of its own. By
// default lines that have waited for two seconds for room in the queue are thrown away.
func rsyslogConf(dir, file, port string) string {
	return fmt.Sprintf(`global(workDirectory=%q maxMessageSize="128k")
main_queue(queue.workerThreads="1" queue.timeoutEnqueue="60000")
module(load="imfile" mode="inotify")
template(name="bare" type="string" string="%%msg%%\n")
input(type="imfile" file=%q tag="load" ruleset="forward")
ruleset(name="forward") {
	action(type="omfwd" target="127.0.0.1" port="%s" protocol="tcp" TCP_Framing="traditional"
		template="bare" action.resumeRetryCount="-1" action.resumeInterval="1")
}
`, dir, file, port)
}

// tailRun lets tail follow the file and nc send what it prints. The trap lets
// the shell outlive the two, which leaves nothing behind.
func (t *tools) tailRun(ctx context.Context, clients, rate int) (result, error) {
	return t.forward(ctx, clients, rate, func(_, file, port string) ([]string, error) {
		return []string{"sh", "-c", `trap : TERM; tail -n +1 -F -- "$1" | "$0" 127.0.0.1 "$2"`, t.nc, file, port}, nil
	})
}

// forward runs the generator with a forwarder, which the generator starts, stops
// and measures. command returns it, given a directory for it, the file to follow
// and the port to send to.
func (t *tools) forward(ctx context.Context, clients, rate int, command func(dir, file, port string) ([]string, error)) (result, error) {
	dir, err := os.MkdirTemp(t.dir, "forward")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir) // the file is as large as the run was fast
	port, err := freeport.One()
	if err != nil {
		return result{}, err
	}
	file := filepath.Join(dir, "load.log")
	args, err := command(dir, file, port)
	if err != nil {
		return result{}, err
	}
	target := []string{"-file", file, "-listen", address(port), "--"}
	return t.generate(ctx, clients, rate, append(target, args...)...)
}

// serve starts a server, lets measure run once it listens on port, and stops it.
func (t *tools) serve(ctx context.Context, port string, server *exec.Cmd, measure func(address string, pid int) (result, error)) (result, error) {
	printed, err := os.CreateTemp(t.dir, "server")
	if err != nil {
		return result{}, err
	}
	defer printed.Close()
	server.Stdout, server.Stderr = printed, printed
	// Killed, a server could not stop the processes that it has started.
	server.Cancel = func() error { return server.Process.Signal(syscall.SIGTERM) }
	server.WaitDelay = endTimeout
	if err := server.Start(); err != nil {
		return result{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	if err := listens(ctx, port, ended); err != nil {
		out := make([]byte, endedOutput)
		n, _ := printed.ReadAt(out, 0)
		err = fmt.Errorf("%s: %w: %s", server.Path, err, strings.TrimSpace(string(out[:n])))
		return result{}, errors.Join(err, end(server, ended))
	}
	r, err := measure(address(port), server.Process.Pid)
	return r, errors.Join(err, end(server, ended))
}

// listens returns when somebody listens on port, or with why nobody will. It
// hands back what it takes from ended.
func listens(ctx context.Context, port string, ended chan error) error {
	for deadline := time.Now().Add(answerTimeout); ; {
		conn, err := net.Dial("tcp", address(port))
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it does not listen: %w", err)
		}
		select {
		case how := <-ended:
			ended <- how
			return fmt.Errorf("it ended at once: %v", how)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// end stops a server. How it ends is of no interest, unless it does not.
func end(server *exec.Cmd, ended <-chan error) error {
	_ = server.Process.Signal(syscall.SIGTERM) // already ended: nobody is there
	select {
	case <-ended:
		return nil
	case <-time.After(endTimeout):
		_ = server.Process.Kill()
		<-ended
		return fmt.Errorf("%s did not end within %v of SIGTERM and was killed", server.Path, endTimeout)
	}
}

func address(port string) string { return net.JoinHostPort("127.0.0.1", port) }
