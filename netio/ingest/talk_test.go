package ingest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"logwisp/ring/filter"
)

// talker is a sender that hears what it is told.
type talker struct {
	net.Conn
	r     *rig
	heard *bufio.Reader
}

func (r *rig) talker() *talker { return &talker{r.dial(), r, nil} }

func (c *talker) says(text string) { c.r.t.Helper(); c.r.write(c.Conn, text) }

// hears reads lines until that one; those before may be others of its kind.
func (c *talker) hears(want string) (all []string) {
	c.r.t.Helper()
	if c.heard == nil {
		c.heard = bufio.NewReader(c)
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	for {
		line, err := c.heard.ReadString('\n')
		if err != nil {
			c.r.t.Fatalf("heard %q and then %v, want %q", all, err, want)
		}
		if all = append(all, line); line == want+"\n" {
			return all
		}
	}
}

func TestASenderThatWantsItIsToldTheIdOfWhatIsInTheRing(t *testing.T) {
	r := newRig(t, Settings{Filter: onlyErrors}, tcpInput(Options{Tags: map[string]string{"dc": "eu"}}))
	c := r.talker()
	c.says(`{"hello":1,"name":"x","host":"web1","token":"t","acks":true}` + "\n")
	c.says(`{"id":"5-1","source":"a.log","level":"error","message":"one"}` + "\n" +
		`{"id":"5-2","source":"a.log","level":"error","message":"two","fields":{"host":"web0"}}` + "\n")
	c.hears(`{"ack":"5-2"}`)
	r.sees("one", "two")
	if a, b := r.got[0].Fields, r.got[1].Fields; fmt.Sprint(a) != "map[dc:eu host:web1]" || fmt.Sprint(b) != "map[dc:eu host:web0]" || r.got[0].Source != "a.log" {
		t.Errorf("the fields are %v and %v", a, b)
	}
	c.says(`{"id":"5-3","source":"a.log","level":"info","message":"kept out"}` + "\n") // that will not change when it is sent again
	c.hears(`{"ack":"5-3"}`)
	c.says(`{"id":"5-4","source":"a.log","level":"err`) // it was not acknowledged, and will come again
	c.Close()
	r.until("the end", func() bool { return r.server.Stats()[0].Connections == 0 })
	r.sees("one", "two")
}

func TestASenderOfLinesWithoutIdsIsToldHowManyHaveCome(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{}))
	c := r.talker()
	c.says("{\"hello\":1,\"acks\":true}\none\n\ntwo\n")
	c.hears(`{"ack":"2"}`)
	c.says("three\n")
	c.hears(`{"ack":"3"}`)
	r.sees("one", "two", "three")
}

// TestALineIsNotAcknowledgedBeforeItsEnd has so many lines without an end that what
// comes of one is sent on in pieces.
func TestALineIsNotAcknowledgedBeforeItsEnd(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{}))
	in := r.server.inputs[0]
	in.fragments.Add(maxFragments)
	defer in.fragments.Add(-maxFragments)
	c := r.talker()
	begin := strings.Repeat("x", 2*smallFragment)
	c.says("{\"hello\":1,\"acks\":true}\n" + begin)
	r.sees(begin)
	c.says("end\n")
	if all := c.hears(`{"ack":"1"}`); len(all) != 1 {
		t.Errorf("heard %q", all)
	}
	c.says("two\n")
	c.hears(`{"ack":"2"}`)
	r.sees(begin, "end", "two")
}

func TestTheKeysOfAHelloMayHaveAnyOrder(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{}))
	for _, hello := range []string{
		`{"acks":true,"hello":1,"host":"web1","token":"lw_secret"}`, `{ "token": "lw_secret", "hello": 1, "acks": true }`,
	} {
		c := r.talker()
		c.says(hello + "\none\n")
		c.hears(`{"ack":"1"}`)
	}
	r.sees("one", "one")
	k := r.talker()
	k.says(`{"acks":true,"hello":1,"message":"m"}` + "\n") // somebody's line
	r.sees("one", "one", "m")
}

func TestAHelloThatIsNotRightIsAnsweredAndEndsTheConnection(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{}))
	for hello, want := range map[string]string{
		`{"hello":2}`:            `{"error":"hello is 2: this daemon speaks 1","type":"error"}`,
		`{"hello":1,"acks":"x"}`: `{"error":"the hello is not right: json: cannot unmarshal string into Go struct field hello.acks of type bool","type":"error"}`,
		`{"hello":1,"host":"` + strings.Repeat("x", 256) + `"}`: `{"error":"host has 256 bytes: at most 255","type":"error"}`,
	} {
		c := r.talker()
		c.says(hello + "\nnot taken\n")
		c.hears(want)
		if _, err := c.heard.ReadByte(); err == nil {
			t.Error("the connection goes on")
		}
	}
	c := r.talker()
	c.says("{\"hello\":1}\nfirst\n{\"hello\":1,\"acks\":true}\n") // only the first line is one
	r.sees("first", `{"hello":1,"acks":true}`)
}

