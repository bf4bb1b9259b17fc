package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// commandManager is `manager FILE`: what the processes started from here on
// tell a service manager is appended to FILE, one message after the other, each
// behind a line "--".
func commandManager(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: manager FILE")
	}
	// The path of a Unix socket has 107 bytes at most.
	dir, err := os.MkdirTemp("", "manager")
	ts.Check(err)
	path := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	ts.Check(err)
	ended := make(chan struct{})
	ts.Defer(func() {
		_ = conn.Close()
		<-ended
		_ = os.RemoveAll(dir)
	})
	file, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	go func() {
		defer close(ended)
		defer file.Close()
		for message := make([]byte, 4096); ; {
			n, err := conn.Read(message)
			if err != nil {
				return // closed
			}
			_, _ = file.WriteString("--\n" + string(message[:n]) + "\n") // the script sees what is missing
		}
	}()
	ts.Setenv("NOTIFY_SOCKET", path)
}

// commandSocket is `socket [-unix] NAME VARIABLE`: the daemon that is activated
// next gets a listening socket with that FileDescriptorName, whose port is put
// into VARIABLE.
func commandSocket(ts *testscript.TestScript, neg bool, args []string) {
	network, address := "tcp", "127.0.0.1:0"
	if len(args) > 0 && args[0] == "-unix" {
		network, address, args = "unix", "", args[1:]
	}
	if neg || len(args) != 2 {
		ts.Fatalf("usage: socket [-unix] NAME VARIABLE")
	}
	l, err := net.Listen(network, address)
	ts.Check(err)
	defer l.Close()
	file, err := l.(interface{ File() (*os.File, error) }).File()
	ts.Check(err)
	ts.Defer(func() { _ = file.Close() })
	s := sceneOf(ts)
	names := args[0]
	if len(s.sockets) > 0 {
		names = ts.Getenv("LISTEN_FDNAMES") + ":" + names
	}
	s.sockets = append(s.sockets, file)
	ts.Setenv("LISTEN_FDNAMES", names)
	ts.Setenv("LISTEN_FDS", strconv.Itoa(len(s.sockets)))
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	ts.Setenv(args[1], port)
}

// commandActivate is `activate [-pid=PID] NAME [ARG…]`: it starts the daemon
// with the sockets that have been opened, under its own PID unless one is given.
func commandActivate(ts *testscript.TestScript, neg bool, args []string) {
	pid := "$$"
	if len(args) > 0 && strings.HasPrefix(args[0], "-pid=") {
		pid, args = strings.TrimPrefix(args[0], "-pid="), args[1:]
	}
	if neg || len(args) == 0 {
		ts.Fatalf("usage: activate [-pid=PID] NAME [ARG…]")
	}
	s := sceneOf(ts)
	s.handed, s.sockets = s.sockets, nil
	start := "export LISTEN_PID=" + pid + `; exec logwisp "$@"`
	launch(ts, args[0], false, append([]string{"sh", "-c", start, "sh"}, args[1:]...)...)
}
