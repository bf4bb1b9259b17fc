package ingest

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// keys stands for the tokens there are.
func keys(token string) Settings { return fleeting(token, func() bool { return true }) }

// fleeting are keys to a right that may end.
func fleeting(token string, still func() bool) Settings {
	return Settings{Authorize: func(shown string, _ netip.Addr) (string, func() bool, error) {
		switch shown {
		case token:
			return "edge", still, nil
		case "":
			return "", nil, errors.New("a token is needed")
		}
		return "", nil, errors.New("the token is not known")
	}}
}

const (
	needed  = `{"error":"hello: token: a token is needed: begin with the line {\"hello\":1,\"token\":\"…\"}","type":"error"}`
	silence = `{"error":"hello: token: begin with the line {\"hello\":1,\"token\":\"…\"}, within 10 seconds and 4 KiB","type":"error"}`
	wrong   = `{"error":"hello: token: the token is not known","type":"error"}`
)

func TestWhereThereAreTokensASenderShowsOne(t *testing.T) {
	unix := Options{URL: "unix://" + t.TempDir() + "/s"}
	for name, in := range map[string]Options{"tcp": tcpInput(Options{}), "unix": unix} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, keys("secret"), in)
			c := r.talker()
			c.says("no hello\nmore\n" + strings.Repeat("and more\n", 100_000)) // it hears why, whatever it has sent
			c.hears(needed)
			c = r.talker()
			c.says(`{"hello":1,"acks":true}` + "\nmore\n")
			c.hears(needed)
			c = r.talker()
			c.says(`{"hello":1,"token":"guess"}` + "\nmore\n")
			c.hears(wrong)
			c = r.talker()
			c.says(`{"hello":1,"token":"secret","acks":true}` + "\nlet in\n")
			c.hears(`{"ack":"1"}`)
			r.sees("let in")
			r.until("three refusals", func() bool { return r.server.Stats()[0].Refused == 3 })
		})
	}
}

func TestASenderThatHasToShowATokenMayHoldNothing(t *testing.T) {
	r := newRig(t, keys("secret"), tcpInput(Options{}))
	c := r.talker()
	c.says(strings.Repeat("x", 4*maxHello))
	c.hears(silence)
	r.until("the end", func() bool { return r.server.Stats()[0].Connections == 0 })
	r.sees()
}

func TestTheTimeForTheHelloEndsWithTheHello(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for two seconds")
	}
	defer func(before time.Duration) { helloTime = before }(helloTime)
	helloTime = 2 * time.Second
	t.Run("within", func(t *testing.T) { hesitate(t) }) // its server has stopped when the time is set back
}

func hesitate(t *testing.T) {
	r := newRig(t, keys("secret"), tcpInput(Options{}))
	silent, c := r.talker(), r.talker()
	c.says(`{"hello":1,"token":"secret","acks":true}` + "\nfirst\n")
	c.hears(`{"ack":"1"}`)
	silent.hears(silence) // it was there before c
	c.says("second\n")
	c.hears(`{"ack":"2"}`)
	r.sees("first", "second")
}

func TestAnInputMayAskForNoToken(t *testing.T) {
	r := newRig(t, keys("secret"), tcpInput(Options{Auth: "none"}))
	r.send("one\n")
	r.sees("one")
	r = newRig(t, keys("secret"), Options{URL: "syslog+tcp://127.0.0.1:0"}) // it cannot
	r.send("<13>1 2026-01-01T00:00:00Z h a - - - two\n")
	r.sees("two")
}

func TestWithoutTokensNobodyShowsOne(t *testing.T) {
	r := newRig(t, Settings{Authorize: func(string, netip.Addr) (string, func() bool, error) { return "", nil, nil }}, tcpInput(Options{Auth: "token"}))
	r.send("one\n")
	r.sees("one")
}

func TestASenderWhoseTokenIsGoneIsDisconnected(t *testing.T) {
	var gone atomic.Bool
	r := newRig(t, fleeting("secret", func() bool { return !gone.Load() }), tcpInput(Options{}))
	c := r.talker()
	c.says(`{"hello":1,"token":"secret","acks":true}` + "\none\n")
	c.hears(`{"ack":"1"}`)
	r.server.Recheck()
	c.says("two\n")
	c.hears(`{"ack":"2"}`)
	silent := r.talker() // it has not been asked yet
	r.until("both", func() bool { return r.server.Stats()[0].Connections == 2 })
	gone.Store(true)
	r.server.Recheck()
	r.until("the end of one", func() bool { return r.server.Stats()[0].Connections == 1 })
	late := r.talker() // its token goes between the question and Recheck
	late.says(`{"hello":1,"token":"secret","acks":true}` + "\nnever\n")
	late.hears(`{"error":"hello: token: it may not send any more","type":"error"}`)
	gone.Store(false)
	silent.says(`{"hello":1,"token":"secret","acks":true}` + "\nthree\n")
	silent.hears(`{"ack":"1"}`)
}

func TestASenderWhoseAddressIsDeniedIsDisconnected(t *testing.T) {
	var denied atomic.Bool
	r := newRig(t, Settings{Admit: func(netip.Addr) bool { return !denied.Load() }}, tcpInput(Options{}))
	c := r.talker()
	c.says(`{"hello":1,"acks":true}` + "\none\n")
	c.hears(`{"ack":"1"}`)
	denied.Store(true)
	r.server.Recheck()
	r.until("the end", func() bool { return r.server.Stats()[0].Connections == 0 })
}

func TestASendersCertificateTakesThePlaceOfAToken(t *testing.T) {
	cert, key, pool := certificate(t)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, keys("secret"), Options{URL: "tls://127.0.0.1:0", CertFile: cert, KeyFile: key, ClientCAFile: cert})
	known := tls.Client(r.dial(), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", Certificates: []tls.Certificate{pair}})
	r.write(known, "one\n")
	r.sees("one")
	stranger := tls.Client(r.dial(), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	_, _ = stranger.Write([]byte("two\n")) // with TLS 1.3 the refusal comes behind it
	_ = stranger.SetReadDeadline(time.Now().Add(patience))
	if _, err := stranger.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a sender without a certificate gets %v", err)
	}
	r.sees("one")
}

func TestATokenIsNotPossibleWhereThereIsNoPlaceForOne(t *testing.T) {
	for _, o := range []Options{{URL: "syslog+tcp://:6514", Auth: "token"}, {URL: "syslog+udp://:5514", Auth: "token"}, {URL: "-", Auth: "token"}} {
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), "[acl]") {
			t.Errorf("%s: %v, want an error that names [acl]", o.URL, err)
		}
	}
}

func TestOneAddressHasHalfOfAnInputsConnections(t *testing.T) {
	s, in := &Server{}, &input{connections: 5}
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i, c := range []struct {
		from netip.Addr
		want bool
	}{{a, true}, {a, true}, {a, false}, {b, true}, {netip.MustParseAddr("::1"), true}, {netip.Addr{}, true}} {
		if got := s.seat(in, c.from); got != c.want {
			t.Errorf("the %dth, of %v: %v", i+1, c.from, got)
		}
	}
	s.unseat(in, a)
	if !s.seat(in, a) {
		t.Error("the place of one that has left is not free")
	}
	for _, from := range []netip.Addr{a, a, b, {}} {
		s.unseat(in, from)
	}
	if len(in.seats) > 0 {
		t.Errorf("%v is remembered of nobody", in.seats)
	}
}
