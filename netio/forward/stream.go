package forward

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"logwisp/ring/record"
)

const (
	dialTimeout = 10 * time.Second
	// writeTimeout is how long the counterpart may take nothing.
	writeTimeout = 30 * time.Second
	// ackTimeout is how long another LogWisp may take to say that it has
	// published what it was sent.
	ackTimeout = 30 * time.Second
	maxReply   = 64 << 10 // bytes of a line that is answered
)

// streamSender writes lines to a socket.
type streamSender struct {
	options *Options
	address string
	secure  *tls.Config // nil: plain
	epoch   string

	link   *link // nil: not connected
	framed []byte
}

// link is one connection. A goroutine listens to it until it ends.
type link struct {
	net.Conn
	ended chan error    // has why, once
	sent  atomic.Uint64 // seq of the last entry that was written, or is about to be
	acked atomic.Uint64 // seq up to which another LogWisp has published what it was sent
	news  chan struct{} // acked has grown
}

// over returns why the connection has ended, nil if it has not.
func (l *link) over() error {
	select {
	case err := <-l.ended:
		l.ended <- err
		return err
	default:
		return nil
	}
}

func newStreamSender(o *Options, u *url.URL, epoch uint64) *streamSender {
	s := &streamSender{options: o, address: u.Host, epoch: strconv.FormatUint(epoch, 10)}
	if u.Scheme == "tls" {
		s.secure = &tls.Config{ServerName: u.Hostname()}
	}
	return s
}

// chained reports whether the counterpart is another LogWisp.
func (s *streamSender) chained() bool { return s.options.Preset == "logwisp" }

func (s *streamSender) close() {
	if s.link != nil {
		s.link.Close()
		s.link = nil
	}
}

// send writes p, connecting first where that is needed. After an error the next
// call begins a new connection (F5).
func (s *streamSender) send(ctx context.Context, p part) (outcome, error) {
	if s.link == nil {
		if err := s.connect(ctx); err != nil {
			return outcome{}, err
		}
	}
	l := s.link
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	deliver := s.write
	if s.chained() {
		deliver = s.exchange
	}
	done, err := deliver(p)
	if err != nil {
		s.close()
		err = fmt.Errorf("send to %s: %w", s.address, err)
	}
	return outcome{done: done}, err
}

// write writes p's lines as they are, and waits until the counterpart's kernel
// has them: what is only in ours is lost when the counterpart goes.
func (s *streamSender) write(p part) (done int, err error) {
	if err := s.link.over(); err != nil {
		return 0, err
	}
	before, _, _ := s.link.confirmed()
	err = s.writeAll(p.bytes())
	if err == nil {
		err = s.link.confirm()
	}
	if err == nil {
		return p.len(), nil
	}
	if s.secure != nil {
		return 0, err // which of its bytes are whose is not known
	}
	now, _, _ := s.link.confirmed()
	if now < before { // it is closed: what it had is not known any more
		return 0, err
	}
	for start := p.end(p.first - 1); done < p.len() && uint64(p.ends[p.first+done]-start) <= now-before; done++ {
	}
	return done, err
}

// confirm waits until the other side's kernel has everything that was written.
func (l *link) confirm() error {
	for wait := 20 * time.Microsecond; ; wait = min(2*wait, 2*time.Millisecond) {
		_, all, err := l.confirmed()
		if all || err != nil {
			return err
		}
		time.Sleep(wait)
	}
}

// confirmed returns how many bytes the other side's kernel has acknowledged, and
// whether these are all that were written. The kernel ends a connection that
// acknowledges nothing for writeTimeout.
func (l *link) confirmed() (bytes uint64, all bool, err error) {
	conn := l.Conn
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	e := control(conn, func(fd int) error {
		bytes, all, err = acknowledged(fd)
		return err
	})
	return bytes, all, e
}

