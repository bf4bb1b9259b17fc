package web

import (
	"fmt"
	"io"
	"math"
	"net"
	"sync"
	"time"

	"logwisp/netio"
	"logwisp/ring/record"
)

const (
	// maxRefusals is how many clients are told at once why they are turned away.
	// The others' connections are just closed: there is a flood.
	maxRefusals = 64
	// refusalTime is how long what they have sent is read, so that closing the
	// connection does not take the answer away from them.
	refusalTime = 250 * time.Millisecond
)

// refusals are the clients that are being told.
type refusals struct {
	mu   sync.Mutex
	now  int
	done sync.WaitGroup
}

// turnAway answers a connection that is one too many in its minute, without
// reading its request, and closes it. With TLS it is closed before the handshake,
// which would cost more than the request.
func (s *Server) turnAway(c net.Conn) bool {
	if s.arrivals.Admit(netio.AddressOf(c.RemoteAddr())) {
		return false
	}
	s.transport.Rejected(netio.ErrTooOften)
	if s.arrivals.Tell() {
		s.log.Warn("HTTP clients are turned away", "address", c.RemoteAddr(), "error", netio.ErrTooOften)
	}
	if s.options.TLS.Enabled || !s.refusals.tell(c, tooOften(s.arrivals.Pause())) {
		c.Close()
	}
	return true
}

// tooOften is the whole answer.
func tooOften(pause time.Duration) string {
	const code = 429
	body, _ := record.AppendJSON(nil, record.Error{Error: netio.ErrTooOften.Error(), Code: code}) // it has no pointers
	return fmt.Sprintf("HTTP/1.1 %d Too Many Requests\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n"+
		"Retry-After: %d\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n%s\n",
		code, len(body)+1, int(math.Ceil(pause.Seconds())), body)
}

// tell has a client get an answer, then closes its connection. It reports false
// when too many are being told: then it has done nothing.
func (r *refusals) tell(c net.Conn, answer string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now >= maxRefusals {
		return false
	}
	r.now++
	r.done.Go(func() {
		defer func() {
			c.Close()
			r.mu.Lock()
			r.now--
			r.mu.Unlock()
		}()
		_ = c.SetDeadline(time.Now().Add(refusalTime))
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.CloseWrite()
		}
		_, _ = io.CopyN(io.Discard, c, 64<<10)
	})
	return true
}

// wait waits until all have been told. Nobody is turned away any more.
func (r *refusals) wait() { r.done.Wait() }
