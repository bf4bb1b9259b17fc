package ingest

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"os/exec"
	"testing"
	"time"

	"logwisp/netio/netiotest"
	"logwisp/ring/filter"
)

// TestASenderMayAskForNewKeys has OpenSSL do so (RFC 8446, 4.6.3), which it does for a
// line that begins with K.
func TestASenderMayAskForNewKeys(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	o, _ := netiotest.Certificate(t)
	r := newRig(t, Settings{}, Options{URL: "tls://127.0.0.1:0", CertFile: o.CertFile, KeyFile: o.KeyFile})
	client := exec.CommandContext(t.Context(), openssl, "s_client", "-tls1_3", "-connect", r.server.inputs[0].address.String())
	in, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = client.Wait() }()
	say := func(line string) {
		if _, err := in.Write([]byte(line + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	say("before")
	r.sees("before")
	say("K")
	// What comes with the K in one read is taken for a part of it.
	next := time.Now()
	r.until("a line with the new keys", func() bool {
		if time.Now().After(next) {
			say("after")
			next = time.Now().Add(100 * time.Millisecond)
		}
		return len(r.got) > 1
	})
}

// TestACertificateIsReadAgainAtAReload replaces the files of an input.
func TestACertificateIsReadAgainAtAReload(t *testing.T) {
	o, _ := netiotest.Certificate(t)
	in := Options{URL: "tls://127.0.0.1:0", CertFile: o.CertFile, KeyFile: o.KeyFile}
	r := newRig(t, Settings{}, in)
	shown := func() *x509.Certificate {
		c, err := tls.Dial("tcp", r.server.inputs[0].address.String(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // it is looked at
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0]
	}
	before := shown()
	other, _ := netiotest.Certificate(t)
	for to, from := range map[string]string{o.CertFile: other.CertFile, o.KeyFile: other.KeyFile} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	apply, err := r.server.Reload(filter.IntakeOptions{}, []Options{in})
	if err != nil {
		t.Fatal(err)
	}
	apply()
	if shown().Equal(before) {
		t.Error("the certificate is the one of before")
	}
	if err := os.Remove(o.KeyFile); err != nil {
		t.Fatal(err)
	}
	if _, err := r.server.Reload(filter.IntakeOptions{}, []Options{in}); err == nil {
		t.Error("a key that is gone is no error")
	}
	// What is to have other files takes a restart: until then nobody minds the old ones.
	in.KeyFile = other.KeyFile
	now := shown()
	apply, err = r.server.Reload(filter.IntakeOptions{}, []Options{in})
	if err != nil {
		t.Fatal(err)
	}
	apply()
	if !shown().Equal(now) {
		t.Error("the certificate is another one")
	}
}
