package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"logwisp/bench/freeport"
)

const (
	// patience is how long a script waits for one thing to happen. It is long
	// because it only passes when something is wrong.
	patience = 30 * time.Second
	// pace is how often a script looks whether it has happened.
	pace = 5 * time.Millisecond
	// scriptTime is when commands of scripts that still run are interrupted.
	scriptTime = 6 * time.Minute
)

// tools are the programs the scripts call, by the package that has them.
var tools = map[string]string{
	"bash": "bash", "curl": "curl", "env": "coreutils", "logger": "bsdutils", "logrotate": "logrotate", "nc": "netcat-openbsd", "script": "bsdutils",
	"socat": "socat", "telnet": "telnet", "timeout": "coreutils",
}

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"logwisp": main, "fakelogwisp": fakeMain})
}

// TestScripts runs the whole program as its users do: as a process, with real
// clients. The commands the scripts have beyond those of testscript are listed
// in scriptCommands.
func TestScripts(t *testing.T) {
	for tool, name := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing: install the package %s", tool, name)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Cmds:                scriptCommands,
		Setup:               setUpScript,
		Deadline:            time.Now().Add(scriptTime),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// scene is what one script has started.
type scene struct {
	processes map[string]*process
	listeners []net.Listener
	streams   []net.Conn
	sockets   []*os.File // that wait to be handed to a daemon
	handed    []*os.File // what the next process inherits, from descriptor 3 on
}

// process is a daemon or a client that runs beside the script.
type process struct {
	cmd    *exec.Cmd
	input  io.WriteCloser // nil when it got an empty standard input
	ended  chan struct{}  // closed once it has exited
	exitAt time.Time      // valid then
}

type sceneKey struct{}

func setUpScript(env *testscript.Env) error {
	s := &scene{processes: map[string]*process{}}
	env.Values[sceneKey{}] = s
	env.Setenv("TZ", "UTC")
	env.Setenv("LC_ALL", "C")
	env.Setenv("HOME", env.WorkDir+"/home")
	env.Defer(s.close)
	return nil
}

// close ends whatever the script has left running.
func (s *scene) close() {
	for _, p := range s.processes {
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	for _, l := range s.listeners {
		_ = l.Close()
	}
	for _, c := range s.streams {
		_ = c.Close()
	}
}

func sceneOf(ts *testscript.TestScript) *scene { return ts.Value(sceneKey{}).(*scene) }

// process returns the process that a script named.
func (s *scene) process(ts *testscript.TestScript, name string) *process {
	p := s.processes[name]
	if p == nil {
		ts.Fatalf("no process %q has been started", name)
	}
	return p
}

// launch runs a program in the script's directory and environment, with its
// output in NAME.out and NAME.err there.
func launch(ts *testscript.TestScript, name string, input bool, argv ...string) *process {
	s := sceneOf(ts)
	if s.processes[name] != nil {
		ts.Fatalf("a process %q has been started before", name)
	}
	ts.Check(ts.Exec("sh", "-c", `env -0 >"$WORK/.tmp/environ"`))
	environ := strings.Split(strings.TrimSuffix(ts.ReadFile(ts.Getenv("WORK")+"/.tmp/environ"), "\x00"), "\x00")
	p := &process{cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = ts.MkAbs("."), environ
	p.cmd.ExtraFiles, s.handed = s.handed, nil
	var err error
	if input {
		p.input, err = p.cmd.StdinPipe()
		ts.Check(err)
	}
	out, err := os.Create(ts.MkAbs(name + ".out"))
	ts.Check(err)
	defer out.Close()
	log, err := os.Create(ts.MkAbs(name + ".err"))
	ts.Check(err)
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr = out, log
	ts.Check(p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // the code is in ProcessState
		p.exitAt = time.Now()
		close(p.ended)
	}()
	s.processes[name] = p
	return p
}

// code returns the exit code of a process that has ended, 128 and the signal
// when one has ended it.
func (p *process) code() int {
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// commandStart is `start [-bare[=SERVERS]] NAME [ARG…]`: it starts the daemon
// with both servers on free ports of the loopback address and waits until it
// has said which. -bare adds no flags and waits for the servers named only.
// TCP_PORT and HTTP_PORT become those of this daemon, NAME_TCP and NAME_HTTP
// stay so.
func commandStart(ts *testscript.TestScript, neg bool, args []string) {
	servers := []string{"tcp", "http"}
	flags := []string{"--enable-tcp", "--tcp-host=127.0.0.1", "--http-host=127.0.0.1", "--tcp-port=0", "--http-port=0"}
	if len(args) > 0 && strings.HasPrefix(args[0], "-bare") {
		names := strings.TrimPrefix(strings.TrimPrefix(args[0], "-bare"), "=")
		flags, servers, args = nil, strings.FieldsFunc(names, func(r rune) bool { return r == ',' }), args[1:]
	}
	if neg || len(args) == 0 {
		ts.Fatalf("usage: start [-bare[=tcp,http]] NAME [ARG…]")
	}
	name := args[0]
	p := launch(ts, name, false, append(append([]string{"logwisp"}, flags...), args[1:]...)...)
	log := ts.MkAbs(name + ".err")
	ts.Setenv("TCP_PORT", "none")
	ts.Setenv("HTTP_PORT", "none")
	for _, server := range servers {
		server = strings.ToUpper(server)
		var port string
		await(ts, func() string {
			if port = announcedPort(log, server); port != "" {
				return ""
			}
			if !p.running() {
				ts.Fatalf("%s ended with exit code %d before its %s server listened:\n%s", name, p.code(), server, tailOf(log))
			}
			return name + " did not log the address of its " + server + " server"
		}, log)
		ts.Setenv(server+"_PORT", port)
		ts.Setenv(name+"_"+server, port)
	}
}

// announcedPort finds the port of a server in the daemon's own log, in either
// format; "" when it is not there yet.
func announcedPort(log, server string) string {
	text, err := os.ReadFile(log)
	if err != nil {
		return ""
	}
	found := regexp.MustCompile(`(?m)` + server + ` server listens\b.*?address\W+?\S*?:(\d+)"?\W*$`).FindSubmatch(text)
	if found == nil {
		return ""
	}
	return string(found[1])
}

// commandClient is `client [-eof] NAME PROGRAM [ARG…]`: it starts a program
// beside the script. Its standard input stays open, for `type`, unless -eof.
func commandClient(ts *testscript.TestScript, neg bool, args []string) {
	input := true
	if len(args) > 0 && args[0] == "-eof" {
		input, args = false, args[1:]
	}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: client [-eof] NAME PROGRAM [ARG…]")
	}
	launch(ts, args[0], input, args[1:]...)
}

// commandType is `type [-n] [-q] NAME TEXT…`: it types a line into a client. The
// flags are those of append.
func commandType(ts *testscript.TestScript, neg bool, args []string) {
	name, text := lineOf(ts, neg, args)
	_, err := sceneOf(ts).process(ts, name).input.Write(text)
	ts.Check(err)
}

var signals = map[string]syscall.Signal{
	"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP,
	"KILL": syscall.SIGKILL, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT,
}

// commandSignal is `signal NAME SIGNAL…`.
func commandSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: signal NAME INT|TERM|HUP|KILL|STOP|CONT…")
	}
	for _, name := range args[1:] {
		sig, ok := signals[name]
		if !ok {
			ts.Fatalf("unknown signal %q", name)
		}
		ts.Check(sceneOf(ts).process(ts, args[0]).cmd.Process.Signal(sig))
	}
}

// commandExits is `exits NAME CODE`: it waits for a process to end. CODE may be
// any.
func commandExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: exits NAME CODE|any")
	}
	p, log := sceneOf(ts).process(ts, args[0]), ts.MkAbs(args[0]+".err")
	select {
	case <-p.ended:
	case <-time.After(patience):
		ts.Fatalf("%s still runs:\n%s", args[0], tailOf(log))
	}
	if got := strconv.Itoa(p.code()); args[1] != "any" && got != args[1] {
		ts.Fatalf("%s ended with exit code %s, want %s:\n%s", args[0], got, args[1], tailOf(log))
	}
}

