// Package freeport finds ports for servers that a test or a measurement starts.
package freeport

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
)

// lowest is above the ports that services are known by.
const lowest = 10000

// ephemeral is where the ports begin that the kernel gives to connections, and to
// who asks for port 0. (ip(7), ip_local_port_range.)
var ephemeral = sync.OnceValue(func() int {
	const usual = 32768
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if fields := bytes.Fields(text); err == nil && len(fields) == 2 {
		if n, err := strconv.Atoi(string(fields[0])); err == nil {
			return n
		}
	}
	return usual
})

var given sync.Map // by port: never twice in a process

// One is Some(1).
func One() (string, error) {
	found, err := Some(1)
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// Some returns n different ports of 127.0.0.1 that nobody listens on now. They are
// below those that the kernel gives away: a port that was only let go of again may
// be that of a connection, or of one just closed, before the server is up, and where
// thousands of connections come and go it often is.
func Some(n int) ([]string, error) {
	if ephemeral() <= lowest {
		return nil, fmt.Errorf("find a free port: net.ipv4.ip_local_port_range begins at %d: let it begin above %d", ephemeral(), lowest)
	}
	var found []string
	err := errors.New("all are given")
	for tries := 100 * n; len(found) < n && tries > 0; tries-- {
		port := strconv.Itoa(lowest + rand.IntN(ephemeral()-lowest))
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		var ln net.Listener
		if ln, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", port)); err != nil {
			continue
		}
		ln.Close()
		found = append(found, port)
	}
	if len(found) < n {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	return found, nil
}
