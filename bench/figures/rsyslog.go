package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"
)

// rsyslogConfig makes rsyslog follow a directory and send the bare lines on:
// the least it can do. It waits for room in its queue: by default it throws lines away
// that have waited for two seconds. %[1]s is its directory, %[2]s the port.
const rsyslogConfig = `
global(workDirectory="%[1]s/state")
main_queue(queue.timeoutEnqueue="60000")
module(load="imfile" mode="inotify")
template(name="bare" type="string" string="%%msg%%\n")
input(type="imfile" file="%[1]s/logs/*.log" tag="ingest" ruleset="send" freshStartTail="off")
ruleset(name="send") {
	action(type="omfwd" target="127.0.0.1" port="%[2]s" protocol="tcp" template="bare" action.resumeRetryCount="-1")
}
`

// ingestRsyslog returns the lines a second that one reader gets of a file that
// appears in a directory rsyslog follows.
func (t *tools) ingestRsyslog(_ context.Context) (float64, error) {
	path, err := find("rsyslogd", "rsyslog")
	if err != nil {
		return 0, err
	}
	lines, err := t.haveLog("rsyslog.log", rsyslogBytes)
	if err != nil {
		return 0, err
	}
	home, err := os.MkdirTemp(t.dir, "rsyslog")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(home)
	for _, dir := range []string{"/logs", "/state"} {
		if err := os.Mkdir(home+dir, 0o755); err != nil {
			return 0, err
		}
	}
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	// One line is there from the start: rsyslog connects when it has something
	// to send, and that it has sent it says that it is ready.
	if err := os.WriteFile(home+"/logs/first.log", []byte("first\n"), 0o644); err != nil {
		return 0, err
	}
	if err := os.WriteFile(home+"/rsyslog.conf", fmt.Appendf(nil, rsyslogConfig, home, port), 0o644); err != nil {
		return 0, err
	}
	p, err := start(exec.Command(path, "-n", "-f", home+"/rsyslog.conf", "-i", home+"/pid"))
	if err != nil {
		return 0, err
	}
	defer p.stop()
	_ = ln.SetDeadline(time.Now().Add(10 * time.Second))
	conn, err := ln.AcceptTCP()
	if err != nil {
		return 0, fmt.Errorf("rsyslog does not connect: %w", err)
	}
	defer conn.Close()
	if _, _, err := count(conn, 1); err != nil {
		return 0, fmt.Errorf("rsyslog sends nothing: %w", err)
	}
	from, to := t.dir+"/rsyslog.log", home+"/logs/rsyslog.log"
	begin := time.Now()
	if err := os.Rename(from, to); err != nil {
		return 0, err
	}
	got, last, err := count(conn, lines)
	if back := os.Rename(to, from); back != nil {
		return 0, back
	}
	return float64(got) / last.Sub(begin).Seconds(), err
}
