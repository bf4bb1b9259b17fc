package ingest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"
)

// Where there are tokens, a sender on tcp, tls and unix shows one in its hello,
// {"hello":1,"token":"…"}, unless auth of the input says otherwise. Syslog has no
// place for one: there [acl] says who may send, or client_ca_file of tls://.

const (
	// maxHello is how many bytes may be held of a sender that has to show a token,
	// twice that with what its buffer has to spare.
	maxHello = 4 << 10
	// lingerTime and lingerBytes are how long and how much is still read of one
	// that was refused: to close earlier would take the reason from it.
	lingerTime  = time.Second
	lingerBytes = 4 << 20
)

// helloTime is how long such a sender may take for its hello. Tests shorten it.
var helloTime = 10 * time.Second

// errSilent is for one that does not keep to either.
var errSilent = errors.New(`hello: token: begin with the line {"hello":1,"token":"…"}, within 10 seconds and 4 KiB`)

// entrance is how a connection came in.
type entrance struct {
	who   string      // the token's name
	still func() bool // whether it may be here; nil: it may
}

// asks reports whether an input wants a token, if there are any.
func (in *input) asks() bool {
	switch {
	case in.syslog || in.listener == nil || in.auth == "none":
		return false
	case in.auth == "token":
		return true
	}
	config := in.tls.Load()
	return config == nil || config.ClientAuth != tls.RequireAndVerifyClientCert
}

// guarded reports whether a sender has to show a token now.
func (s *Server) guarded(in *input) bool {
	if s.authorize == nil || !in.asks() {
		return false
	}
	_, _, err := s.authorize("", netip.Addr{})
	return err != nil
}

// enter decides about the token of a sender, which may be "". Its error is for
// the sender.
func (st *stream) enter(token string) error {
	s, t := st.server, st.talk
	if s.authorize == nil || !st.in.asks() {
		return nil
	}
	who, still, err := s.authorize(token, addressOf(t.conn))
	if err != nil {
		if token == "" {
			err = fmt.Errorf(`%w: begin with the line {"hello":1,"token":"…"}`, err)
		}
		return fmt.Errorf("hello: token: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.conns[t.socket]; e != nil {
		e.who, e.still = who, still
	}
	if still != nil && !still() { // it was let in before a change, and Recheck did not see it
		return errors.New("hello: token: it may not send any more")
	}
	return nil
}

// hesitant ends the wait for the hello of a sender that has to show a token.
func (st *stream) hesitant(err error) bool {
	t := st.talk
	if t == nil || t.greeted || t.limited == nil {
		return false
	}
	return errors.Is(err, os.ErrDeadlineExceeded) && !st.server.stopping() || err == nil && st.frame.Memory() > 2*maxHello
}

// addressOf is where a sender is, invalid for a Unix socket.
func addressOf(c net.Conn) netip.Addr {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// denied reports whether the address of a sender may not send now.
func (s *Server) denied(c net.Conn) bool {
	a := addressOf(c)
	return s.admit != nil && a.IsValid() && !s.admit(a)
}

// errSeats is for a sender whose address has half of the connections already: the
// other half is for others.
var errSeats = errors.New("its address has half of the connections that the input may have (max_connections)")

// seat counts a connection of an address and reports whether it may be made.
// Those of this machine, and of Unix sockets, always may.
func (s *Server) seat(in *input, from netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return from.IsLoopback() || in.seats.Take(from, max(1, in.connections/2))
}

func (s *Server) unseat(in *input, from netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !from.IsLoopback() {
		in.seats.Give(from)
	}
}

// Recheck ends the connections of senders whose right to send has ended: that of
// the token they have shown, or that of their address.
func (s *Server) Recheck() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, e := range s.conns {
		if e.still != nil && !e.still() || s.denied(c) {
			s.log.Info("a sender is disconnected: its token or its address may not send any more", "token", e.who, "peer", c.RemoteAddr())
			_ = c.Close()
		}
	}
}

// linger lets a sender that was refused read why.
func linger(c net.Conn) {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.Copy(io.Discard, io.LimitReader(c, lingerBytes))
}
