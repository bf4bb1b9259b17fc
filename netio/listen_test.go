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

func TestAConnectionThatIsResetBeforeItIsAcceptedIsPassedOver(t *testing.T) {
	l, err := Listen("127.0.0.1", "0", nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dial := func() *net.TCPConn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c.(*net.TCPConn)
	}
	reset := dial()
	if err := reset.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	reset.Close()
	closed := dial() // it may have been only its sending side
	closed.Close()
	stays := dial()
	defer stays.Close()
	for _, want := range []net.Conn{closed, stays} {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if c.RemoteAddr().String() != want.LocalAddr().String() {
			t.Errorf("%v was accepted, want %v", c.RemoteAddr(), want.LocalAddr())
		}
	}
}
