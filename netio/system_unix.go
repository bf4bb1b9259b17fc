//go:build unix

package netio

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// iovec is one piece of what one write gathers.
type iovec = unix.Iovec

func iovecOf(p []byte) iovec {
	v := iovec{Base: unsafe.SliceData(p)}
	v.SetLen(len(p))
	return v
}

// writePieces hands the pieces to a socket. It is a raw system call: the socket
// never blocks, and telling the scheduler would cost more than it saves.
func writePieces(fd int, pieces []iovec) (int, syscall.Errno) {
	var n uintptr
	var errno syscall.Errno
	if len(pieces) == 1 {
		n, _, errno = unix.RawSyscall(unix.SYS_WRITE, uintptr(fd),
			uintptr(unsafe.Pointer(pieces[0].Base)), uintptr(pieces[0].Len))
	} else {
		n, _, errno = unix.RawSyscall(unix.SYS_WRITEV, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(pieces))), uintptr(len(pieces)))
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

func readSocket(fd int, buf []byte) (int, error) { return unix.Read(fd, buf) }

func writeSocket(fd int, p []byte) (int, error) { return unix.Write(fd, p) }

// setSendBuffer sets SO_SNDBUF in bytes; a socket that is gone tells it by the next write.
func setSendBuffer(fd, size int) { _ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, size) }

func closeSocket(fd int) { unix.Close(fd) }

// duplicateSocket makes another descriptor of the same socket.
func duplicateSocket(fd int) (int, error) {
	return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
}

// pendingError returns the error that a socket waits to tell, 0 for none.
func pendingError(fd int) int {
	pending, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	return pending
}
