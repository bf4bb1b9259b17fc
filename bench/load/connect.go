package main

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

const connectTimeout = 5 * time.Second

// dial connects to a loopback address, sends greeting, and returns the
// non-blocking socket, which the caller closes.
func dial(to netip.AddrPort, greeting string) (int, error) {
	family, sa := socketAddress(to)
	deadline := time.Now().Add(connectTimeout)
	for {
		fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return -1, fmt.Errorf("connect %s: socket: %w", to, err)
		}
		err = open(fd, sa, greeting)
		if err == nil {
			return fd, nil
		}
		unix.Close(fd)
		// A daemon that has just begun may not listen on every port yet.
		if !errors.Is(err, unix.ECONNREFUSED) || time.Now().After(deadline) {
			return -1, fmt.Errorf("connect %s: %w", to, err)
		}
		nap(10 * time.Millisecond)
	}
}

// open connects fd and sends greeting, blocking, then makes fd non-blocking.
func open(fd int, sa unix.Sockaddr, greeting string) error {
	// SO_SNDTIMEO bounds connect(2) as well as write(2).
	limit := unix.NsecToTimeval(int64(connectTimeout))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit); err != nil {
		return fmt.Errorf("SO_SNDTIMEO: %w", err)
	}
	for {
		err := unix.Connect(fd, sa)
		if err == nil || err == unix.EISCONN {
			break
		}
		if err != unix.EINTR && err != unix.EALREADY {
			return err
		}
	}
	for rest := []byte(greeting); len(rest) > 0; {
		n, err := unix.Write(fd, rest)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("send the greeting: %w", err)
		}
		rest = rest[n:]
	}
	return unix.SetNonblock(fd, true)
}

// socketAddress returns a as system calls want it, and its family.
func socketAddress(a netip.AddrPort) (family int, sa unix.Sockaddr) {
	if a.Addr().Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// greeting is what a client sends first.
func (o *options) greeting(to netip.AddrPort) string {
	switch {
	case o.nats.IsValid():
		return natsSubscribe
	case o.nchan.IsValid():
		return "GET " + nchanSubscribe + " HTTP/1.1\r\nHost: " + to.String() + "\r\nAccept: text/event-stream\r\n\r\n"
	case o.sse:
		return "GET /stream HTTP/1.1\r\nHost: " + to.String() + "\r\nAccept: text/event-stream\r\n\r\n"
	case o.notices:
		return `{"hello":1,"name":"load","notices":true}` + "\n"
	}
	return ""
}

// target is where clients connect.
func (o *options) target() netip.AddrPort {
	switch {
	case o.peer().IsValid():
		return o.peer()
	case o.sse:
		return o.http
	}
	return o.tcp
}

// connect connects everybody.
func (b *bench) connect() error {
	o := &b.o
	to := o.target()
	hello := o.greeting(to)
	if o.turn == 0 {
		if err := b.connectDeaf(); err != nil {
			return err
		}
	}
	for range o.clients {
		fd, err := dial(to, hello)
		if err != nil {
			return fmt.Errorf("client %d: %w", len(b.clients), err)
		}
		if err := b.join(fd); err != nil {
			return err
		}
	}
	return nil
}

// connectDeaf connects those that never read.
func (b *bench) connectDeaf() error {
	to := b.o.target()
	hello := b.o.greeting(to)
	for range b.o.never {
		fd, err := dial(to, hello)
		if err != nil {
			return err
		}
		b.deaf = append(b.deaf, fd)
	}
	return nil
}

// join makes a client of the connected non-blocking socket fd, and owns it.
func (b *bench) join(fd int) error {
	o, i := &b.o, len(b.clients)
	c := &client{index: i, fd: fd, run: &b.session}
	if i < o.stall {
		c.role = stalled
	} else {
		b.board.pacers = append(b.board.pacers, i)
	}
	switch {
	case o.raw && !o.sse:
		c.phase = counting
	case !o.announced():
		c.phase = probing // a plain stream has no greeting
	}
	b.clients = append(b.clients, c)
	return b.readers[i%len(b.readers)].add(c)
}
