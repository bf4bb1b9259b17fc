package main

import (
	"fmt"
	"net"
	"os"

	"github.com/coreos/go-systemd/v22/activation"
)

// takeSockets gives the servers the sockets that the service manager has opened
// for them (LISTEN_FDS). A socket is meant for the server that its
// FileDescriptorName names, http or tcp, else for the one that has its port.
// The manager goes on listening on it, so one that nobody serves is refused
// here: its clients would wait for ever. The error is a *refusal.
func takeSockets(s *settings) error {
	for _, file := range activation.Files(true) {
		err := s.takeSocket(file)
		_ = file.Close() // the listener has a descriptor of its own
		if err != nil {
			return &refusal{code: exitConfig, lines: []string{fmt.Sprintf("socket %q of the service manager: %v", file.Name(), err)}}
		}
	}
	return nil
}

func (s *settings) takeSocket(file *os.File) error {
	ln, err := net.FileListener(file)
	if err != nil {
		return fmt.Errorf("%w (use ListenStream= with Accept=no)", err)
	}
	tcp, ok := ln.Addr().(*net.TCPAddr)
	if !ok {
		return fmt.Errorf("%s is no TCP address (use ListenStream=PORT or ADDRESS:PORT)", ln.Addr())
	}
	name := file.Name()
	if name != "http" && name != "tcp" {
		switch tcp.Port {
		case s.HTTP.Port:
			name = "http"
		case s.TCP.Port:
			name = "tcp"
		default:
			return fmt.Errorf("no server has port %d (say whose it is with FileDescriptorName=http or tcp)", tcp.Port)
		}
	}
	enabled, place := s.HTTP.Enabled, &s.HTTP.Listener
	if name == "tcp" {
		enabled, place = s.TCP.Enabled, &s.TCP.Listener
	}
	switch {
	case !enabled:
		return fmt.Errorf("the %s server is disabled (use --enable-%[1]s, or disable the socket unit)", name)
	case *place != nil:
		return fmt.Errorf("the %s server has one already (ListenStream=PORT takes IPv4 and IPv6)", name)
	}
	*place = ln
	return nil
}
