package main

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// forwarded is a run whose lines come through a forwarder of file.
func forwarded(t *testing.T) options {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return options{
		listen: netip.MustParseAddrPort(ln.Addr().String()), file: t.TempDir() + "/load.log",
		clients: 1, rate: 20_000, lines: 200, duration: time.Minute,
		lineBytes: 200, full: true, threads: 1, settle: 10 * time.Second,
	}
}

// forward sends what change makes of every line of o.file to o.listen, until
// the connection ends.
func forward(t *testing.T, o options, change func(string) string) {
	ended := make(chan struct{})
	t.Cleanup(func() { <-ended })
	go func() {
		defer close(ended)
		var c net.Conn
		var err error
		for end := time.Now().Add(5 * time.Second); ; {
			if c, err = net.Dial("tcp", o.listen.String()); err == nil || time.Now().After(end) {
				break
			}
		}
		if err != nil {
			t.Errorf("connect: %v", err)
			return
		}
		defer c.Close()
		f, err := os.Open(o.file)
		if err != nil {
			t.Errorf("open: %v", err)
			return
		}
		defer f.Close()
		in, part := bufio.NewReader(f), ""
		for {
			line, err := in.ReadString('\n')
			part += line // a read may see the beginning of a line only
			if err != nil {
				if gone(c) {
					return
				}
				continue
			}
			if _, err := io.WriteString(c, change(part)); err != nil {
				return
			}
			part = ""
		}
	}()
}

// gone reports whether the other end has closed; it waits a little for that.
func gone(c net.Conn) bool {
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return err != nil && !os.IsTimeout(err)
}

func TestBareLinesOfAForwarderAreCheckedByteForByte(t *testing.T) {
	for name, c := range map[string]struct {
		change func(string) string
		want   string
	}{
		"whole": {func(s string) string { return s }, ""},
		"losing": {func(s string) string {
			if seq, _ := lineSeq([]byte(s)); seq == faultySeq {
				return ""
			}
			return s
		}, "misses 1 lines; first: 1 lines missing before line 41"},
		"changed": {func(s string) string { return strings.ReplaceAll(s, ".\n", ",\n") }, "differ from what was written"},
	} {
		t.Run(name, func(t *testing.T) {
			o := forwarded(t)
			forward(t, o, c.change)
			rep := mustRun(t, o)
			if c.want == "" {
				wantWhole(t, rep, o)
			} else if got := strings.Join(rep.Broken, "\n"); !strings.Contains(got, c.want) {
				t.Errorf("broken: %q, want %q", got, c.want)
			}
		})
	}
}

func TestCommandOfAPipelineIsMeasuredWithItsChildren(t *testing.T) {
	for _, name := range []string{"tail", "nc"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(err)
		}
	}
	o := forwarded(t)
	o.args = []string{"sh", "-c", `trap : TERM; tail -n +1 -F "$0" | nc "$1" "$2"`, o.file, o.listen.Addr().String(), strconv.Itoa(int(o.listen.Port()))}
	rep := mustRun(t, o)
	wantWhole(t, rep, o)
	if rep.Daemon == nil || rep.Daemon.Writes < 2 {
		t.Errorf("measured %+v, want the writes of tail and of nc", rep.Daemon)
	}
}

func TestForwarderThatEndsAtOnceIsReportedWithItsOutput(t *testing.T) {
	o := forwarded(t)
	o.args = []string{"sh", "-c", "echo no such host >&2; exit 3"}
	_, err := run(t.Context(), o, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no such host") {
		t.Errorf("error %v", err)
	}
}

func TestForwarderThatNeverConnectsEndsTheRun(t *testing.T) {
	o := forwarded(t)
	o.settle = 100 * time.Millisecond
	_, err := run(t.Context(), o, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "0 of 1 forwarders") {
		t.Errorf("error %v", err)
	}
}
