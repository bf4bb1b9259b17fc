package forward

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// acknowledged asks the kernel how much of what was written to a socket the other
// side's kernel has acknowledged, and whether that is all.
func acknowledged(fd int) (bytes uint64, all bool, err error) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, false, err
	}
	const established, closeWait = 1, 8 // tcp(7): the peer may have closed its own sending side
	if info.State != established && info.State != closeWait {
		return info.Bytes_acked, false, errors.New("the connection was reset")
	}
	return info.Bytes_acked, info.Unacked == 0 && info.Notsent_bytes == 0, nil
}

// setUserTimeout has the kernel end a connection that acknowledges nothing for so
// long.
func setUserTimeout(fd int, d time.Duration) error {
	return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
}
