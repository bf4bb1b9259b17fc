package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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
	startTimeout = 15 * time.Second
	stopTimeout  = 10 * time.Second
	logShown     = 4 << 10 // bytes of the daemon's own log in an error
)

// daemon is a logwisp process, started again after each kill on the same ports
// and with the same checkpoint.
type daemon struct {
	bin       string
	dir       string
	args      []string
	tcp, http string // host:port
	collector string // host:port that the daemon pushes to

	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended
	err    error         // how; valid once exited is closed
}

// newDaemon chooses ports and arguments; logs is the directory of the log. The
// daemon's own files are in dir.
func newDaemon(o *options, dir, logs string) (*daemon, error) {
	bin, err := exec.LookPath(o.bin)
	if err != nil {
		return nil, fmt.Errorf("-bin %s: %w: build it with go build ./cmd/logwisp", o.bin, err)
	}
	if bin, err = filepath.Abs(bin); err != nil {
		return nil, fmt.Errorf("-bin %s: %w", o.bin, err)
	}
	d := &daemon{bin: bin, dir: dir}
	ports, err := freeport.Some(3)
	if err != nil {
		return nil, err
	}
	for i, at := range []*string{&d.tcp, &d.http, &d.collector} {
		*at = "127.0.0.1:" + ports[i]
	}
	d.args = []string{
		"--from-start", "--enable-tcp", "--tcp-host", "127.0.0.1", "--tcp-port", ports[0],
		"--http-host", "127.0.0.1", "--http-port", ports[1],
	}
	if o.killing() {
		d.args = append(d.args, "--checkpoint", filepath.Join(dir, "checkpoint.json"))
	}
	target := filepath.Join(logs, logName)
	if o.inside {
		target = logs + ":" + logName + "*"
	}
	d.args = append(append(d.args, o.args...), target)
	// The configuration is there: nobody's settings change a run.
	var config string
	if o.mode == "guarantee" {
		config = fmt.Sprintf("[[outputs]]\nname = \"collector\"\nurl = \"http://%s/\"\nguarantee = true\n", d.collector)
	}
	if err := os.WriteFile(filepath.Join(dir, "logwisp.toml"), []byte(config), 0o644); err != nil {
		return nil, fmt.Errorf("prepare the daemon's directory: %w", err)
	}
	return d, nil
}

// start starts the process. Whoever needs an answer asks for it.
func (d *daemon) start() error {
	log, err := os.OpenFile(filepath.Join(d.dir, "daemon.out"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("prepare the daemon's directory: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(d.bin, d.args...)
	cmd.Env = []string{"XDG_CONFIG_HOME=" + d.dir}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "LOGWISP_") && !strings.HasPrefix(kv, "XDG_CONFIG_HOME=") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = d.dir, log, log
	// Its own process group: an interrupt at the terminal reaches this process
	// only, which stops it after reading its figures.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", d.bin, err)
	}
	exited := make(chan struct{})
	d.cmd, d.exited = cmd, exited
	go func() {
		d.err = cmd.Wait()
		close(exited)
	}()
	return nil
}

// await connects a client at one of the daemon's ports and has it say request, as
// soon as the daemon lets it in and before limit.
func (d *daemon) await(ctx context.Context, at, request string, limit time.Time) (net.Conn, error) {
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", at)
		if err == nil {
			if _, err = io.WriteString(conn, request); err == nil {
				return conn, nil
			}
			conn.Close()
		}
		if time.Now().After(limit) || ctx.Err() != nil {
			return nil, fmt.Errorf("the daemon lets nobody in: %w%s", err, d.ownLog())
		}
		time.Sleep(step) // it is not up yet
	}
}

// alive returns an error when the process has ended.
func (d *daemon) alive() error {
	select {
	case <-d.exited:
		return fmt.Errorf("the daemon ended during the run: %v%s", d.err, d.ownLog())
	default:
		return nil
	}
}

// kill ends the process as a crash does.
func (d *daemon) kill() {
	_ = d.cmd.Process.Kill() // it may have ended: alive has said so or will
	<-d.exited
}