// commandExitcode is `exitcode CODE[|CODE] PROGRAM [ARG…]`: the program must
// end by itself with that code. Its output is there for stdout and stderr.
func commandExitcode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode CODE[|CODE] PROGRAM [ARG…]")
	}
	code := 0
	if err := ts.Exec("timeout", append([]string{"-s", "KILL", "60"}, args[1:]...)...); err != nil {
		code = -1 // a signal: that of timeout, sent to its own group
		if exit, ok := err.(*exec.ExitError); ok {
			code = exit.ExitCode()
		}
	}
	for want := range strings.SplitSeq(args[0], "|") {
		if strconv.Itoa(code) == want {
			return
		}
	}
	ts.Fatalf("%s: exit code %d, want %s (-1 and 137: it did not end)\nstdout:\n%s\nstderr:\n%s",
		strings.Join(args[1:], " "), code, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
}

// commandFreeport is `freeport VARIABLE`.
func commandFreeport(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: freeport VARIABLE")
	}
	port, err := freeport.One()
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// commandOccupy is `occupy VARIABLE`: something else has that port until the
// script ends.
func commandOccupy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: occupy VARIABLE")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	s := sceneOf(ts)
	s.listeners = append(s.listeners, l)
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// commandRefused is `refused PORT…`.
func commandRefused(ts *testscript.TestScript, neg bool, args []string) {
	for _, port := range args {
		await(ts, func() string {
			c, err := net.Dial("tcp", "127.0.0.1:"+port)
			if errors.Is(err, syscall.ECONNREFUSED) {
				return ""
			}
			if err == nil {
				c.Close()
			}
			return fmt.Sprintf("port %s is not closed: %v", port, err)
		})
	}
}

// await polls until missing returns "", and otherwise fails the script with
// what it returned last and the end of the files.
func await(ts *testscript.TestScript, missing func() string, files ...string) {
	deadline := time.Now().Add(patience)
	for {
		problem := missing()
		if problem == "" {
			return
		}
		if time.Now().After(deadline) {
			for _, file := range files {
				problem += fmt.Sprintf("\n--- end of %s:\n%s", file, tailOf(file))
			}
			ts.Fatalf("waited %v: %s", patience, problem)
		}
		time.Sleep(pace)
	}
}

// tailOf returns the end of a file for a message.
func tailOf(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	if len(text) > 2000 {
		text = text[len(text)-2000:]
	}
	return string(text)
}
