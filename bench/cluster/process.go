package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"logwisp/bench/freeport"
)

// process is one that is killed and started again with the same arguments.
type process struct {
	name string
	bin  string
	dir  string
	args []string
	cmd  *exec.Cmd
	done chan struct{}
}

// start starts it; what it says is added to a file in dir.
func (p *process) start() error {
	log, err := os.OpenFile(filepath.Join(p.dir, p.name+".txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	p.cmd = exec.Command(p.bin, p.args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Dir = p.dir
	own := filepath.Join(p.dir, p.name)
	if err := os.MkdirAll(own, 0o700); err != nil {
		return err
	}
	// Neither the user's settings nor those of the machine count.
	if err := os.WriteFile(filepath.Join(own, "logwisp.toml"), nil, 0o600); err != nil {
		return err
	}
	p.cmd.Env = slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "LOGWISP_") })
	p.cmd.Env = append(p.cmd.Env, "STATE_DIRECTORY="+own, "XDG_CONFIG_HOME="+own)
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(p.cmd, p.done)
	return nil
}

// kill ends it as a loss of power would.
func (p *process) kill() {
	if p.cmd != nil && p.cmd.Process != nil && p.done != nil {
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// used returns the processor time it has taken, user and system.
func (p *process) used() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime, of 100 to the second
		n, _ := strconv.ParseInt(field, 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// log returns the end of what it has said.
func (p *process) log() string {
	text, _ := os.ReadFile(filepath.Join(p.dir, p.name+".txt"))
	return p.name + ":\n" + string(text[max(0, len(text)-2000):])
}

// answers waits until something listens on a port.
func answers(port string, patience time.Duration) error {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(end) {
			return fmt.Errorf("nothing listens on port %s: %w", port, err)
		}
	}
}

// cluster is all that runs.
type cluster struct {
	dir     string
	servers []*process
	edges   []*process
	hubs    []*process
	urls    []string // of the hubs
	tcp     []string // ports of theirs
	logs    []string // what the edges follow
}

// newCluster starts a cluster of servers, and as many edges and hubs as are
// asked for.
func newCluster(o *options, dir string, servers, edges, hubs int) (*cluster, error) {
	c := &cluster{dir: dir}
	free, err := freeport.Some(2*servers + 2*hubs)
	if err != nil {
		return nil, err
	}
	var routes, addresses []string
	for i := range servers {
		addresses = append(addresses, "127.0.0.1:"+free[2*i])
		routes = append(routes, "nats://127.0.0.1:"+free[2*i+1])
	}
	for i := range servers {
		name := fmt.Sprint("server", i+1)
		p := &process{name: name, bin: o.server, dir: dir, args: []string{
			"-a", "127.0.0.1", "-p", free[2*i], "-js", "-sd", filepath.Join(dir, name), "-n", name,
		}}
		if servers > 1 {
			p.args = append(p.args, "-cluster_name", "c", "-cluster", routes[i], "-routes", strings.Join(routes, ","))
		}
		c.servers = append(c.servers, p)
	}
	url := "nats://" + strings.Join(addresses, ",") + "/LOGS"
	for i := range edges {
		name := fmt.Sprint("edge", i+1)
		logs := filepath.Join(dir, name+"-logs")
		if err := os.MkdirAll(logs, 0o700); err != nil {
			return nil, err
		}
		c.logs = append(c.logs, filepath.Join(logs, "app.log"))
		c.edges = append(c.edges, &process{name: name, bin: o.bin, dir: dir, args: []string{
			"--tcp-port", "0", "--http-port", "0", "--tcp-host", "127.0.0.1", "--http-host", "127.0.0.1",
			"--output", fmt.Sprintf("%s?host=%s&replicas=%d&max_bytes=%d", url, name, servers, o.maxBytes), logs,
		}})
	}
	for i := range hubs {
		http, tcp := free[2*servers+2*i], free[2*servers+2*i+1]
		c.urls, c.tcp = append(c.urls, "http://127.0.0.1:"+http), append(c.tcp, tcp)
		c.hubs = append(c.hubs, &process{name: fmt.Sprint("hub", i+1), bin: o.bin, dir: dir, args: append([]string{
			"--enable-tcp", "--tcp-port", tcp, "--http-port", http, "--tcp-host", "127.0.0.1", "--http-host", "127.0.0.1", "--input", url,
		}, o.hubArgs...)})
	}
	for _, group := range [][]*process{c.servers, c.edges, c.hubs} {
		for _, p := range group {
			if err := p.start(); err != nil {
				c.stop()
				return nil, err
			}
		}
	}
	for _, port := range c.tcp {
		if err := answers(port, 15*time.Second); err != nil {
			c.stop()
			return nil, err
		}
	}
	return c, nil
}

func (c *cluster) stop() {
	for _, group := range [][]*process{c.hubs, c.edges, c.servers} {
		for _, p := range group {
			p.kill()
		}
	}
}

func (c *cluster) say() string {
	var b strings.Builder
	for _, group := range [][]*process{c.servers, c.edges, c.hubs} {
		for _, p := range group {
			b.WriteString(p.log())
		}
	}
	return b.String()
}
