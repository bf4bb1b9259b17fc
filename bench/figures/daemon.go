package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"logwisp/bench/freeport"
)

const startTime = 15 * time.Second

// daemon is a LogWisp that follows *.log in a directory of its own.
type daemon struct {
	*process
	dir       string // what it follows
	tcp, http string // HOST:PORT
	home      string // all of it, removed at the end
}

// startDaemon starts the daemon and waits until it answers. prepare, unless
// nil, fills its directory first. The caller closes it.
func (t *tools) startDaemon(ctx context.Context, prepare func(dir string) error, args ...string) (_ *daemon, err error) {
	home, err := os.MkdirTemp(t.dir, "daemon")
	if err != nil {
		return nil, err
	}
	d := &daemon{home: home, dir: filepath.Join(home, "logs")}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if err := os.Mkdir(d.dir, 0o755); err != nil {
		return nil, err
	}
	// The machine's settings must not change a measurement: the first configuration
	// that is found counts.
	if err := os.WriteFile(filepath.Join(home, "logwisp.toml"), nil, 0o600); err != nil {
		return nil, err
	}
	if prepare != nil {
		if err := prepare(d.dir); err != nil {
			return nil, err
		}
	}
	ports, err := freeport.Some(2)
	if err != nil {
		return nil, err
	}
	tcp, web := ports[0], ports[1]
	d.tcp, d.http = "127.0.0.1:"+tcp, "127.0.0.1:"+web
	all := append([]string{
		"--enable-tcp", "--tcp-host", "127.0.0.1", "--tcp-port", tcp,
		"--enable-http", "--http-host", "127.0.0.1", "--http-port", web,
	}, args...)
	cmd := exec.Command(t.logwisp, append(all, d.dir+":*.log")...)
	// Nor must the user's.
	cmd.Env = []string{"XDG_CONFIG_HOME=" + home}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "LOGWISP_") && !strings.HasPrefix(kv, "XDG_CONFIG_HOME=") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Dir = home
	if d.process, err = start(cmd); err != nil {
		return nil, err
	}
	return d, until(ctx, "the daemon answers", startTime, func() (bool, error) {
		_, err := d.status()
		return err == nil, nil
	})
}

// close ends the daemon and removes what it followed.
func (d *daemon) close() {
	if d.process != nil {
		d.stop()
	}
	_ = os.RemoveAll(d.home) // below the directory that is removed in the end
}

// log is the path of one of the files it follows, which need not be there.
func (d *daemon) log(name string) string { return filepath.Join(d.dir, name) }

// pid is for the load generator, which measures the process.
func (d *daemon) pid() string { return strconv.Itoa(d.cmd.Process.Pid) }

// status is the part of /status that is looked at.
type status struct {
	Totals struct {
		Entries   uint64 `json:"entries"`
		Delivered uint64 `json:"delivered"`
		Filtered  uint64 `json:"filtered"`
		Dropped   uint64 `json:"dropped"`
	} `json:"totals"`
	Clients struct {
		TCP int `json:"tcp"`
		SSE int `json:"sse"`
	} `json:"clients"`
	Sources struct {
		Files int `json:"files"`
	} `json:"sources"`
}

var statusClient = &http.Client{
	Timeout: 5 * time.Second,
	// No proxy, no idle connection: the daemon sees the subscribers only.
	Transport: &http.Transport{DisableKeepAlives: true},
}

func (d *daemon) status() (status, error) {
	var s status
	resp, err := statusClient.Get("http://" + d.http + "/status")
	if err != nil {
		return s, fmt.Errorf("get /status: %w", err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		return s, fmt.Errorf("get /status: %w", err)
	}
	return s, nil
}

// reaches waits until something is true of the status.
func (d *daemon) reaches(ctx context.Context, what string, done func(status) bool) error {
	return until(ctx, what, 30*time.Second, func() (bool, error) {
		s, err := d.status()
		return err == nil && done(s), err
	})
}

// subscribe connects one TCP client and waits until the daemon has it. The
// caller closes it.
func (d *daemon) subscribe(ctx context.Context) (*net.TCPConn, error) {
	before, err := d.status()
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", d.tcp)
	if err != nil {
		return nil, err
	}
	err = d.reaches(ctx, "the client is subscribed", func(s status) bool { return s.Clients.TCP > before.Clients.TCP })
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}
