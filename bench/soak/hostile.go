package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// hostileNice is the priority of hostile clients: they are on other machines as a
// rule, and what they cost this one must not be taken for what they cost the
// daemon.
const hostileNice = "10"

// comesBack is how soon a hostile client that was thrown out comes again.
const comesBack = 50 * time.Millisecond

// hostileProcess has a process of its own be the hostile clients of a kind.
func hostileProcess(d *daemon, kind string) (end func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := []string{self, "-hostile", kind, "-tcp", d.tcp, "-http", d.http}
	if nice, err := exec.LookPath("nice"); err == nil { // of all threads: it is set before there is a second
		command = append([]string{nice, "-n", hostileNice}, command...)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the hostile clients: %w", err)
	}
	return func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have failed: Wait says so
		return cmd.Wait()
	}, nil
}

// hostile are the clients of a kind, until ctx ends.
type hostile struct {
	ctx       context.Context
	tcp, http string
	clients   sync.WaitGroup
	reached   atomic.Uint64 // connections
	done      atomic.Uint64 // what is counted of the kind
}

// kinds of hostile clients.
var kinds = map[string]func(*hostile){
	"slowloris": func(h *hostile) {
		h.times(200, h.tcp, func(c net.Conn) { h.slowly(c, `{"hello":1,"name":"`+strings.Repeat("x", 1000)) })
		h.times(200, h.http, func(c net.Conn) { h.slowly(c, "GET /stream HTTP/1.1\r\nX-"+strings.Repeat("x", 1000)) })
	},
	elsewhere: (*hostile).churnElsewhere,
	"churn":   (*hostile).churn,
	"never":   func(h *hostile) { h.subscribe(200, 4<<10, func(net.Conn) { <-h.ctx.Done() }) },
	"trickle": func(h *hostile) {
		h.subscribe(200, 4<<10, func(c net.Conn) {
			for one := make([]byte, 1); h.pause(time.Second); {
				if _, err := c.Read(one); err != nil {
					return
				}
			}
		})
	},
	"garbage": func(h *hostile) {
		for _, at := range []string{h.tcp, h.http} {
			h.times(10, at, func(c net.Conn) {
				random := rand.NewChaCha8([32]byte{byte(time.Now().UnixNano())})
				for text := make([]byte, 4<<10); h.pause(10 * time.Millisecond); {
					_, _ = random.Read(text)
					if _, err := c.Write(text); err != nil {
						return
					}
				}
			})
		}
	},
	"gigabyte": func(h *hostile) {
		h.times(1, h.tcp, func(c net.Conn) { h.pour(c, "", "x") })
		h.times(1, h.tcp, func(c net.Conn) { h.pour(c, "", "hello?\n") })
		h.times(1, h.http, func(c net.Conn) { h.pour(c, "GET / HTTP/1.1\r\nX: ", "x") })
		h.times(1, h.http, func(c net.Conn) {
			h.pour(c, "POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1073741824\r\n\r\n", "x\n")
		})
	},
	"halfclose": func(h *hostile) {
		halves := func(c net.Conn, text string) {
			_, _ = io.WriteString(c, text)
			_ = c.(*net.TCPConn).CloseWrite()
			h.discard(c)
		}
		h.times(100, h.tcp, func(c net.Conn) { halves(c, `{"hello":1,"filter":{"level":"fatal"}}`+"\n") })
		h.times(100, h.http, func(c net.Conn) { halves(c, "GET /stream?level=fatal HTTP/1.1\r\nHost: localhost\r\n\r\n") })
	},
	"regex": func(h *hostile) {
		for _, re := range []string{`.*`, `(?:.?){500}[\x01\x02]|.`} {
			h.times(1, h.tcp, func(c net.Conn) {
				_, _ = fmt.Fprintf(c, `{"hello":1,"filter":{"re":"%s"}}`+"\n", strings.ReplaceAll(re, `\`, `\\`))
				h.discard(c)
			})
		}
	},
}

// beHostile is the command's other half: it returns when it is told to end.
func beHostile(ctx context.Context, kind, tcp, http string, stderr io.Writer) error {
	run, ok := kinds[kind]
	if !ok {
		return fmt.Errorf("-hostile is %q: there is no such kind", kind)
	}
	h := &hostile{ctx: ctx, tcp: tcp, http: http}
	begin := time.Now()
	run(h)
	<-ctx.Done()
	h.clients.Wait()
	if h.reached.Load() == 0 {
		return fmt.Errorf("-hostile %s: no connection to %s or %s was made", kind, tcp, http)
	}
	if n := h.done.Load(); n > 0 {
		fmt.Fprintf(stderr, "  %s: %.0f a second\n", kind, float64(n)/time.Since(begin).Seconds())
	}
	return nil
}

// pause returns false when it is time to end.
func (h *hostile) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-h.ctx.Done():
		return false
	}
}

// times has n clients do something, each again with a new connection when it is
// over.
func (h *hostile) times(n int, at string, do func(net.Conn)) {
	for range n {
		h.clients.Go(func() {
			for h.ctx.Err() == nil {
				c, err := (&net.Dialer{}).DialContext(h.ctx, "tcp", at)
				if err == nil {
					h.reached.Add(1)
					stop := context.AfterFunc(h.ctx, func() { c.Close() })
					do(c)
					stop()
					c.Close()
				}
				h.pause(comesBack)
			}
		})
	}
}

// subscribe has n clients, half of each port, ask for the stream.
func (h *hostile) subscribe(n, receiveBuffer int, do func(net.Conn)) {
	for i, at := range []string{h.tcp, h.http} {
		h.times(n/2, at, func(c net.Conn) {
			if receiveBuffer > 0 {
				_ = c.(*net.TCPConn).SetReadBuffer(receiveBuffer)
			}
			if i == 1 {
				_, _ = io.WriteString(c, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
			}
			do(c)
		})
	}
}

func (h *hostile) slowly(c net.Conn, text string) {
	for i := range len(text) {
		if _, err := io.WriteString(c, text[i:i+1]); err != nil || !h.pause(100*time.Millisecond) {
			return
		}
	}
}

func (h *hostile) discard(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// pour sends 1 GB, as fast as it is taken.
func (h *hostile) pour(c net.Conn, head, text string) {
	_, err := io.WriteString(c, head)
	block := []byte(strings.Repeat(text, (64<<10)/len(text)))
	for n := 0; n < 1<<30 && err == nil && h.pause(0); n += len(block) {
		_, err = c.Write(block)
	}
}

// churn opens and closes 10,000 connections a second, of either port, half of
// them with a reset. Closing in order keeps a port for a minute: the addresses
// of loopback are used in turn.
func (h *hostile) churn() {
	const perSecond, workers, mostBehind = 10_000, 8, 20 * time.Millisecond
	var turn atomic.Uint32
	for w := range workers {
		h.clients.Go(func() {
			for next := time.Now(); h.ctx.Err() == nil; next = next.Add(workers * time.Second / perSecond) {
				if now := time.Now(); next.Sub(now) > 0 {
					time.Sleep(next.Sub(now))
				} else if now.Sub(next) > mostBehind {
					next = now.Add(-mostBehind) // what was missed while nothing was taken is not made up for
				}
				k := turn.Add(1)
				from := &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+w), byte(1+k%200))}
				c, err := (&net.Dialer{LocalAddr: from, Timeout: time.Second}).DialContext(h.ctx, "tcp", []string{h.tcp, h.http}[k%2])
				if err != nil {
					continue
				}
				if k%4 < 2 {
					_ = c.(*net.TCPConn).SetLinger(0)
				}
				c.Close()
				h.reached.Add(1)
				h.done.Add(1)
			}
		})
	}
}

// churnElsewhere is churn with ports of this process, which closes what comes.
func (h *hostile) churnElsewhere() {
	for _, at := range []*string{&h.tcp, &h.http} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return
		}
		*at = ln.Addr().String()
		context.AfterFunc(h.ctx, func() { ln.Close() })
		h.clients.Go(func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				c.Close()
			}
		})
	}
	h.churn()
}

// shortOfDescriptors leaves the daemon few descriptors, and has more clients come
// than that.
func shortOfDescriptors(w *overload) (func() error, error) {
	pid, left := w.daemon.cmd.Process.Pid, uint64(w.daemon.footprint().descriptors+20)
	if err := limitDescriptors(pid, left); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	h := &hostile{ctx: ctx, tcp: w.daemon.tcp, http: w.daemon.http}
	h.subscribe(300, 0, func(c net.Conn) { h.discard(c) })
	return func() error {
		cancel()
		h.clients.Wait()
		return limitDescriptors(pid, 4096)
	}, nil
}

// diskFull fills the file system that the checkpoint is in, which is one of its
// own and small.
func diskFull(w *overload) (func() error, error) {
	disk := w.dir + "/disk"
	if err := mountSmall(disk); err != nil {
		return nil, err
	}
	fill := func() error {
		f, err := os.Create(disk + "/rest")
		if err != nil {
			return err
		}
		defer f.Close()
		for err == nil {
			_, err = f.Write(make([]byte, 4<<10))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return err
		}
		return nil
	}
	if err := fill(); err != nil {
		return nil, errors.Join(err, unmount(disk))
	}
	return func() error { return unmount(disk) }, nil
}

// logsGone has the directory of the log be gone for a second; the writer goes
// on with its file.
func logsGone(w *overload) (func() error, error) {
	if err := os.Rename(w.logs, w.logs+".away"); err != nil {
		return nil, err
	}
	back := make(chan error, 1)
	time.AfterFunc(warmUp+time.Second, func() { back <- os.Rename(w.logs+".away", w.logs) })
	return func() error { return <-back }, nil
}

// stopped stops the process for a second.
func stopped(w *overload) (func() error, error) {
	p := w.daemon.cmd.Process
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return nil, err
	}
	went := make(chan error, 1)
	time.AfterFunc(time.Second, func() { went <- p.Signal(syscall.SIGCONT) })
	return func() error { return <-went }, nil
}

// clockJumps sets the clock wrong twice while is measured, and right at the end.
func clockJumps(w *overload) (func() error, error) {
	if err := setClock(0); err != nil {
		return nil, err
	}
	jumps := make(chan error, 1)
	stop := make(chan struct{})
	go func() {
		var err error
		for _, ahead := range []time.Duration{time.Hour, -time.Hour, 0} {
			select {
			case <-time.After((min(warmUp, w.o.caseTime) + w.o.caseTime) / 4):
				err = errors.Join(err, setClock(ahead))
			case <-stop:
			}
		}
		jumps <- err
	}()
	return func() error {
		close(stop)
		return errors.Join(<-jumps, setClock(0))
	}, nil
}
