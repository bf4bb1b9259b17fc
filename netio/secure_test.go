package netio_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"logwisp/netio"
	"logwisp/netio/netiotest"
)

const waitLimit = 20 * time.Second

// secureListener is one that accepts what comes.
func secureListener(t *testing.T, handshake, left time.Duration) (ln *netio.SecureListener, client *tls.Config, accepted chan net.Conn) {
	t.Helper()
	o, client := netiotest.Certificate(t)
	pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln = netio.SecureWithin(handshake, left, plain, &tls.Config{Certificates: []tls.Certificate{pair}})
	accepted = make(chan net.Conn, 2*netio.MaxHandshakes)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	t.Cleanup(func() { ln.Close() })
	return ln, client, accepted
}

func dial(t *testing.T, ln net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(waitLimit))
	return c
}

func TestWhoSaysNothingKeepsNobodyFromAHandshake(t *testing.T) {
	ln, client, accepted := secureListener(t, time.Hour, time.Hour)
	var silent []net.Conn
	for range netio.MaxHandshakes + 10 {
		silent = append(silent, dial(t, ln))
	}
	c := tls.Client(dial(t, ln), client)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	(<-accepted).Close()
	// The first that came had to go, the last has its time.
	if _, err := silent[0].Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the first one that says nothing is still waited for")
	}
	late := tls.Client(silent[len(silent)-1], client)
	if err := late.Handshake(); err != nil {
		t.Error("one that was slower than others:", err)
	}
	(<-accepted).Close()
}

func TestAClientThatTakesNothingIsGoneSoonAfterItsEnd(t *testing.T) {
	ln, client, accepted := secureListener(t, waitLimit, 100*time.Millisecond)
	raw := dial(t, ln)
	_ = raw.(*net.TCPConn).SetReadBuffer(4 << 10)
	c := tls.Client(raw, client)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	server := <-accepted
	fill(t, server)
	server.Close() // as the engine does with one that is too slow
	ended := make(chan struct{})
	go func() { ln.Flush(t.Context()); close(ended) }()
	ln.Close() // else its own goroutine is waited for
	select {
	case <-ended:
	case <-time.After(waitLimit):
		t.Error("it is still there")
	}
}

func TestASlowClientGetsAllThereWasBeforeItsEnd(t *testing.T) {
	ln, client, accepted := secureListener(t, waitLimit, 400*time.Millisecond)
	c := tls.Client(dial(t, ln), client)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	server := <-accepted
	sent := fill(t, server)
	server.Close()
	got := 0
	for buf := make([]byte, 16<<10); ; {
		n, err := c.Read(buf)
		if got += n; errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v after %d of %d bytes", err, got, sent)
		}
		time.Sleep(time.Millisecond) // slower than it is sent
	}
	if got != sent {
		t.Errorf("%d of %d bytes", got, sent)
	}
}

// fill writes until the other side takes no more for a moment.
func fill(t *testing.T, c net.Conn) (sent int) {
	t.Helper()
	for piece := bytes.Repeat([]byte("x"), 64<<10); ; {
		_ = c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		n, err := c.Write(piece)
		sent += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return sent
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
