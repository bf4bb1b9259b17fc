package netio

import (
	"errors"
	"io"
	"net"
	"runtime"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// handler is what gnet calls; every method but OnBoot and OnShutdown runs on
// the connection's loop, and takes its turn (N1).
type handler struct {
	gnet.BuiltinEventEngine
	engine *Engine
}

var _ gnet.EventHandler = (*handler)(nil)

// OnOpen makes the connection a subscriber of its loop.
func (h *handler) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	if s, ok := c.Context().(*Subscriber); ok {
		l := h.engine.byLoop[c.EventLoop()]
		l.turn.Lock()
		defer l.turn.Unlock()
		l.join(s, c)
	}
	return nil, gnet.None
}

// OnTraffic runs a pass when the bell was rung, and reads what clients send
// where that may be a hello. The rest is thrown away: gnet would otherwise keep
// it for ever.
func (h *handler) OnTraffic(c gnet.Conn) gnet.Action {
	switch owner := c.Context().(type) {
	case *loop:
		_, _ = c.Discard(-1)
		owner.turn.Lock()
		owner.pass()
		owner.turn.Unlock()
		// While passes follow each other gnet does not wait, and so lets nobody else
		// have the processor: who reads the logs would wait until it is preempted.
		runtime.Gosched()
		return gnet.None
	case *Subscriber:
		owner.loop.turn.Lock()
		defer owner.loop.turn.Unlock()
		if owner.gone {
			break
		}
		if why := owner.loop.sent(owner, c); why != "" {
			owner.conn = nil // gnet closes it when we return
			owner.loop.leave(owner, why)
			return gnet.Close
		}
	}
	_, _ = c.Discard(-1)
	return gnet.None
}

// OnClose is called when the peer is gone or has closed its sending side, and
// from within our own close, which has the turn and says so by s.gone.
func (h *handler) OnClose(c gnet.Conn, err error) gnet.Action {
	s, ok := c.Context().(*Subscriber)
	if !ok || s.gone {
		return gnet.None
	}
	s.loop.turn.Lock()
	defer s.loop.turn.Unlock()
	if errors.Is(err, io.EOF) && s.loop.keepHalfClosed(s) {
		return gnet.None
	}
	s.conn = nil // gnet closes it when we return
	s.loop.leave(s, leftByItself)
	return gnet.None
}

// quiet is gnet's logger: its messages are about its own working, and what
// concerns a user is reported by the engine.
type quiet struct{}

func (quiet) Debugf(string, ...any) {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

// receiveBuffer is in bytes; the kernel doubles it.
const receiveBuffer = 32 << 10

// tune sets the options of a subscriber's socket. A bounded send buffer is
// what bounds the kernel memory of a client that does not read; keep-alive
// finds the ones whose host has gone.
func tune(c net.Conn, sendBuffer int) error {
	if s, ok := c.(*secured); ok {
		c = s.raw
	}
	t, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	if sendBuffer > 0 {
		// The kernel doubles the figure for its own bookkeeping.
		if err := t.SetWriteBuffer(sendBuffer); err != nil {
			return err
		}
	}
	// What a subscriber may say is little, and what it sends beyond that is to wait
	// with it rather than in our memory.
	if err := t.SetReadBuffer(receiveBuffer); err != nil {
		return err
	}
	if err := t.SetNoDelay(true); err != nil {
		return err
	}
	return t.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3,
	})
}
