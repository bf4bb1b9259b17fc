package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	// Where the two ends of the one channel of an nginx with nchan are.
	nchanPublish   = "/pub"
	nchanSubscribe = "/sub"

	// Requests are pipelined in groups; so many groups may be unanswered. More are
	// no faster.
	nchanGroup, nchanGroups = 256, 2

	// nchanPerSecond bounds the lines published in one second of the clock. nchan
	// numbers the messages of a second with 16 bits, sign included, and loses
	// messages without a word when there are more than 32,767. The rest is for
	// what is on its way when the second ends.
	nchanPerSecond = 30_000
)

// nchanOutput publishes the lines written to it, one message a line, as
// pipelined requests of one connection: over several their order would be lost.
type nchanOutput struct {
	conn    net.Conn
	host    string
	buf     []byte
	pending chan struct{}         // holds one element for every group not answered whole
	credit  int                   // requests of the latest group not sent yet
	second  int64                 // the second of the clock, since the epoch
	lines   int                   // published in it
	refused atomic.Pointer[error] // the first answer that was no 2xx
	ended   chan struct{}         // closed when no more answers are read
}

func openNchan(o *options, form *lineForm, b *board) (*appender, error) {
	conn, err := net.DialTimeout("tcp", o.nchan.String(), connectTimeout)
	if err != nil {
		return nil, fmt.Errorf("connect to nginx: %w", err)
	}
	out := &nchanOutput{conn: conn, host: o.nchan.String(), pending: make(chan struct{}, nchanGroups), ended: make(chan struct{})}
	go out.answers()
	return &appender{out: out, name: "http://" + out.host + nchanPublish, form: form, board: b, o: o}, nil
}

// Write publishes whole lines. The error may be about lines written earlier.
func (n *nchanOutput) Write(lines []byte) (int, error) {
	if refused := n.refused.Load(); refused != nil {
		return 0, *refused
	}
	n.buf = n.buf[:0]
	head := entryHead(nil, peerSource)
	for rest := lines; len(rest) > 0; {
		if err := n.await(); err != nil {
			return 0, err
		}
		i := bytes.IndexByte(rest, '\n')
		n.buf = append(n.buf, "POST "+nchanPublish+" HTTP/1.1\r\nHost: "...)
		n.buf = append(append(n.buf, n.host...), "\r\nContent-Length: "...)
		n.buf = strconv.AppendInt(n.buf, int64(len(head)+i+len(`"}`)), 10)
		n.buf = append(n.buf, "\r\n\r\n"...)
		n.buf = appendEntry(n.buf, head, rest[:i])
		rest = rest[i+1:]
	}
	if err := n.flush(); err != nil {
		return 0, err
	}
	return len(lines), nil
}

// await returns when one more request may be on its way. It waits for room for a
// whole group: waking up for every answer would cost more than the answer, and
// requests sent one by one would cost nginx a read each.
func (n *nchanOutput) await() error {
	if err := n.pace(); err != nil {
		return err
	}
	if n.credit == 0 {
		if err := n.flush(); err != nil { // the answers waited for may be to these
			return err
		}
		select {
		case n.pending <- struct{}{}:
			n.credit = nchanGroup
		case <-n.ended:
			return *n.refused.Load()
		}
	}
	n.credit--
	return nil
}

// pace waits for the next second if this one has had its lines.
func (n *nchanOutput) pace() error {
	for {
		now := time.Now()
		if now.Unix() != n.second {
			n.second, n.lines = now.Unix(), 0
		}
		if n.lines < nchanPerSecond {
			n.lines++
			return nil
		}
		if err := n.flush(); err != nil {
			return err
		}
		nap(now.Truncate(time.Second).Add(time.Second).Sub(now))
	}
}

// flush sends what has been collected.
func (n *nchanOutput) flush() error {
	_, err := n.conn.Write(n.buf)
	n.buf = n.buf[:0]
	if refused := n.refused.Load(); err != nil && refused != nil {
		return *refused
	}
	return err
}

// answers reads what nginx answers: unread answers would stop it, and one that
// is no success means that lines are lost.
func (n *nchanOutput) answers() {
	defer close(n.ended)
	in := bufio.NewReaderSize(n.conn, readBytes)
	for answered := 1; ; answered++ {
		err := nchanAnswer(in)
		if err == nil {
			if answered%nchanGroup == 0 {
				<-n.pending
			}
			continue
		}
		if err == io.EOF {
			err = errors.New("nginx closed the connection")
		}
		n.refused.Store(&err)
		n.conn.Close() // a write that waits for nginx must not wait for ever
		return
	}
}

// nchanAnswer reads one answer; io.EOF means that there is none.
func nchanAnswer(in *bufio.Reader) error {
	status, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 2")) {
		return fmt.Errorf("nginx answers %q to a published line", bytes.TrimSpace(status))
	}
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("read an answer of nginx: %w", err)
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if key, value, _ := bytes.Cut(line, []byte(":")); bytes.EqualFold(key, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return fmt.Errorf("Content-Length in an answer of nginx: %w", err)
			}
		}
	}
	if _, err := in.Discard(length); err != nil {
		return fmt.Errorf("read an answer of nginx: %w", err)
	}
	return nil
}

// Close ends the connection.
func (n *nchanOutput) Close() error {
	err := n.conn.Close()
	<-n.ended
	return err
}
