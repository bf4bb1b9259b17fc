package netio

import "syscall"

// The daemon is for Linux: these make the package build for commands that want
// no more of it than its settings.

type iovec struct{}

func iovecOf([]byte) iovec { return iovec{} }

func writePieces(int, []iovec) (int, syscall.Errno) { return 0, syscall.EWINDOWS }

func readSocket(int, []byte) (int, error) { return 0, errNotLinux }

func writeSocket(int, []byte) (int, error) { return 0, errNotLinux }

func setSendBuffer(int, int) {}

func closeSocket(int) {}

func duplicateSocket(int) (int, error) { return 0, errNotLinux }

func pendingError(int) int { return 0 }
