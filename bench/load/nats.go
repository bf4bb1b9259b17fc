package main

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
)

// The NATS client protocol, as far as publishing and subscribing need it.
const (
	natsSubject   = "lw"
	natsSubscribe = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB " + natsSubject + " 1\r\n"
)

// natsPayload returns the entry that a line of the protocol is, nil when it is
// something else. Entries begin with a brace, the protocol's own lines do not.
func natsPayload(line []byte) []byte {
	if len(line) == 0 || line[0] != '{' {
		return nil
	}
	return bytes.TrimSuffix(line, []byte("\r"))
}

// natsOutput publishes the lines written to it.
type natsOutput struct {
	conn  net.Conn
	batch int // lines a message
	buf   []byte
	body  []byte
}

func openNATS(o *options, form *lineForm, b *board) (*appender, error) {
	conn, err := net.DialTimeout("tcp", o.nats.String(), connectTimeout)
	if err != nil {
		return nil, fmt.Errorf("connect to the NATS server: %w", err)
	}
	out := &natsOutput{conn: conn, batch: max(o.batch, 1)}
	if _, err := conn.Write([]byte("CONNECT {\"verbose\":false,\"pedantic\":false}\r\n")); err != nil {
		conn.Close()
		return nil, fmt.Errorf("greet the NATS server: %w", err)
	}
	return &appender{out: out, name: "nats://" + o.nats.String(), form: form, board: b, o: o}, nil
}

// Write publishes whole lines, batch of them a message.
func (n *natsOutput) Write(lines []byte) (int, error) {
	n.buf = n.buf[:0]
	head := entryHead(nil, peerSource)
	for rest := lines; len(rest) > 0; {
		n.body = n.body[:0]
		for k := 0; k < n.batch && len(rest) > 0; k++ {
			i := bytes.IndexByte(rest, '\n')
			if k > 0 {
				n.body = append(n.body, '\n')
			}
			n.body = appendEntry(n.body, head, rest[:i])
			rest = rest[i+1:]
		}
		n.buf = append(n.buf, "PUB "+natsSubject+" "...)
		n.buf = strconv.AppendInt(n.buf, int64(len(n.body)), 10)
		n.buf = append(append(append(n.buf, '\r', '\n'), n.body...), '\r', '\n')
	}
	if _, err := n.conn.Write(n.buf); err != nil {
		return 0, err
	}
	return len(lines), nil
}

// Close ends the connection.
func (n *natsOutput) Close() error { return n.conn.Close() }
