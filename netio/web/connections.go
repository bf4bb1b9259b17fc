package web

import (
	"net"
	"net/netip"
	"sync"

	"github.com/valyala/fasthttp"

	"logwisp/netio"
)

const (
	// maxConnections is how many connections may be open that are not streams, and
	// maxOfAddress how many of one address. Proxies of ours and the networks in
	// connects_exempt have the first limit only. Beyond, one is closed at once.
	maxConnections = 8192
	maxOfAddress   = 256
	// maxAfar is how many may be open from other machines for large bodies to be
	// taken without tokens: a body is held before anybody can tell from where it is.
	maxAfar = 32
)

// connections are those that are not streams. The zero value is ready.
type connections struct {
	mu  sync.Mutex
	all map[net.Conn]*connection
	of  netio.HostCounts
	far int // of other machines
}

type connection struct {
	from  netip.Addr // invalid: not counted
	far   bool       // of another machine
	spoke bool       // it has sent a request
}

// connection takes note of what becomes of a connection.
func (s *Server) connection(c net.Conn, state fasthttp.ConnState) {
	switch state {
	case fasthttp.StateNew:
		from := netio.AddressOf(c.RemoteAddr())
		if !s.arrivals.Counts(from) {
			from = netip.Addr{}
		}
		if !s.open.enter(c, from) {
			s.transport.Rejected(netio.ErrFull)
			_ = c.Close()
		}
	case fasthttp.StateClosed, fasthttp.StateHijacked:
		s.open.leave(c)
	}
}

// enter counts one and reports whether it may stay.
func (o *connections) enter(c net.Conn, from netip.Addr) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.all) >= maxConnections || !o.of.Take(from, maxOfAddress) {
		return false
	}
	if o.all == nil {
		o.all = make(map[net.Conn]*connection)
	}
	one := &connection{from: from, far: !local(c.RemoteAddr())}
	if o.all[c] = one; one.far {
		o.far++
	}
	return true
}

func (o *connections) leave(c net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	one := o.all[c]
	if one == nil {
		return
	}
	delete(o.all, c)
	o.of.Give(one.from)
	if one.far {
		o.far--
	}
}

// crowded reports whether more than maxAfar are of other machines.
func (o *connections) crowded() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.far > maxAfar
}

// spoke takes note of a connection's request.
func (o *connections) spoke(c net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if one := o.all[c]; one != nil {
		one.spoke = true
	}
}

// closeSilent closes those that have not sent a request yet, as a browser opens
// them ahead of need. fasthttp counts them as active and would wait for them at
// the end.
func (o *connections) closeSilent() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for c, one := range o.all {
		if !one.spoke {
			_ = c.Close()
		}
	}
}
