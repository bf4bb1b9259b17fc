package web

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"logwisp/netio"
	"logwisp/ring/record"
)

const (
	// maxRefusals is how many clients are told why they are turned away, at once
	// and in a second. The others' connections are just closed: there is a flood,
	// and telling costs as much as an answer.
	maxRefusals = 64
	// refusalTime is how long what they have sent is read, so that closing the
	// connection does not take the answer away from them.
	refusalTime = 250 * time.Millisecond
)

// refusals are the clients that are being told.
type refusals struct {
	mu     sync.Mutex
	now    int
	second time.Time // the second under way, and how many were told in it
	told   int
	done   sync.WaitGroup
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
	if s.options.TLS.Enabled || !s.refusals.begin() {
		c.Close()
	} else {
		go s.refusals.tell(c, tooOften(s.arrivals.Pause()))
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

// begin reports whether one more client may be told, by tell.
func (r *refusals) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.second) >= time.Second {
		r.second, r.told = now, 0
	}
	if r.now >= maxRefusals || r.told >= maxRefusals {
		return false
	}
	r.now++
	r.told++
	r.done.Add(1)
	return true
}

// tell has a client get an answer, then closes its connection.
func (r *refusals) tell(c net.Conn, answer string) {
	defer r.done.Done()
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
}

// wait waits until all have been told. Nobody is turned away any more.
func (r *refusals) wait() { r.done.Wait() }

const (
	// maxRest is how many bytes of a body that is too large are read all the same,
	// in about restTime, and maxRests of how many clients at once: no faster, as
	// somebody may send them for ever, with one request after the other.
	maxRest  = 2 * maxPost
	restTime = 2 * time.Second
	maxRests = 16
	// restPause is how long nothing may come until that is all.
	restPause = 100 * time.Millisecond
)

// rests are the clients that are still sending what nobody wants.
type rests struct{ now atomic.Int32 }

// discard takes in what a client is still sending, for a little while: a
// connection that is closed with unread bytes is reset, and the answer lost.
func (r *rests) discard(c net.Conn) {
	defer r.now.Add(-1)
	if r.now.Add(1) > maxRests {
		return
	}
	buf, begin := make([]byte, 32<<10), time.Now()
	for n := 0; n < maxRest && time.Since(begin) < restTime; {
		_ = c.SetReadDeadline(time.Now().Add(restPause))
		k, err := c.Read(buf)
		if n += k; err != nil {
			return
		}
		time.Sleep(time.Duration(n)*(restTime/maxRest) - time.Since(begin))
	}
}

// twoLengths reports whether a request says in both ways how long its body is. A
// proxy may have believed the other one: what it takes for the next request may be a
// part of this, so there must be none (RFC 9112, 6.3).
func twoLengths(h *fasthttp.RequestHeader) bool {
	return h.ContentLength() == -1 && bytes.Contains(bytes.ToLower(h.RawHeaders()), []byte("content-length:"))
}
