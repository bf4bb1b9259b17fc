package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"
)

// pipe is the shell's way: tail's output, sent to a listener by nc.
type pipe struct {
	tail, nc *process
	conn     *net.TCPConn
}

// startPipe runs tail with args into nc, which connects back. The caller
// closes it.
func startPipe(args ...string) (*pipe, error) {
	nc, err := find("nc", "netcat-openbsd")
	if err != nil {
		return nil, err
	}
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	defer ln.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	defer w.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	p := &pipe{}
	receiver := exec.Command(nc, "-N", "127.0.0.1", port)
	receiver.Stdin = r
	if p.nc, err = start(receiver); err != nil {
		return nil, err
	}
	_ = ln.SetDeadline(time.Now().Add(5 * time.Second))
	if p.conn, err = ln.AcceptTCP(); err != nil {
		p.close()
		return nil, fmt.Errorf("nc does not connect: %w", err)
	}
	sender := exec.Command("tail", args...)
	sender.Stdout = w
	if p.tail, err = start(sender); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *pipe) close() {
	for _, q := range []*process{p.tail, p.nc} {
		if q != nil {
			q.stop()
		}
	}
	if p.conn != nil {
		p.conn.Close()
	}
}

// pipeLateness measures tail -F | nc.
func (t *tools) pipeLateness(ctx context.Context, rate int, d time.Duration) ([]time.Duration, error) {
	path := t.dir + "/pipe.log"
	s, err := newStamper(path)
	if err != nil {
		return nil, err
	}
	defer os.Remove(path)
	defer s.file.Close()
	p, err := startPipe("-n", "0", "-F", path)
	if err != nil {
		return nil, err
	}
	defer p.close()
	l, err := listen(p.conn, stampMark)
	if err != nil {
		return nil, err
	}
	return lateness(ctx, s, l, rate, d)
}
