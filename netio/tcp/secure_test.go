package tcp

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logwisp/netio"
	"logwisp/netio/access"
	"logwisp/netio/netiotest"
	"logwisp/ring"
)

func TestConformanceWithTLS(t *testing.T) {
	o, client := netiotest.Certificate(t)
	tr := transport("", nothing)
	tr.Secure = client
	tr.Start = starting(Options{TLS: o}, access.Open())
	netiotest.Run(t, tr)
}

// starting returns how a server with settings is started.
func starting(options Options, gate *access.Gate) func(*testing.T, *netio.Engine, netio.ClientOptions, netio.HeartbeatPolicy) (net.Addr, *netio.Transport) {
	return func(t *testing.T, e *netio.Engine, o netio.ClientOptions, h netio.HeartbeatPolicy) (net.Addr, *netio.Transport) {
		options := options
		options.Host, options.ClientOptions = "127.0.0.1", o
		s, err := New(options, e, gate, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		s.transport.Reload(o, h)
		done := make(chan error, 1)
		go func() { done <- s.Serve() }()
		t.Cleanup(func() {
			s.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
			s.listeners.Flush(t.Context())
		})
		return s.Addr(), s.Transport()
	}
}

// rig is a server with an empty ring.
func rig(t *testing.T, o Options, gate *access.Gate) (net.Addr, *netio.Transport, *ring.Ring, *netio.Engine) {
	t.Helper()
	r := ring.New(ring.Options{Entries: 16, Bytes: 1 << 20})
	e, err := netio.New(r, netio.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	addr, tr := starting(o, gate)(t, e, netio.ClientOptions{PerAddress: 2}, netio.HeartbeatPolicy{})
	return addr, tr, r, e
}

// eventually waits for a condition: what a client sees of its end comes before
// the end is counted.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(waitLimit); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// dial connects a client.
func dial(t *testing.T, addr net.Addr) net.Conn {
	t.Helper()
	c, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// says connects, sends a line and returns what comes back first, "" when the
// server just closes.
func says(t *testing.T, addr net.Addr, line string) (string, net.Conn) {
	t.Helper()
	c := dial(t, addr)
	_, _ = io.WriteString(c, line)
	answer, _ := bufio.NewReader(c).ReadString('\n')
	return answer, c
}

func TestWithTokensAHelloNeedsOne(t *testing.T) {
	const token = "a token of many characters"
	rules := access.Rules{Auth: access.Auth{Tokens: []access.Token{{Name: "a", Hash: access.Hash(token)}}}}
	gate, err := access.NewGate(rules)
	if err != nil {
		t.Fatal(err)
	}
	addr, tr, r, e := rig(t, Options{Handshake: "off"}, gate)
	b := r.NewBuilder()
	b.Add(append(b.Text(), "{}\n"...), 0, 0)
	b.Publish()
	for hello, want := range map[string]string{
		`{"hello":1}` + "\n":                     "a token is needed",
		`{"hello":1,"token":"wrong"}` + "\n":     "the token is not known",
		`{"hello":1,"token":"` + token + "\"}\n": `"type":"connected"`,
	} {
		got, c := says(t, addr, hello)
		if !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %s; turned away: %v", hello, got, want, tr.Stats().Rejections)
		}
		// Who is refused has its place among those of the address until its end is
		// counted, which may come after its answer. One that was let in goes with a
		// reset: else it might have closed its sending side only.
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
		eventually(t, "its end to be counted", func() bool { return tr.Stats().Active == 0 })
	}
	// Whose token is taken away has no right to be here any more.
	_, c := says(t, addr, `{"hello":1,"token":"`+token+"\"}\n")
	// So of one that was taken away and given to somebody else. Who has not been asked
	// yet is asked for the new one.
	late := dial(t, addr)
	eventually(t, "the late one to be in", func() bool { return tr.Stats().Active == 2 })
	if err := gate.Set(access.Rules{Auth: access.Auth{Tokens: []access.Token{{Name: "a", Hash: access.Hash(token + "2")}}}}); err != nil {
		t.Fatal(err)
	}
	e.Recheck()
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Error(err)
	}
	eventually(t, "the departure to be counted", func() bool { return tr.Stats().Disconnects["kicked"] > 0 })
	_, _ = io.WriteString(late, `{"hello":1,"token":"`+token+"2\"}\n")
	if got, _ := bufio.NewReader(late).ReadString('\n'); !strings.Contains(got, `"type":"connected"`) {
		t.Errorf("the late one gets %q", got)
	}
	// And of an address that may not connect any more.
	if err := gate.Set(access.Rules{ACL: access.ACL{Deny: []string{"127.0.0.0/8"}}}); err != nil {
		t.Fatal(err)
	}
	e.Recheck()
	if _, err := io.Copy(io.Discard, late); err != nil {
		t.Error(err)
	}
}

func TestAnAddressHasAsManyClientsAsItMay(t *testing.T) {
	addr, tr, _, _ := rig(t, Options{}, access.Open())
	for i := range 3 {
		answer, _ := says(t, addr, "{\"hello\":1}\n")
		if (answer != "") != (i < 2) {
			t.Errorf("client %d: %q", i, answer)
		}
	}
	eventually(t, "the rejection to be counted", func() bool { return tr.Stats().Rejections["full"] == 1 })
}

func TestALimitThatIsSetLaterCountsThoseWhoAreThere(t *testing.T) {
	addr, tr, _, _ := rig(t, Options{}, access.Open())
	tr.Reload(netio.ClientOptions{}, netio.HeartbeatPolicy{})
	for range 3 {
		if answer, _ := says(t, addr, "{\"hello\":1}\n"); answer == "" {
			t.Fatal("refused without a limit")
		}
	}
	tr.Reload(netio.ClientOptions{PerAddress: 3}, netio.HeartbeatPolicy{})
	if answer, _ := says(t, addr, "{\"hello\":1}\n"); answer != "" {
		t.Errorf("a fourth gets %q", answer)
	}
	if n := tr.Stats().Active; n != 3 {
		t.Errorf("%d are there: a limit turns nobody out", n)
	}
}

func TestAnAddressThatIsDeniedIsClosedAtOnce(t *testing.T) {
	gate, err := access.NewGate(access.Rules{ACL: access.ACL{Allow: []string{"192.0.2.0/24"}}})
	if err != nil {
		t.Fatal(err)
	}
	addr, tr, _, _ := rig(t, Options{}, gate)
	if got, _ := says(t, addr, "{\"hello\":1}\n"); got != "" || tr.Stats().Joined > 0 {
		t.Errorf("answered %q", got)
	}
	eventually(t, "it to be counted", func() bool { return tr.Stats().Rejections["acl"] == 1 })
}

func TestAUnixSocketIsServedAsWell(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	// A crash leaves a socket that nobody listens on.
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	ln.SetUnlinkOnClose(false)
	ln.Close()
	_, _, _, e := rig(t, Options{Unix: path}, access.Open())
	if got, _ := says(t, &net.UnixAddr{Name: path, Net: "unix"}, "{\"hello\":1}\n"); !strings.Contains(got, "connected") {
		t.Errorf("answered %q", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	_, err = New(Options{Host: "127.0.0.1", Unix: path}, e, access.Open(), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "another process listens at") {
		t.Errorf("opened again: %v", err)
	}
}

func TestBadCertificatesAreNamed(t *testing.T) {
	good, _ := netiotest.Certificate(t)
	other, _ := netiotest.Certificate(t)
	for want, o := range map[string]netio.TLSOptions{
		"needs tls.cert_file":         {Enabled: true},
		"no such file":                {Enabled: true, CertFile: "/nowhere", KeyFile: good.KeyFile},
		"does not match":              {Enabled: true, CertFile: good.CertFile, KeyFile: other.KeyFile},
		"holds no certificate":        {Enabled: true, CertFile: good.CertFile, KeyFile: good.KeyFile, ClientCAFile: good.KeyFile},
		"certificate " + good.KeyFile: {Enabled: true, CertFile: good.KeyFile, KeyFile: good.KeyFile},
	} {
		if _, err := o.Load(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestClientsShowACertificateWhereTheyMust(t *testing.T) {
	o, client := netiotest.Certificate(t)
	o.ClientCAFile = o.CertFile
	addr, _, _, _ := rig(t, Options{TLS: o}, access.Open())
	for _, shows := range []bool{true, false} {
		config := client.Clone()
		if !shows {
			config.Certificates = nil
		}
		c, err := tls.Dial("tcp", addr.String(), config)
		if err == nil {
			_, _ = io.WriteString(c, "{\"hello\":1}\n")
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			_, err = bufio.NewReader(c).ReadString('\n')
			c.Close()
		}
		if (err == nil) != shows {
			t.Errorf("shows a certificate: %v, error %v", shows, err)
		}
	}
}

func TestACertificateIsReplacedWithoutDroppingAClient(t *testing.T) {
	o, client := netiotest.Certificate(t)
	next, nextClient := netiotest.Certificate(t)
	r := ring.New(ring.Options{Entries: 16, Bytes: 1 << 20})
	e, err := netio.New(r, netio.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	s, err := New(Options{Host: "127.0.0.1", TLS: o}, e, access.Open(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() { s.Close(); <-done })
	before, err := tls.Dial("tcp", s.Addr().String(), client)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	_ = before.SetDeadline(time.Now().Add(20 * time.Second))
	lines := bufio.NewReader(before)
	_, _ = io.WriteString(before, "{\"hello\":1}\n")
	if line, err := lines.ReadString('\n'); err != nil {
		t.Fatal(line, err)
	}
	for from, to := range map[string]string{next.CertFile: o.CertFile, next.KeyFile: o.KeyFile} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	apply, err := s.Listeners().Reload(o)
	if err != nil {
		t.Fatal(err)
	}
	apply()
	after, err := tls.Dial("tcp", s.Addr().String(), nextClient)
	if err != nil {
		t.Fatal("the new certificate is not there:", err)
	}
	after.Close()
	b := r.NewBuilder()
	b.Add(append(b.Text(), "{\"n\":1}\n"...), 0, 0)
	b.Publish()
	if line, err := lines.ReadString('\n'); fmt.Sprint(line, err) != "{\"n\":1}\n<nil>" {
		t.Error("the client from before gets", line, err)
	}
	if err := os.Remove(o.KeyFile); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Listeners().Reload(o); err == nil {
		t.Error("a missing key is no error")
	}
}

func TestClientsThatOfferOldTLSOnlyAreRefused(t *testing.T) {
	o, client := netiotest.Certificate(t)
	strict := o
	strict.MinVersion = "1.3"
	for _, c := range []struct {
		server netio.TLSOptions
		most   uint16
		want   bool
	}{{o, tls.VersionTLS11, false}, {o, tls.VersionTLS12, true}, {strict, tls.VersionTLS12, false}, {strict, tls.VersionTLS13, true}} {
		addr, tr, _, _ := rig(t, Options{TLS: c.server}, access.Open())
		config := client.Clone()
		config.MinVersion, config.MaxVersion = tls.VersionTLS10, c.most
		conn, err := tls.Dial("tcp", addr.String(), config)
		if (err == nil) != c.want {
			t.Errorf("%s, with %s at least: %v", tls.VersionName(c.most), c.server.MinVersion, err)
		}
		if err == nil {
			conn.Close()
		} else {
			eventually(t, "it to be counted", func() bool { return tr.Stats().Rejections["tls"] == 1 })
		}
	}
}
