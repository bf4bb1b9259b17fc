package ingest

import (
	"net"
	"syscall"
	"time"
)

// socket reads a connection without a buffer of its own.
type socket struct {
	conn    net.Conn
	raw     syscall.RawConn
	idle    time.Duration // after which wait gives up, 0 = never
	until   time.Time     // at which it gives up as well, 0 = never
	limited bool          // the deadline is until
	ends    func() bool   // reports whether Stop was called

	// Closures, and what goes in and out of them, so that reading allocates
	// nothing.
	try    func() bool
	ready  func(fd uintptr) bool
	buf    []byte
	n      int
	err    error
	readFD func(fd uintptr)
}

func newSocket(c net.Conn, idle time.Duration, ends func() bool) (*socket, error) {
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, err
	}
	k := &socket{conn: c, raw: raw, idle: idle, ends: ends}
	k.ready = func(uintptr) bool { return k.try() }
	k.readFD = func(fd uintptr) { k.n, k.err = readNow(int(fd), k.buf) }
	return k, nil
}

func (k *socket) wait(try func() bool) error {
	switch {
	case !k.until.IsZero():
		_ = k.conn.SetReadDeadline(k.until)
		k.endEarly()
	case k.idle > 0:
		_ = k.conn.SetReadDeadline(time.Now().Add(k.idle))
		k.endEarly()
	case k.limited:
		_ = k.conn.SetReadDeadline(time.Time{})
		k.endEarly()
	}
	k.limited = !k.until.IsZero()
	k.try = try
	return k.raw.Read(k.ready)
}

// endEarly sets the deadline of Stop again that another one has replaced.
func (k *socket) endEarly() {
	if k.ends() {
		_ = k.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

func (k *socket) read(b []byte) (int, error) {
	k.buf = b
	err := k.raw.Control(k.readFD)
	k.buf = nil
	if err != nil {
		return 0, err
	}
	return k.n, k.err
}
