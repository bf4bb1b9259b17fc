package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
)

// fakeServer plays the streams of a LogWisp, over HTTP and raw TCP, as they are
// written down: one part a connection, the last one for all that follow. A part
// is what is sent, line by line, except for lines that begin with !:
//
//	!answer 401 {"error":"…"}   the answer, with a body, instead of a stream
//	!header NAME: VALUE         one more of the answer
//	!torn TEXT                  TEXT without a newline, after everything else
//	!hold                       the connection stays open until the client leaves
//
// Parts are separated by a line ====.
type fakeServer struct {
	net.Listener
	parts []string

	mu    sync.Mutex
	asked []string // the request line or the hello of each connection
}

func newFakeServer(network, address, script string) (*fakeServer, error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	return &fakeServer{Listener: l, parts: strings.Split(script, "====\n")}, nil
}

// serve plays until the listener is closed.
func (s *fakeServer) serve() {
	for {
		c, err := s.Accept()
		if err != nil {
			return
		}
		go s.play(c)
	}
}

// questions returns what has been asked for so far.
func (s *fakeServer) questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

func (s *fakeServer) play(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	question, _ := in.ReadString('\n')
	question = strings.TrimSpace(question)
	overHTTP := strings.HasPrefix(question, "GET ")
	for line := question; overHTTP && line != ""; {
		line, _ = in.ReadString('\n')
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "Accept: ") || strings.HasPrefix(line, "Authorization: ") {
			question += "\n" + line
		}
	}
	s.mu.Lock()
	part := s.parts[min(len(s.asked), len(s.parts)-1)]
	s.asked = append(s.asked, question)
	s.mu.Unlock()

	status, form, headers, body, torn, hold := "200", "application/x-ndjson", "", "", "", false
	for line := range strings.Lines(part) {
		answer, isAnswer := strings.CutPrefix(line, "!answer ")
		header, isHeader := strings.CutPrefix(line, "!header ")
		rest, isTorn := strings.CutPrefix(line, "!torn ")
		switch {
		case isTorn:
			torn = strings.TrimSuffix(rest, "\n")
		case isAnswer:
			status, body, _ = strings.Cut(answer, " ")
			form = "application/json"
		case isHeader:
			headers += strings.TrimSuffix(header, "\n") + "\r\n"
		case line == "!hold\n":
			hold = true
		default:
			body += line
		}
	}
	if overHTTP {
		fmt.Fprintf(c, "HTTP/1.1 %s OK\r\nContent-Type: %s\r\n%sConnection: close\r\n\r\n", status, form, headers)
	} else {
		fmt.Fprintln(c, `{"time":"2024-01-01T12:00:00.000000Z","source":"x","message":"not shaped"}`)
	}
	fmt.Fprint(c, body+torn)
	if hold {
		_, _ = in.ReadByte()
	}
}

// fakeMain is a fakeServer as a program: fakelogwisp ADDRESS FILE.
func fakeMain() {
	script, err := os.ReadFile(os.Args[2])
	if err == nil {
		var s *fakeServer
		network := "tcp"
		if strings.HasPrefix(os.Args[1], "/") {
			network = "unix"
		}
		if s, err = newFakeServer(network, os.Args[1], string(script)); err == nil {
			fmt.Println("listening")
			s.serve()
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// entryLine is the line of entry n, with its id.
func entryLine(n int) string {
	return fmt.Sprintf(`{"id":"7-%d","time":"2024-01-01T12:00:%02d.000000Z","source":"app.log","level":"info","message":"m%d"}`+"\n", n, n, n)
}

const (
	connectedLine = `{"type":"connected","client_id":"c-1","epoch":"7","head":"7-9","oldest":"7-1","version":"dev"}` + "\n"
	limitLine     = `{"type":"disconnect","reason":"limit"}` + "\n"
)

// startFake serves a script until the test ends.
func startFake(t *testing.T, network, script string) (s *fakeServer, address string) {
	t.Helper()
	where := "127.0.0.1:0"
	if network == "unix" {
		where = t.TempDir() + "/s"
	}
	s, err := newFakeServer(network, where, script)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		s.serve()
		close(done)
	}()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return s, s.Addr().String()
}
