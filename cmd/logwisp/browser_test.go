package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// cutter passes connections on to a server and breaks one that streams again and
// again, after a random number of bytes.
type cutter struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	cuts  int // still to be made; 0: everything passes
	bytes int // until the next one
	tasks sync.WaitGroup
	conns map[net.Conn]bool
}

func startCutter(t *testing.T, to string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: listener, to: to, conns: make(map[net.Conn]bool)}
	c.tasks.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			c.tasks.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		c.mu.Lock()
		for conn := range c.conns {
			conn.Close()
		}
		c.mu.Unlock()
		c.tasks.Wait()
	})
	return c
}

// arm makes the next n answers end early.
func (c *cutter) arm(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cuts, c.bytes = n, 1000
}

func (c *cutter) left() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cuts
}

// pass returns how many of n bytes may go on before the next cut.
func (c *cutter) pass(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cuts == 0 {
		return n
	}
	if n < c.bytes {
		c.bytes -= n
		return n
	}
	n = c.bytes
	c.cuts--
	c.bytes = 1 + rand.IntN(5000)
	return n
}

func (c *cutter) serve(client net.Conn) {
	server, err := net.Dial("tcp", c.to)
	if err != nil {
		client.Close()
		return
	}
	c.mu.Lock()
	c.conns[client], c.conns[server] = true, true
	c.mu.Unlock()
	c.tasks.Go(func() {
		_, _ = io.Copy(server, client)
		server.Close()
	})
	buffer := make([]byte, 4<<10)
	for {
		n, err := server.Read(buffer)
		may := c.pass(n)
		if _, werr := client.Write(buffer[:may]); err != nil || werr != nil || may < n {
			break
		}
	}
	client.Close()
	server.Close()
}

// startBrowser returns a context for a fresh browser, which the end of the test
// stops.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is missing: apt-get install chromium, or run scripts/test")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox)
	for _, flag := range []string{"disable-gpu", "disable-quic", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	return ctx
}

// startDaemon runs the program on a directory and returns the address of its
// HTTP server.
func startDaemon(t *testing.T, dir string, environment ...string) string {
	t.Helper()
	daemon := exec.Command("logwisp", "--http-host=127.0.0.1", "--http-port=0", dir)
	daemon.Env = append(os.Environ(), environment...)
	stderr, err := daemon.StderrPipe()
	if err == nil {
		err = daemon.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Signal(os.Interrupt)
		if err := daemon.Wait(); err != nil {
			t.Error("the daemon:", err)
		}
	})
	log := filepath.Join(t.TempDir(), "log")
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if err := os.WriteFile(log, append(lines.Bytes(), '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		if port := announcedPort(log, "HTTP"); port != "" {
			go func() { _, _ = io.Copy(io.Discard, stderr) }() // ends with the process
			return "127.0.0.1:" + port
		}
	}
	t.Fatal("the daemon has not said its port")
	return ""
}

// page is a client as people write them. A browser does not try again by itself
// when it was cut off in the head of an answer.
const page = `
	messages = []; ids = []; events = {connected: 0, drop: 0, gap: 0, reset: 0}
	function follow(url) {
		const stream = new EventSource(url)
		stream.onmessage = e => { messages.push(JSON.parse(e.data).message); ids.push(e.lastEventId) }
		for (const name in events) stream.addEventListener(name, () => events[name]++)
		stream.onerror = () => {
			if (stream.readyState == EventSource.CLOSED)
				follow("/stream?" + (ids.length ? "last_event_id=" + ids.at(-1) : "from=earliest"))
		}
	}
	follow("/stream?from=earliest")`

// TestABrowserThatIsCutOffLosesAndRepeatsNothing has an EventSource of a real
// browser cut at 50 random places while lines come.
func TestABrowserThatIsCutOffLosesAndRepeatsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	browser := startBrowser(t)
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "app.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	proxy := startCutter(t, startDaemon(t, dir, "LOGWISP_HTTPSERVER_RETRY_MS=20"))
	if _, err := chromedp.Run(browser, chromedp.Navigate("http://"+proxy.listener.Addr().String()+"/status")); err != nil {
		t.Fatal("start the browser: ", err)
	}
	const cuts = 50
	proxy.arm(cuts)
	run := func(script string) string {
		text, err := chromedp.Run(browser, chromedp.Evaluate[string](script))
		if err != nil {
			t.Fatalf("%.40s: %v; %d cuts are left", script, err, proxy.left())
		}
		return text
	}
	run(page + `; ""`)
	written := 0
	for last := false; !last; {
		last = proxy.left() == 0 // the lines of this turn arrive uncut
		for range 5 {
			written++
			fmt.Fprintf(file, "line %d\n", written)
		}
		for run(`messages.at(-1) ?? ""`) != fmt.Sprintf("line %d", written) && (last || proxy.left() > 0) {
			time.Sleep(pace)
		}
	}
	got := strings.Split(run(`messages.join("\n")`), "\n")
	ids := strings.Split(run(`ids.join("\n")`), "\n")
	if len(got) != written {
		t.Errorf("%d entries of %d lines", len(got), written)
	}
	epoch, _, _ := strings.Cut(ids[0], "-")
	for i := range got {
		if want := fmt.Sprintf("line %d", i+1); got[i] != want {
			t.Fatalf("%s where %s is next", got[i], want)
		}
		if want := fmt.Sprintf("%s-%d", epoch, i+1); ids[i] != want {
			t.Fatalf("%s has the id %s, want %s", got[i], ids[i], want)
		}
	}
	if lost := run("`${events.drop} ${events.gap} ${events.reset}`"); lost != "0 0 0" {
		t.Errorf("events of drop, gap and reset: %s", lost)
	}
	if connected := run("`${events.connected}`"); connected == "1" {
		t.Error("it was never cut off")
	}
}