func TestWhatIsAcknowledgedAtAStopIsInTheRing(t *testing.T) {
	cert, key, pool := certificate(t)
	r := newRig(t, Settings{}, Options{URL: "tls://127.0.0.1:0", CertFile: cert, KeyFile: key})
	c := r.talker()
	c.Conn = tls.Client(c.Conn, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	c.says(`{"hello":1,"acks":true}` + "\n")
	const lines = 5000
	go func() {
		for i := range lines {
			if _, err := fmt.Fprintf(c.Conn, `{"id":"5-%d","source":"s","message":"%d"}`+"\n", i, i); err != nil {
				return
			}
		}
	}()
	r.until("some", func() bool { return len(r.got) > 100 })
	r.server.Stop()
	last, replies := -1, bufio.NewScanner(c)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	for replies.Scan() {
		if _, err := fmt.Sscanf(replies.Text(), `{"ack":"5-%d"}`, &last); err != nil {
			t.Fatalf("heard %q: %v", replies.Text(), err)
		}
	}
	r.collect()
	if n := len(r.got); last < 0 || last >= n {
		t.Errorf("%d was acknowledged, and %d entries are in the ring", last, n)
	}
}

func TestDatagramsFromWhereNoneMayComeAreLeftOut(t *testing.T) {
	r := newRig(t, Settings{Admit: func(a netip.Addr) bool { return a != netip.MustParseAddr("127.0.0.1") }},
		Options{URL: "syslog+udp://127.0.0.1:0"})
	r.write(dialUDP(t, r.server.inputs[0]), "<14>x")
	r.until("the datagram", func() bool { return r.server.Stats()[0].Rejected == 1 })
	r.sees()
}

func TestATokenThatIsSaidToTheWrongPlaceIsNotPublished(t *testing.T) {
	const hello = `{"hello":1,"acks":true,"token":"lw_secret"}` + "\n"
	for name, c := range map[string]struct {
		input Options
		sent  string
		want  []string
	}{
		"twice":     {tcpInput(Options{}), hello + `{"message":"first"}` + "\n" + hello + "not taken\n", []string{"first"}},
		"to syslog": {Options{URL: "syslog+tcp://127.0.0.1:0"}, hello + "not taken\n", nil},
	} {
		r := newRig(t, Settings{}, c.input)
		k := r.dial()
		r.write(k, c.sent)
		if said, err := io.ReadAll(k); err != nil || strings.Contains(string(said), "lw_") {
			t.Errorf("%s: heard %q, %v", name, said, err)
		}
		r.sees(c.want...)
		if s := r.server.Stats()[0]; s.Refused != 1 {
			t.Errorf("%s: %d connections were refused, want 1", name, s.Refused)
		}
	}
}

func TestWhatABrowserSendsIsNoLine(t *testing.T) {
	for _, scheme := range []string{"tcp", "syslog+tcp"} {
		r := newRig(t, Settings{}, Options{URL: scheme + "://127.0.0.1:0"})
		k := r.dial()
		r.write(k, "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n{\"source\":\"auth.log\",\"message\":\"forged\"}\n")
		if _, err := io.ReadAll(k); err != nil {
			t.Errorf("%s: the connection goes on: %v", scheme, err)
		}
		r.sees()
		k = r.dial()
		r.write(k, "first\nPOST / HTTP/1.1\n") // a line of a log
		if scheme == "tcp" {
			r.sees("first", "POST / HTTP/1.1")
		}
	}
}

// TestAnIdIsAcknowledgedAsItWasSent has entries whose ids the parser does not see, or
// not as they were: the sender waits for what it has sent.
func TestAnIdIsAcknowledgedAsItWasSent(t *testing.T) {
	const id = "1795361890502-7"
	own := `{"id":"` + id + `","source":"a","message":"%s"}` + "\n"
	for name, c := range map[string]struct {
		filter filter.IntakeOptions
		format string
		text   string
	}{
		"redacted":     {filter.IntakeOptions{Redact: []string{`\b\d{13,16}\b`}}, "", "x"},
		"too long":     {filter.IntakeOptions{}, "", strings.Repeat("x", 3<<20)},
		"another form": {filter.IntakeOptions{}, "text", "x"},
	} {
		r := newRig(t, Settings{Filter: c.filter}, tcpInput(Options{Format: c.format}))
		k := r.talker()
		k.says("{\"hello\":1,\"acks\":true}\n" + fmt.Sprintf(own, c.text))
		if all := k.hears(`{"ack":"` + id + `"}`); len(all) != 1 {
			t.Errorf("%s: heard %q", name, all)
		}
	}
}

// TestTheIdOfALineInPiecesIsAcknowledgedAtItsEnd has so many lines without an end that
// what comes of one is sent on.
func TestTheIdOfALineInPiecesIsAcknowledgedAtItsEnd(t *testing.T) {
	r := newRig(t, Settings{}, tcpInput(Options{}))
	in := r.server.inputs[0]
	in.fragments.Add(maxFragments)
	defer in.fragments.Add(-maxFragments)
	c := r.talker()
	c.says("{\"hello\":1,\"acks\":true}\n" + `{"id":"5-1","message":"` + strings.Repeat("x", 2*smallFragment))
	r.until("the piece", func() bool { return len(r.got) == 1 })
	c.says("y\"}\n")
	if all := c.hears(`{"ack":"5-1"}`); len(all) != 1 {
		t.Errorf("heard %q", all)
	}
}
