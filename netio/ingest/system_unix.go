//go:build unix

package ingest

import (
	"io"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// readNow reads from a descriptor that does not block, or has something.
func readNow(fd int, b []byte) (int, error) {
	for {
		n, err := unix.Read(fd, b)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, errNothing
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// receive takes a datagram that is there: EAGAIN says that there is none.
func receive(fd int, b []byte) (int, netip.Addr, error) {
	n, from, err := unix.Recvfrom(fd, b, unix.MSG_DONTWAIT)
	return n, hostOf(from), err
}

// hostOf returns the address of a peer without its port.
func hostOf(a unix.Sockaddr) netip.Addr {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(a.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(a.Addr).Unmap()
	}
	return netip.Addr{}
}

func askReceiveBuffer(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
}
