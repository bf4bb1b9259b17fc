package nats

import (
	"strings"
	"testing"

	"logwisp/netio"
	"logwisp/netio/netiotest"
)

// startSecure starts a server that takes nobody without TLS.
func startSecure(t *testing.T, o netio.TLSOptions) *server {
	t.Helper()
	return startServer(t, "--tls", "--tlscert", o.CertFile, "--tlskey", o.KeyFile)
}

func TestAServerThatDemandsTLSGetsIt(t *testing.T) {
	s := startSecure(t, authority)
	p := entries(1, "a 1", "a 2")
	e := edge(t, s, p)
	carries(t, e, p)
	if state, err := e.conn.TLSConnectionState(); err != nil || !state.HandshakeComplete {
		t.Errorf("TLS: %+v, %v", state, err)
	}
	if got := strings.Join(s.payloads(t), ""); got != "LOGS.web1.a: 1\n2\n" {
		t.Errorf("the stream has %q", got)
	}
}

// tells waits until the edge says why it delivers nothing.
func tells(t *testing.T, e *Edge, why string) {
	t.Helper()
	eventually(t, "the reason to be told", func() bool {
		done, err := e.Carry(t.Context(), entries(1, "a 1"))
		if done > 0 {
			t.Fatal("delivered")
		}
		return err != nil && strings.Contains(err.Error(), why)
	})
}

func TestNothingIsSentToAServerWhoseCertificateNobodyVouchesFor(t *testing.T) {
	stranger, _ := netiotest.Certificate(t)
	s := startSecure(t, stranger)
	e, err := NewEdge(s.settings(t, ""), 7, nil, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	tells(t, e, "certificate")
}

func TestATokenIsNotSaidToAServerWithoutTLSWhereThatIsDemanded(t *testing.T) {
	o := startServer(t).settings(t, "&tls=true")
	e, err := NewEdge(o, 7, nil, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	tells(t, e, "secure connection")
	secured := startSecure(t, authority)
	p := entries(1, "a 1")
	e, err = NewEdge(secured.settings(t, "&tls=true"), 7, files{p}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	eventually(t, "a connection", e.conn.IsConnected)
	carries(t, e, p)
}
