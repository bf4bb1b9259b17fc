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
	family := unix.AF_INET
	var sa unix.Sockaddr = &unix.SockaddrInet4{Port: int(to.Port()), Addr: first4(to.Addr())}
	if to.Addr().Is6() {
		family = unix.AF_INET6
		sa = &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
	}
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

func first4(a netip.Addr) (b [4]byte) {
	if a.Is4() {
		return a.As4()
	}
	return b
}

// greeting is what a client sends first.
func (o *options) greeting(to netip.AddrPort) string {
	switch {
	case o.nats.IsValid():
		return natsSubscribe
	case o.sse:
		return "GET /stream HTTP/1.1\r\nHost: " + to.String() + "\r\nAccept: text/event-stream\r\n\r\n"
	case o.notices:
		return `{"hello":1,"name":"load","notices":true}` + "\n"
	}
	return ""
}
