package netio

import (
	"errors"
	"log/slog"
	"net"
	"syscall"
	"testing"
)

// short is a listener that is short of something as often as it says.
type short struct {
	net.Listener
	times int
}

func (s *short) Accept() (net.Conn, error) {
	if s.times--; s.times >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return nil, net.ErrClosed
}

func (s *short) Addr() net.Addr { return &net.TCPAddr{} }

func TestEveryConnectionThatCannotBeAcceptedIsCounted(t *testing.T) {
	failed := 0
	l := Persistent(&short{times: 3}, nil, slog.New(slog.DiscardHandler)).(*listener)
	l.failed = func(err error) {
		if errors.Is(err, syscall.EMFILE) {
			failed++
		}
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) || failed != 3 {
		t.Errorf("%d counted, then %v", failed, err)
	}
}
