package ingest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
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
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{certFile: certPEM, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, pool
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
