package tcp

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"logwisp/netio"
	"logwisp/netio/access"
	"logwisp/ring"
)

// waitLimit bounds every wait. It is not a measure of speed.
const waitLimit = 20 * time.Second

// port is a server with a ring to publish to.
type port struct {
	*Server
	t       *testing.T
	engine  *netio.Engine
	builder *ring.Builder
	n       int
}

func newPort(t *testing.T, handshake string) *port {
	t.Helper()
	r := ring.New(ring.Options{Entries: 1024, Bytes: 1 << 20})
	e, err := netio.New(r, netio.Options{Loops: 1, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Host: "127.0.0.1", Handshake: handshake}, e, access.Open(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		e.Drain(ctx)
		e.Close()
	})
	return &port{Server: s, t: t, engine: e, builder: r.NewBuilder()}
}

// publish appends n entries, every third of level error.
func (p *port) publish(n int) {
	for range n {
		p.n++
		level := ring.LevelInfo
		if p.n%3 == 0 {
			level = ring.LevelError
		}
		line := fmt.Sprintf(`{"time":"2024-01-01T12:00:00.000000Z","source":"a","level":"%s","message":"%d"}`+"\n", level, p.n)
		p.builder.Add(append(p.builder.Text(), line...), 1, level)
	}
	p.builder.Publish()
}

// dial connects, waits until the client is in and sends.
func (p *port) dial(text string) (*net.TCPConn, *bufio.Reader) {
	p.t.Helper()
	before := p.Transport().Stats().Joined
	c, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(waitLimit))
	for end := time.Now().Add(waitLimit); p.Transport().Stats().Joined == before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatal("waited in vain for the client to join")
		}
	}
	if _, err := io.WriteString(c, text); err != nil {
		p.t.Fatal(err)
	}
	return c.(*net.TCPConn), bufio.NewReader(c)
}

// want reads lines that contain these texts.
func (p *port) want(r *bufio.Reader, texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		if line, err := r.ReadString('\n'); err != nil || !strings.Contains(line, text) {
			p.t.Fatalf("got %q (%v), want something with %s", line, err, text)
		}
	}
}

func TestAHelloShapesTheStreamFromConnectedOn(t *testing.T) {
	p := newPort(t, "optional")
	p.publish(9)
	c, r := p.dial("")
	p.publish(3)
	p.want(r, `"10"`, `"11"`, `"12"`)
	if _, err := io.WriteString(c, `{"hello":1,"name":"me","filter":{"level":"error"},"tail":2,"ids":true}`+"\r\nthe rest\n{\"is\":\"discarded\"}\n"); err != nil {
		t.Fatal(err)
	}
	p.want(r, `{"type":"connected","client_id":"tcp-1"`, fmt.Sprintf(`{"id":"%d-9",`, p.engine.Epoch()), `"12"`)
	p.publish(3)
	p.want(r, `"15"`)
	for end := time.Now().Add(waitLimit); ; time.Sleep(time.Millisecond) {
		if got := p.Transport().Stats().Totals; got == (netio.Totals{Offered: 3 + 7, Delivered: 3 + 3, Filtered: 4}) {
			break
		} else if time.Now().After(end) {
			t.Fatalf("the totals are %+v", got)
		}
	}
	if got := p.engine.Clients()[0]; got.Totals != (netio.Totals{Offered: 7, Delivered: 3, Filtered: 4}) || got.Name != "me" || got.Filter != "level=error" {
		t.Errorf("the client is listed as %+v", got)
	}
}

func TestAHelloStartsAtTheFirstPlaceItNames(t *testing.T) {
	for asked, first := range map[string]string{
		`"since":"2024-01-01T12:00:00Z"`:                   "1",
		`"since":"2024-01-01T12:00:00Z","tail":1`:          "1",
		`"since":"5m","tail":1`:                            "4",
		`"since":"2024-01-01T12:00:00Z","from":"earliest"`: "1",
		`"since":"2024-01-01T12:00:00Z","from":"latest"`:   "4",
		`"tail":1`: "3",
	} {
		p := newPort(t, "required")
		p.publish(3) // of noon, 2024-01-01
		_, r := p.dial(`{"hello":1,` + asked + "}\n")
		p.want(r, "connected")
		p.publish(1)
		p.want(r, `"message":"`+first+`"`)
	}
}

func TestABadHelloIsAnsweredAndEndsTheStream(t *testing.T) {
	p := newPort(t, "optional")
	for _, line := range []string{
		`{`, `{}`, `{"hello":2}`, `{"hello":1,"filtr":{}}`, `{"hello":1,"filter":{"level":"eror"}}`, `{"hello":1,"filter":{"re":"("}}`,
		`{"hello":1,"from":"then"}`, `{"hello":1} {"hello":1}`, `{"hello":1,"name":"a\nb"}`, `{"hello":1,"tail":-1}`,
		`{"hello":1,"since":"yesterday"}`,
	} {
		_, r := p.dial(line + "\n")
		answer, err := io.ReadAll(r)
		var e struct{ Type, Error string }
		if err != nil || json.Unmarshal(answer, &e) != nil || e.Type != "error" || !strings.Contains(e.Error, "hello") {
			t.Errorf("%s is answered with %q (%v)", line, answer, err)
		}
	}
}

func TestWhatIsWrongWithAHelloIsSaidInItsWords(t *testing.T) {
	for line, want := range map[string]string{
		`{"hello":1,"filtr":{}}`:               `hello: unknown key "filtr"; there are hello, name, token, filter, from, since, tail, notices and ids`,
		`{"hello":1,"tail":-1}`:                `hello: tail: want a number from 0, not a number -1`,
		`{"hello":1,"notices":"yes"}`:          `hello: notices: want true or false, not a string`,
		`{"hello":1,"name":5}`:                 `hello: name: want a text, not a number`,
		`{"hello":1,"filter":{"levl":"warn"}}`: `hello: levl: no such filter parameter; did you mean level?`,
	} {
		if _, err := readHello([]byte(line)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

func TestNothingPrecedesConnectedWhenAHelloIsRequired(t *testing.T) {
	p := newPort(t, "required")
	c, r := p.dial("hello there\n")
	p.publish(5)
	if lag, listed := p.Transport().Stats().MaxLag, p.engine.Clients()[0].LagEntries; lag != 0 || listed != 0 {
		t.Errorf("who has not asked for anything is %d behind, or %d", lag, listed)
	}
	if _, err := io.WriteString(c, `{"hello":1,"from":"latest"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	p.want(r, `"type":"connected"`)
	p.publish(1)
	p.want(r, `"6"`)
}

func TestAHelloWorksFromAClientThatClosesItsSendingSide(t *testing.T) {
	p := newPort(t, "optional")
	p.publish(3)
	c, r := p.dial(`{"hello":1,"from":"earliest"}` + "\n")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	p.want(r, `"type":"connected"`, `"1"`, `"2"`, `"3"`)
}

func TestALineThatIsTooLongEndsTheStream(t *testing.T) {
	for _, first := range []string{"{", "x"} {
		p := newPort(t, "optional")
		c, r := p.dial("")
		go func() { _, _ = io.WriteString(c, first+strings.Repeat("x", 70000)) }()
		if _, err := r.ReadByte(); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Errorf("a line of 70 kB that begins with %s: %v", first, err)
		}
	}
}

func TestWithoutHandshakeAHelloIsDiscarded(t *testing.T) {
	p := newPort(t, "off")
	_, r := p.dial(`{"hello":1}` + "\n")
	p.publish(1)
	p.want(r, `"message":"1"`)
}
