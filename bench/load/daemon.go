package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
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

// daemon is a logwisp process started for the run, in a directory of its own.
type daemon struct {
	cmd       *exec.Cmd
	dir       string
	file      string // the log file it follows
	tcp, http netip.AddrPort
	exited    chan struct{} // closed when the process has ended
	err       error         // how; valid once exited is closed
}

// startDaemon starts bin on free loopback ports and waits until it answers.
// The caller stops it.
func startDaemon(bin string, args []string) (*daemon, error) {
	// The daemon runs in its own directory: a relative path would miss there.
	bin, err := findBinary(bin)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "logwisp-load-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary directory: %w", err)
	}
	d := &daemon{dir: dir, file: filepath.Join(dir, "load.log"), exited: make(chan struct{})}
	if err := d.start(bin, args); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := d.waitReady(); err != nil {
		err = fmt.Errorf("start %s: %w%s", bin, err, d.ownLog())
		_ = d.stop() // the first error is the one to show
		return nil, err
	}
	return d, nil
}

// findBinary returns the absolute path of bin, looked up like a command.
func findBinary(bin string) (string, error) {
	found, err := exec.LookPath(bin)
	if err != nil {
		return "", fmt.Errorf("-bin %s: %w: build it with go build ./cmd/logwisp", bin, err)
	}
	return filepath.Abs(found)
}

func (d *daemon) start(bin string, args []string) error {
	// The log file is there and empty, the configuration is there and empty:
	// neither the environment nor the user's settings change a measurement.
	for _, name := range []string{d.file, filepath.Join(d.dir, "logwisp.toml")} {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			return fmt.Errorf("prepare the daemon's directory: %w", err)
		}
	}
	ports, err := freeport.Some(2)
	if err != nil {
		return err
	}
	d.tcp, d.http = netip.MustParseAddrPort("127.0.0.1:"+ports[0]), netip.MustParseAddrPort("127.0.0.1:"+ports[1])
	log, err := os.Create(filepath.Join(d.dir, "daemon.out"))
	if err != nil {
		return fmt.Errorf("prepare the daemon's directory: %w", err)
	}
	defer log.Close()
	all := []string{
		"--enable-tcp", "--tcp-host", "127.0.0.1", "--tcp-port", ports[0],
		"--enable-http", "--http-host", "127.0.0.1", "--http-port", ports[1],
	}
	d.cmd = exec.Command(bin, append(append(all, args...), d.file)...)
	d.cmd.Env = []string{"XDG_CONFIG_HOME=" + d.dir}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "LOGWISP_") && !strings.HasPrefix(kv, "XDG_CONFIG_HOME=") {
			d.cmd.Env = append(d.cmd.Env, kv)
		}
	}
	d.cmd.Dir, d.cmd.Stdout, d.cmd.Stderr = d.dir, log, log
	// Its own process group: an interrupt at the terminal reaches the
	// generator only, which stops the daemon after reading its figures.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", bin, err)
	}
	go func() {
		d.err = d.cmd.Wait()
		close(d.exited)
	}()
	return nil
}

// waitReady returns when /status answers, or with why it never will.
func (d *daemon) waitReady() error {
	deadline := time.Now().Add(startTimeout)
	for {
		_, err := fetchStatus(d.http)
		if err == nil {
			return nil
		}
		select {
		case <-d.exited:
			return fmt.Errorf("it ended at once: %v", d.err)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no answer within %v: %w", startTimeout, err)
		}
		nap(20 * time.Millisecond)
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

// stop ends the process, by its id, and removes its directory. The error says
// if it did not end cleanly.
func (d *daemon) stop() error {
	var err error
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // already ended: Wait says how
	select {
	case <-d.exited:
		if d.err != nil {
			err = fmt.Errorf("the daemon did not stop cleanly: %v%s", d.err, d.ownLog())
		}
	case <-time.After(stopTimeout):
		err = fmt.Errorf("the daemon did not stop within %v of SIGTERM and was killed%s", stopTimeout, d.ownLog())
		_ = d.cmd.Process.Kill()
		<-d.exited
	}
	return errors.Join(err, os.RemoveAll(d.dir))
}

// ownLog is the end of what the daemon printed, for an error message.
func (d *daemon) ownLog() string {
	b, err := os.ReadFile(filepath.Join(d.dir, "daemon.out"))
	if err != nil || len(b) == 0 {
		return ""
	}
	return "\n" + string(b[max(0, len(b)-logShown):])
}
