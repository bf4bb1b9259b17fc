package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// forwarder is a command that follows the file and sends its lines to -listen.
type forwarder struct {
	cmd    *exec.Cmd
	output *os.File      // what it printed; has no name any more
	exited chan struct{} // closed when the process has ended
	err    error         // how; valid once exited is closed
}

// startForwarder starts the command. The caller stops it.
func startForwarder(command []string) (*forwarder, error) {
	output, err := os.CreateTemp("", "logwisp-load-")
	if err != nil {
		return nil, fmt.Errorf("make a file for what the command prints: %w", err)
	}
	f := &forwarder{cmd: exec.Command(command[0], command[1:]...), output: output, exited: make(chan struct{})}
	f.cmd.Stdout, f.cmd.Stderr = output, output
	// A process group of its own: all that the command starts is stopped with it.
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err = os.Remove(output.Name()); err == nil {
		err = f.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", command[0], err), output.Close())
	}
	go func() {
		f.err = f.cmd.Wait()
		close(f.exited)
	}()
	return f, nil
}

// alive returns an error when the process has ended.
func (f *forwarder) alive() error {
	select {
	case <-f.exited:
		printed := make([]byte, logShown)
		n, _ := f.output.ReadAt(printed, 0)
		return fmt.Errorf("%s ended: %v\n%s", f.cmd.Path, f.err, printed[:n])
	default:
		return nil
	}
}

// stop ends the process and what it started. That it had ended before, or how
// it ends, is no error: it lives by the connection, which is closed already.
func (f *forwarder) stop() error {
	var err error
	group := -f.cmd.Process.Pid
	_ = unix.Kill(group, unix.SIGTERM) // already ended: nobody is there
	select {
	case <-f.exited:
	case <-time.After(stopTimeout):
		err = fmt.Errorf("%s did not stop within %v of SIGTERM and was killed", f.cmd.Path, stopTimeout)
		_ = unix.Kill(group, unix.SIGKILL)
		<-f.exited
	}
	return errors.Join(err, f.output.Close())
}

// accept starts the forwarder, if one is to be, and takes as many connections
// as there are clients. A forwarder may connect only when it has something to
// send, so probes are appended meanwhile.
func (b *bench) accept(ctx context.Context) error {
	ln, err := listen(b.o.listen)
	if err != nil {
		return err
	}
	defer unix.Close(ln)
	if len(b.o.args) > 0 {
		f, err := startForwarder(b.o.args)
		if err != nil {
			return err
		}
		b.started, b.pid = f, f.cmd.Process.Pid
	}
	deadline := time.Now().Add(b.o.settle)
	for len(b.clients) < b.o.clients {
		fd, _, err := unix.Accept4(ln, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch {
		case err == nil:
			if err := b.join(fd); err != nil {
				return err
			}
			continue
		case err != unix.EAGAIN && err != unix.EINTR:
			return fmt.Errorf("accept at %s: %w", b.o.listen, err)
		case ctx.Err() != nil:
			return fmt.Errorf("interrupted while forwarders connect: %w", ctx.Err())
		case time.Now().After(deadline):
			return fmt.Errorf("only %d of %d forwarders have connected to %s within %v", len(b.clients), b.o.clients, b.o.listen, b.o.settle)
		}
		if b.started != nil && b.started.alive() != nil {
			return errors.New("the forwarder has not connected")
		}
		if err := b.out.probe(); err != nil {
			return err
		}
	}
	return nil
}

// listen returns a socket on which accept waits for probeEvery at most. The
// caller closes it.
func listen(at netip.AddrPort) (int, error) {
	family, sa := socketAddress(at)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("listen at %s: socket: %w", at, err)
	}
	wait := unix.NsecToTimeval(int64(probeEvery))
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait),
		unix.Bind(fd, sa),
		unix.Listen(fd, unix.SOMAXCONN),
	)
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("listen at %s: %w", at, err)
	}
	return fd, nil
}
