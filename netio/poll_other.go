//go:build !linux

package netio

import (
	"errors"
	"net"
	"syscall"
)

// The daemon is for Linux: these make the package build for commands that want
// no more of it than its settings.

var errNotLinux = errors.New("clients are served on Linux only")

type writePoll struct{}

func newWritePoll(*loop) (*writePoll, error) { return nil, errNotLinux }

func (p *writePoll) start() {}

func (p *writePoll) take(func(fd int, broken bool)) bool { return false }

func (p *writePoll) watch() {}

func (p *writePoll) add(*Subscriber) bool { return false }

func (p *writePoll) remove(*Subscriber) {}

func (p *writePoll) close() {}

func queuedBytes(int) int { return 0 }

func hungUp(int) bool { return false }

func closedSending(net.Conn) bool { return false }

func socketFDs() (fds [2]int, err error) { return fds, errNotLinux }

const errNoNetwork = syscall.ENETDOWN