// writeAll gives the counterpart writeTimeout for each piece, not for all.
func (s *streamSender) writeAll(b []byte) error {
	const piece = 256 << 10
	for len(b) > 0 {
		if err := s.link.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return err
		}
		n, err := s.link.Write(b[:min(len(b), piece)])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = fmt.Errorf("it has taken nothing for %v", writeTimeout)
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// exchange writes p's entries with their ids and waits until the last of them is
// acknowledged.
func (s *streamSender) exchange(p part) (done int, err error) {
	s.framed = s.framed[:0]
	for i := p.first; i < p.last; i++ {
		s.framed = append(append(s.framed, `{"id":"`...), s.epoch...)
		s.framed = strconv.AppendUint(append(s.framed, '-'), p.seqs[i], 10)
		s.framed = append(append(s.framed, `",`...), p.entry(i)[1:]...)
	}
	s.link.sent.Store(p.seqs[p.last-1])
	if err := s.writeAll(s.framed); err != nil {
		return 0, err
	}
	timeout := time.NewTimer(ackTimeout)
	defer timeout.Stop()
	for done < p.len() && err == nil {
		select {
		case <-s.link.news:
			timeout.Reset(ackTimeout)
		case err = <-s.link.ended: // what was acknowledged before counts
			s.link.ended <- err
		case <-timeout.C:
			err = fmt.Errorf("no acknowledgement for %v: is it the input of a LogWisp?", ackTimeout)
		}
		for acked := s.link.acked.Load(); done < p.len() && p.seqs[p.first+done] <= acked; {
			done++
		}
	}
	if done == p.len() {
		return done, nil
	}
	return done, err
}

// hello is the first line to another LogWisp.
type hello struct {
	Hello int    `json:"hello"`
	Name  string `json:"name"`
	Host  string `json:"host,omitempty"`
	Token string `json:"token,omitempty"`
	Acks  bool   `json:"acks"`
}

// connect makes a connection, and says hello where that is understood.
func (s *streamSender) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return err
	}
	limitSilence(conn)
	if s.secure != nil {
		t := tls.Client(conn, s.secure)
		if err := t.HandshakeContext(ctx); err != nil {
			conn.Close()
			return fmt.Errorf("TLS with %s: %w", s.address, err)
		}
		conn = t
	}
	s.link = &link{Conn: conn, ended: make(chan error, 1), news: make(chan struct{}, 1)}
	if s.chained() {
		token, err := s.options.token()
		if err != nil {
			s.close()
			return err
		}
		host, _ := os.Hostname()
		line := record.AppendLine(nil, &hello{Hello: 1, Name: s.options.Label(), Host: host, Token: token, Acks: true})
		if err := s.writeAll(line); err != nil {
			s.close()
			return err
		}
	}
	go s.listen(s.link)
	return nil
}

// listen reads what the counterpart says until the connection ends. Others than
// a LogWisp have nothing to say.
func (s *streamSender) listen(l *link) {
	lines := bufio.NewScanner(l)
	lines.Buffer(make([]byte, 0, 4<<10), maxReply)
	for lines.Scan() {
		if !s.chained() {
			continue
		}
		if err := s.hear(l, lines.Bytes()); err != nil {
			l.ended <- err
			return
		}
	}
	err := lines.Err()
	if err == nil {
		err = errors.New("it has closed the connection")
	}
	l.ended <- err
}

// hear takes a line of another LogWisp. What it does not know is for others.
func (s *streamSender) hear(l *link, line []byte) error {
	var reply struct{ Ack, Error string }
	switch err := json.Unmarshal(line, &reply); {
	case err != nil:
		return errors.New("it answers something else than acknowledgements: is it the input of a LogWisp?")
	case reply.Error != "":
		return errors.New(reply.Error)
	}
	text, ours := strings.CutPrefix(reply.Ack, s.epoch+"-")
	if seq, err := strconv.ParseUint(text, 10, 64); ours && err == nil {
		if seq > l.sent.Load() {
			return fmt.Errorf("it acknowledges entry %s, which it was not sent", reply.Ack)
		}
		l.acked.Store(seq)
		select {
		case l.news <- struct{}{}:
		default:
		}
	}
	return nil
}

// limitSilence has a connection fail whose peer has vanished.
func limitSilence(conn net.Conn) {
	_ = control(conn, func(fd int) error { // without it the timeout of the write serves
		return setUserTimeout(fd, writeTimeout)
	})
}

// control calls f with the descriptor of a connection.
func control(conn net.Conn, f func(fd int) error) error {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}
