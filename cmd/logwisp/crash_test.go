package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// crashing is a daemon that is to be killed, with a checkpoint.
type crashing struct {
	cmd  *exec.Cmd
	tcp  string
	http string
}

// startCrashing runs the daemon on app.log in dir, and has whoever connects get
// all there is.
func startCrashing(t *testing.T, dir string) *crashing {
	t.Helper()
	log, err := os.Create(filepath.Join(dir, "daemon.err"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	d := &crashing{cmd: exec.Command("logwisp", "--from-start", "--checkpoint", filepath.Join(dir, "checkpoint.json"),
		"--enable-tcp", "--tcp-host=127.0.0.1", "--tcp-port=0", "--http-host=127.0.0.1", "--http-port=0", filepath.Join(dir, "app.log"))}
	d.cmd.Stderr = log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.crash)
	comesTrue(t, "the daemon says its ports", func() bool {
		d.tcp, d.http = announcedPort(log.Name(), "TCP"), announcedPort(log.Name(), "HTTP")
		return d.tcp != "" && d.http != ""
	})
	return d
}

func (d *crashing) crash() {
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait() // it was killed
}

// entries is how many lines the daemon has read.
func (d *crashing) entries() (n int) {
	out, err := exec.Command("curl", "-fsS", "http://127.0.0.1:"+d.http+"/status").Output()
	var s struct{ Totals struct{ Entries int } }
	if err == nil {
		err = json.Unmarshal(out, &s)
	}
	if err != nil {
		return -1
	}
	return s.Totals.Entries
}

func comesTrue(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain until", what)
		}
	}
}

// TestWhatASlowClientHasNotHadYetComesAgainAfterACrash kills the daemon while
// most of what it has read is still in the ring, and long after the checkpoint
// would have been written if nobody were on the way.
func TestWhatASlowClientHasNotHadYetComesAgainAfterACrash(t *testing.T) {
	const lines = 8000 // of 1 KB: far more than the sockets hold
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "app.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	d := startCrashing(t, dir)
	c, err := net.Dial("tcp", "127.0.0.1:"+d.tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.(*net.TCPConn).SetReadBuffer(64 << 10)
	var text strings.Builder
	for i := range lines {
		fmt.Fprintf(&text, "row %05d %s\n", i, strings.Repeat("x", 1000))
	}
	if _, err := file.WriteString(text.String()); err != nil {
		t.Fatal(err)
	}
	comesTrue(t, "all is read", func() bool { return d.entries() == lines })
	time.Sleep(1200 * time.Millisecond) // positions are kept once a second
	d.crash()
	seen := make(map[string]bool)
	take := func(c net.Conn, last string) {
		_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
		for s := bufio.NewScanner(c); s.Scan(); {
			if _, row, ok := strings.Cut(s.Text(), `"message":"row `); ok {
				seen[row[:5]] = true
			}
			if last != "" && strings.Contains(s.Text(), last) {
				return
			}
		}
	}
	take(c, "")
	before := len(seen)
	again := startCrashing(t, dir)
	c, err = net.Dial("tcp", "127.0.0.1:"+again.tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := file.WriteString("this is the end\n"); err != nil {
		t.Fatal(err)
	}
	take(c, "this is the end")
	if before == lines {
		t.Fatal("the client had everything before the crash: this tests nothing")
	}
	if len(seen) != lines {
		t.Errorf("%d of %d lines came, %d of them before the crash", len(seen), lines, before)
	}
}
