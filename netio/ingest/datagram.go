package ingest

import (
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	receiveBuffer = 8 << 20 // what is asked of the kernel for a burst of datagrams
	turnDatagrams = 512     // taken in one turn
)

// datagrams reads syslog messages, one a datagram.
type datagrams struct {
	conn *net.UDPConn
	raw  syscall.RawConn
	lost atomic.Uint64 // as last asked for
}

func newDatagrams(c *net.UDPConn) (*datagrams, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	_ = raw.Control(func(fd uintptr) {
		// Beyond the machine's limit only with privileges.
		if forceReceiveBuffer(int(fd)) != nil {
			_ = askReceiveBuffer(int(fd))
		}
	})
	return &datagrams{conn: c, raw: raw}, nil
}

// drops returns how many datagrams the kernel had no room for.
func (d *datagrams) drops() uint64 {
	var lost uint32
	err := d.raw.Control(func(fd uintptr) { lost = droppedAt(fd) })
	if err == nil {
		d.lost.Store(uint64(lost))
	}
	return d.lost.Load()
}

func (d *datagrams) close() {
	d.drops()
	_ = d.conn.Close()
}

// serveDatagrams takes in what comes until the server stops.
func (s *Server) serveDatagrams(in *input) {
	d := in.socket
	o := s.newOrigin(in, "udp")
	peers := sources{ring: s.ring}
	var w *worker
	turn := func(fd uintptr) bool {
		w = s.workers.take()
		w.begin(in)
		n := 0
		for n < turnDatagrams && s.datagram(int(fd), w, &o, &peers) {
			n++
		}
		if n == 0 {
			s.workers.give(w)
		}
		return n > 0
	}
	end := func() {
		o.sources.other += peers.other
		peers.other = 0
		o.publish(w)
		s.workers.give(w)
	}
	for d.raw.Read(turn) == nil {
		end()
	}
	for more := true; more && s.stopping() && time.Now().Before(s.deadline()); { // G4
		_ = d.raw.Control(func(fd uintptr) { more = turn(fd) })
		if more {
			end()
		}
	}
}

// datagram takes one message, and reports false when there is none.
func (s *Server) datagram(fd int, w *worker, o *origin, peers *sources) bool {
	n, host, err := receive(fd, w.buf)
	switch {
	case err == syscall.EINTR:
		return true
	case err != nil:
		return err != syscall.EAGAIN && !s.stopping() // an error of the network is that of one datagram
	}
	if s.admit != nil && !s.admit(host) {
		o.in.stats.rejected.Add(1)
		return true
	}
	o.in.stats.accepted.Add(1)
	o.in.stats.bytes.Add(uint64(n))
	if o.in.source == "" {
		o.peer = peers.named([]byte(host.String()))
	}
	o.whole(w, trimEnd(w.buf[:n]))
	return true
}