// stop ends the process in good order, if there is one. The error says if it
// did not end cleanly.
func (d *daemon) stop() error {
	if d.cmd == nil {
		return nil
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // already ended: Wait says how
	select {
	case <-d.exited:
		if d.err != nil {
			return fmt.Errorf("the daemon did not stop cleanly: %w%s", d.err, d.ownLog())
		}
		return nil
	case <-time.After(stopTimeout):
		d.kill()
		return fmt.Errorf("the daemon did not stop within %v of SIGTERM and was killed%s", stopTimeout, d.ownLog())
	}
}

// ownLog is the end of what the daemon printed, for an error message.
func (d *daemon) ownLog() string {
	b, err := os.ReadFile(filepath.Join(d.dir, "daemon.out"))
	if err != nil || len(b) == 0 {
		return ""
	}
	return "\n" + string(b[max(0, len(b)-logShown):])
}

// complaints counts the warnings and errors in the daemon's log, by message.
func (d *daemon) complaints() (map[string]int, error) {
	text, err := os.ReadFile(filepath.Join(d.dir, "daemon.out"))
	if err != nil {
		return nil, fmt.Errorf("read the daemon's log: %w", err)
	}
	said := make(map[string]int)
	for line := range strings.Lines(string(text)) {
		_, rest, warning := strings.Cut(line, "level=WARN msg=")
		if !warning {
			if _, rest, warning = strings.Cut(line, "level=ERROR msg="); !warning {
				continue
			}
		}
		message, _, _ := strings.Cut(rest, " ")
		if strings.HasPrefix(rest, `"`) {
			message, _, _ = strings.Cut(rest[1:], `"`)
		}
		said[message]++
	}
	return said, nil
}

// counter returns the sum of the daemon's series with a name, given without
// logwisp_, and a label. No name is 0.
func (d *daemon) counter(of string) (sum float64, err error) {
	name, label, _ := strings.Cut(of, " ")
	if name == "" {
		return 0, nil
	}
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + d.http + "/metrics")
	if err != nil {
		return 0, fmt.Errorf("ask the daemon for its metrics: %w", err)
	}
	defer resp.Body.Close()
	series, found := bufio.NewScanner(resp.Body), false
	for series.Scan() {
		labels, value, _ := strings.Cut(series.Text(), "} ")
		if !strings.HasPrefix(labels, "logwisp_"+name+"{") || !strings.Contains(labels, label) {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("the daemon's metrics: %q: %w", series.Text(), err)
		}
		sum, found = sum+n, true
	}
	if err := series.Err(); err != nil || !found {
		return 0, fmt.Errorf("the daemon's metrics, %s with status %d: %w", of, resp.StatusCode, cmp.Or(err, errors.New("there is none")))
	}
	return sum, nil
}

// status is what of the daemon's /status is compared with what came.
type status struct {
	Totals struct {
		Dropped uint64 `json:"dropped"`
	} `json:"totals"`
	Clients struct {
		TCP int `json:"tcp"`
		SSE int `json:"sse"`
	} `json:"clients"`
	Sources struct {
		Rotations   uint64 `json:"rotations"`
		Truncations uint64 `json:"truncations"`
		LostBytes   uint64 `json:"lost_bytes"`
		Errors      uint64 `json:"errors"`
	} `json:"sources"`
}

func (d *daemon) status() (s status, err error) {
	client := http.Client{Timeout: stopTimeout}
	answer, err := client.Get("http://" + d.http + "/status")
	if err != nil {
		return s, fmt.Errorf("read /status: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return s, errors.New("read /status: " + answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(&s); err != nil {
		return s, fmt.Errorf("read /status: %w", err)
	}
	return s, nil
}

// footprint is what the process holds now.
type footprint struct {
	resident    uint64 // bytes
	peak        uint64 // bytes, since the process began
	descriptors int
}

// footprint reads /proc; what cannot be read is 0, as when the process has just
// been killed.
func (d *daemon) footprint() (f footprint) {
	dir := "/proc/" + strconv.Itoa(d.cmd.Process.Pid)
	if text, err := os.ReadFile(dir + "/status"); err == nil {
		f.resident = 1024 * procField(text, "VmRSS:")
		f.peak = 1024 * procField(text, "VmHWM:")
	}
	if list, err := os.ReadDir(dir + "/fd"); err == nil {
		f.descriptors = len(list)
	}
	return f
}

// procField returns the number behind name, 0 when there is none.
func procField(text []byte, name string) uint64 {
	_, after, _ := bytes.Cut(text, []byte(name))
	if f := bytes.Fields(after); len(f) > 0 {
		v, _ := strconv.ParseUint(string(f[0]), 10, 64)
		return v
	}
	return 0
}
