package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const stopTime = 10 * time.Second // from SIGTERM to SIGKILL

// run is one scenario under way: its directory and what it has started.
type run struct {
	*bench
	dir     string
	started []*process
	reads   int     // how often LogWisp reads the log
	wrote   []entry // what its lines say: message, level and, unless they tell none, time
}

// process is a program that was started; it is stopped by its id.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	log    string
}

// start starts a program whose output goes to a file.
func (r *run) start(path string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(path, args...), exited: make(chan struct{})}
	p.log = r.path(fmt.Sprintf("%s-%d.out", filepath.Base(path), len(r.started)))
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Dir = out, out, r.dir
	// The user's settings must not change what is tried.
	p.cmd.Env = []string{"XDG_CONFIG_HOME=" + r.dir}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "LOGWISP_") && !strings.HasPrefix(kv, "XDG_CONFIG_HOME=") {
			p.cmd.Env = append(p.cmd.Env, kv)
		}
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt reaches this program only
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // how it ended does not matter: what arrived is counted
	}()
	r.started = append(r.started, p)
	return p, nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.exited:
	case <-time.After(stopTime):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// said is the end of what it has printed.
func (p *process) said() string {
	text, _ := os.ReadFile(p.log)
	return string(text[max(0, len(text)-600):])
}

// stopAll stops what was started, the last first.
func (r *run) stopAll() {
	for len(r.started) > 0 {
		r.stopLast()
	}
}

// stopLast ends what was started last.
func (r *run) stopLast() {
	last := len(r.started) - 1
	r.started[last].stop()
	r.started = r.started[:last]
}

func (r *run) path(name string) string { return filepath.Join(r.dir, name) }

func (r *run) write(name, text string) (string, error) {
	return r.path(name), os.WriteFile(r.path(name), []byte(text), 0o644)
}

// listens waits until somebody accepts connections at a port.
func (p *process) listens(ctx context.Context, port string) error {
	return until(ctx, "port "+port+" answers", func() (bool, error) {
		select {
		case <-p.exited:
			return false, fmt.Errorf("%s has ended: %s", filepath.Base(p.cmd.Path), p.said())
		default:
		}
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second)
		if err != nil {
			return false, nil //nolint:nilerr // it is tried again
		}
		return true, c.Close()
	})
}

// until calls done until it reports true, an error, or there is no more time.
func until(ctx context.Context, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, arriveTime)
	defer cancel()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("until %s: %w", what, ctx.Err())
		}
	}
}

// web is without a proxy and without connections that stay open.
var web = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func get(ctx context.Context, url string) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	a, err := web.Do(q)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err == nil && a.StatusCode >= 300 {
		err = fmt.Errorf("get %s: %s: %s", url, a.Status, text[:min(len(text), 300)])
	}
	return text, err
}

// recipe returns the block of README.md that begins with a comment that names
// what, with the pairs of old and new in it replaced; each old must be there.
func (r *run) recipe(what string, pairs ...string) (string, error) {
	text, err := os.ReadFile(r.readme)
	if err != nil {
		return "", err
	}
	for i, block := range bytes.Split(text, []byte("\n```")) {
		if i%2 == 0 {
			continue // between blocks
		}
		_, body, _ := strings.Cut(string(block), "\n")
		if first, _, _ := strings.Cut(body, "\n"); !strings.HasPrefix(first, "#") || !strings.Contains(first, what) {
			continue
		}
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(body, pairs[i]) {
				return "", fmt.Errorf("the recipe %q of %s has no %q", what, r.readme, pairs[i])
			}
			body = strings.ReplaceAll(body, pairs[i], pairs[i+1])
		}
		return body + "\n", nil
	}
	return "", fmt.Errorf("%s has no recipe that begins with a comment with %q", r.readme, what)
}
