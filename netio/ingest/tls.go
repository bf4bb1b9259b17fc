package ingest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"logwisp/netio"
)

// handshakeTime is how long a TLS client may take to say who it is.
const handshakeTime = 10 * time.Second

// serverTLS reads a certificate.
func serverTLS(in *Options) (*tls.Config, error) {
	if in.CertFile == "" || in.KeyFile == "" {
		return nil, errors.New("set cert_file and key_file of the input to a certificate and its key, both in PEM")
	}
	o := netio.TLSOptions{Enabled: true, CertFile: in.CertFile, KeyFile: in.KeyFile, ClientCAFile: in.ClientCAFile}
	config, err := o.Load()
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return config, nil
}

// secure reads a TLS connection, which keeps what it has read of a record.
type secure struct {
	*socket
	conn *tls.Conn
}

// unwaiting is a connection that crypto/tls reads without waiting.
type unwaiting struct {
	net.Conn
	socket *socket
}

func (c unwaiting) Read(b []byte) (int, error) { return c.socket.read(b) }

// answerAtOnce is how long the answer to a message of the protocol may take: a sender
// that asks for new keys (RFC 8446, 4.6.3) reads nothing else if it is not answered.
const answerAtOnce = 100 * time.Millisecond

// switching waits during the handshake, and not any more afterwards.
type switching struct {
	net.Conn
	after *unwaiting // nil before
	may   bool       // write: somebody has set a deadline for that
	deaf  error      // the peer does not read what it has asked for
}

func (c *switching) SetWriteDeadline(t time.Time) error {
	c.may = t.IsZero() || t.After(time.Now())
	return c.Conn.SetWriteDeadline(t)
}

func (c *switching) Write(b []byte) (int, error) {
	if c.after == nil || c.may {
		return c.Conn.Write(b)
	}
	if c.deaf != nil {
		return 0, c.deaf
	}
	_ = c.Conn.SetWriteDeadline(time.Now().Add(answerAtOnce))
	n, err := c.Conn.Write(b)
	_ = c.Conn.SetWriteDeadline(time.Unix(1, 0))
	if err != nil {
		// crypto/tls would not tell, and ask again for each request: whoever sends
		// many and reads nothing would have a worker wait for as long as it likes.
		c.deaf = fmt.Errorf("it does not read the answer to its request for new keys: %w", err)
	}
	return n, err
}

func (c *switching) Read(b []byte) (int, error) {
	if c.deaf != nil {
		return 0, c.deaf
	}
	if c.after != nil {
		return c.after.Read(b)
	}
	return c.Conn.Read(b)
}

// newSecure shakes hands.
func newSecure(k *socket, config *tls.Config) (*secure, error) {
	c := &switching{Conn: k.conn}
	t := tls.Server(c, config)
	_ = k.conn.SetDeadline(time.Now().Add(handshakeTime))
	k.endEarly()
	if err := t.Handshake(); err != nil {
		return nil, err
	}
	_ = k.conn.SetReadDeadline(time.Time{})
	k.endEarly()
	_ = k.conn.SetWriteDeadline(time.Unix(1, 0)) // from here on only with a deadline of its own
	c.after = &unwaiting{k.conn, k}
	return &secure{k, t}, nil
}

// read fills b from as many records as there are: each alone is small.
func (s *secure) read(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var more int
		more, err = s.conn.Read(b[n:])
		n += more
	}
	if n > 0 {
		return n, nil // the error comes again
	}
	if errors.Is(err, errNothing) {
		err = errNothing
	}
	return 0, err
}
