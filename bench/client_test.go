package bench

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
)

// streamRequest is what an SSE client asks.
const streamRequest = "GET /stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"

// greetingEnd is the end of what an SSE client is sent before the first entry.
const greetingEnd = "retry: 3000\n\n"

// disconnectNotice is what an SSE client is sent after the last entry.
const disconnectNotice = "event: disconnect\ndata: {\"reason\":\"server_shutdown\"}\n\n"

// clientBuffer is how much a client reads at once.
const clientBuffer = 64 << 10

// client is one subscriber. It compares every byte with what was written.
type client struct {
	window *window
	conn   net.Conn
	r      io.Reader
	lines  atomic.Uint64 // received whole and found right
}

// dial connects a client of kind tcp or sse. An SSE client is subscribed when
// dial returns; a TCP client is told nothing and may not be yet.
func dial(w *window, kind, address string) (*client, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect a client: %w", err)
	}
	c := &client{window: w, conn: conn, r: conn}
	if kind == "tcp" {
		return c, nil
	}
	r := bufio.NewReader(conn)
	c.r = r
	if err := greet(conn, r); err != nil {
		conn.Close()
		return nil, fmt.Errorf("subscribe a client at %s: %w", address, err)
	}
	return c, nil
}

// greet asks for the stream and reads what comes before the first entry.
func greet(conn io.Writer, r *bufio.Reader) error {
	if _, err := io.WriteString(conn, streamRequest); err != nil {
		return err
	}
	for got := ""; got != greetingEnd; {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		if line == "\n" {
			got += line
		} else {
			got = line
		}
	}
	return nil
}

// follow reads the stream to its end and says what was wrong with it. trailer
// is what must come after the last line.
func (c *client) follow(trailer string) error {
	defer c.conn.Close()
	var at uint64
	var after []byte
	buffer := make([]byte, clientBuffer)
	for {
		n, err := c.r.Read(buffer)
		lines, wrong := c.window.check(at, buffer[:n])
		if wrong != nil {
			return wrong
		}
		at += uint64(lines)
		after = append(after, buffer[lines:n]...)
		if has := at / uint64(c.window.wire.width); has != c.lines.Load() {
			c.lines.Store(has)
			c.window.advanced()
		}
		if err != nil {
			return c.verdict(at, after, trailer, err)
		}
	}
}

// verdict judges a stream that ended behind at bytes of lines.
func (c *client) verdict(at uint64, after []byte, trailer string, cause error) error {
	want := c.window.written.Load() * uint64(c.window.wire.width)
	switch {
	case !errors.Is(cause, io.EOF) || !c.window.ended.Load():
		return fmt.Errorf("the stream broke off at byte %d: %w", at, cause)
	case at != want:
		return fmt.Errorf("the stream ended after %d bytes of lines, want %d", at, want)
	case string(after) != trailer:
		return fmt.Errorf("the stream ended with %q, want %q", after, trailer)
	}
	return nil
}
