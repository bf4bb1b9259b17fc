package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"logwisp/bench/freeport"
)

// daemon is a LogWisp that follows one file.
type daemon struct {
	cmd     *exec.Cmd
	dir     string
	log     *os.File
	address string // HOST:PORT
	lines   int    // written so far
}

// startDaemon starts one and waits until it answers. The caller closes it.
func (b *bench) startDaemon(ctx context.Context) (*daemon, error) {
	dir, err := os.MkdirTemp("", "viewer-daemon")
	if err != nil {
		return nil, err
	}
	d := &daemon{dir: dir}
	if d.log, err = os.Create(filepath.Join(dir, "app.log")); err != nil {
		d.close()
		return nil, err
	}
	port, err := freeport.One()
	if err != nil {
		d.close()
		return nil, err
	}
	d.address = "127.0.0.1:" + port
	d.cmd = exec.Command(b.logwisp, "--http-host", "127.0.0.1", "--http-port", port, dir+":*.log")
	// The user's settings must not change a measurement, nor those of the machine:
	// the first configuration that is found counts.
	if err := os.WriteFile(filepath.Join(dir, "logwisp.toml"), nil, 0o600); err != nil {
		d.close()
		return nil, err
	}
	d.cmd.Env = []string{"XDG_CONFIG_HOME=" + dir}
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.cmd.Start(); err != nil {
		d.close()
		return nil, fmt.Errorf("start the daemon: %w", err)
	}
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + d.address + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return d, nil
			}
		}
		if ctx.Err() != nil || time.Now().After(end) {
			d.close()
			return nil, fmt.Errorf("the daemon does not answer: %w", err)
		}
	}
}

// close ends the daemon, by its id, and removes what it followed.
func (d *daemon) close() {
	if d.cmd != nil && d.cmd.Process != nil {
		_ = d.cmd.Process.Signal(syscall.SIGTERM)
		_ = d.cmd.Wait() // how it ended does not matter
	}
	if d.log != nil {
		_ = d.log.Close()
	}
	_ = os.RemoveAll(d.dir)
}

// write appends n lines of about 200 bytes with the time of now.
func (d *daemon) write(n int) {
	var b strings.Builder
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	for range n {
		d.lines++
		level := "info"
		if d.lines%50 == 0 {
			level = "error"
		}
		fmt.Fprintf(&b, `{"time":"%s","level":"%s","msg":"request %d was served from the nearest node of the cache","method":"GET","path":"/v1/orders/%d","status":200,"ms":%d.5,"request_id":"%016x"}`+"\n",
			now, level, d.lines, d.lines%1000, d.lines%97, d.lines)
	}
	_, _ = d.log.WriteString(b.String()) // the figures show what is missing
}

// grow appends so many lines a second until the function it returns is called.
func (d *daemon) grow(perSecond int) (stop func()) {
	end := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		begin, before := time.Now(), d.lines
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				d.write(int(time.Since(begin).Seconds()*float64(perSecond)) - (d.lines - before))
			}
		}
	})
	return func() {
		close(end)
		writer.Wait()
	}
}

func decode(raw []byte, to any) error {
	if err := json.Unmarshal(raw, to); err != nil {
		return fmt.Errorf("what the page answers: %w", err)
	}
	return nil
}
