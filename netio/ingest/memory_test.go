package ingest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"logwisp/netio/netiotest"
)

// inUse is the memory that the process has in use, stacks included.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // stacks shrink at one, and are free at the next
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

func TestAnIdleConnectionTakesAFewKilobytes(t *testing.T) {
	const connections = 500
	r := newRig(t, Settings{}, tcpInput(Options{Source: "s"}))
	r.send("warm\n")
	r.sees("warm")
	before := inUse()
	for range connections {
		r.write(r.dial(), strings.Repeat("x", 300)+"\n"+`{"source":"a","message":"b"}`+"\nhalf")
	}
	r.until("all lines", func() bool { return len(r.got) == 1+2*connections })
	r.got, r.lines = nil, nil
	each := (inUse() - before) / connections // with the client's side, and what the ring holds
	t.Logf("%d bytes", each)
	if each > 12<<10 {
		t.Errorf("an idle connection takes %d bytes", each)
	}
}

// certificate writes one for 127.0.0.1, signed by itself.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	o, client := netiotest.Certificate(t)
	return o.CertFile, o.KeyFile, client.RootCAs
}

func TestLinesOverTLSComeInWhateverTheRecords(t *testing.T) {
	cert, key, pool := certificate(t)
	r := newRig(t, Settings{}, Options{URL: "tls://127.0.0.1:0", CertFile: cert, KeyFile: key})
	c := tls.Client(r.dial(), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	var want []string
	for i := range 2000 {
		want = append(want, fmt.Sprintf("line %d %s", i, strings.Repeat("x", i%500)))
	}
	text := strings.Join(want, "\n")
	r.write(c, text[:10])
	r.write(c, text[10:])
	r.write(c, "\n")
	r.sees(want...)
	r.write(c, "half")
	c.Close()
	r.sees(append(want, "half")...)

	// Whoever does not speak TLS is sent away; one that says nothing does not
	// hold up the stop.
	plain := r.dial()
	r.write(plain, "plain text, and no TLS at all\n")
	_ = plain.SetReadDeadline(time.Now().Add(patience))
	for {
		if _, err := plain.Read(make([]byte, 64)); err != nil {
			if os.IsTimeout(err) {
				t.Error("the connection is not closed")
			}
			break
		}
	}
	r.dial()
	r.until("the silent one", func() bool { return r.server.Stats()[0].Accepted == 3 })
	r.server.Stop()
	r.sees(append(want, "half")...)
}

func TestATLSConnectionThatIsOpenEndsAtTheStop(t *testing.T) {
	cert, key, pool := certificate(t)
	r := newRig(t, Settings{}, Options{URL: "tls://127.0.0.1:0", CertFile: cert, KeyFile: key})
	c := tls.Client(r.dial(), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	r.write(c, "one\ntwo")
	r.sees("one")
	r.server.Stop()
	r.sees("one", "two")
}
