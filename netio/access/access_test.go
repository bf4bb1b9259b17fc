package access

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const token = "correct horse battery staple"

func gate(t *testing.T, r Rules) *Gate {
	t.Helper()
	g, err := NewGate(r)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var here = netip.MustParseAddr("192.0.2.1")

func TestWithoutTokensEverybodyMayStream(t *testing.T) {
	g := gate(t, Rules{})
	if name, err := g.Check("", Stream, here); name != "" || err != nil {
		t.Error(name, err)
	}
	if g.Closed() || !g.Still("gone", Stream) {
		t.Error("closed without tokens")
	}
}

func TestATokenAllowsWhatItsScopesSay(t *testing.T) {
	g := gate(t, Rules{Auth: Auth{Tokens: []Token{
		{Name: "grafana", Hash: Hash(token)},
		{Name: "ops", Hash: Hash(token + "2"), Scopes: []string{"admin", "ingest"}},
	}}})
	for _, c := range []struct {
		token string
		scope Scope
		name  string
		err   error
	}{
		{token, Stream, "grafana", nil},
		{token, Admin, "grafana", ErrScope},
		{token + "2", Admin, "ops", nil},
		{token + "2", Stream, "ops", ErrScope},
		{token + "2", Admin | Ingest, "ops", nil},
		{"", Stream, "", ErrNoToken},
		{"wrong", Stream, "", ErrBadToken},
		{Hash(token), Stream, "", ErrBadToken},
	} {
		if name, err := g.Check(c.token, c.scope, here); name != c.name || !errors.Is(err, c.err) {
			t.Errorf("%q for %s: %q, %v; want %q, %v", c.token, c.scope, name, err, c.name, c.err)
		}
	}
	if !g.Still("grafana", Stream) || g.Still("grafana", Admin) || g.Still("nobody", Stream) {
		t.Error("what was let in before is not asked about rightly")
	}
}

func TestATokenMayBeInAFileOfTheServiceManager(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "reader"), []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	g := gate(t, Rules{Auth: Auth{Tokens: []Token{{Name: "a", File: "reader"}}}})
	if _, err := g.Check(token, Stream, here); err != nil {
		t.Error(err)
	}
}

func TestAfterManyWrongTriesAnAddressHasToWait(t *testing.T) {
	g := gate(t, Rules{Auth: Auth{Tokens: []Token{{Name: "a", Hash: Hash(token)}}}})
	for range triesPerMinute {
		if _, err := g.Check("wrong", Stream, here); !errors.Is(err, ErrBadToken) {
			t.Fatal(err)
		}
	}
	if _, err := g.Check(token, Stream, here); !errors.Is(err, ErrTooMany) {
		t.Error("the right token after too many wrong ones:", err)
	}
	if _, err := g.Check("", Stream, here); !errors.Is(err, ErrNoToken) {
		t.Error("asking without a token is no try:", err)
	}
	if _, err := g.Check(token, Stream, netip.MustParseAddr("192.0.2.2")); err != nil {
		t.Error("another address:", err)
	}
	six := netip.MustParseAddr("2001:db8::1")
	for range triesPerMinute {
		_, _ = g.Check("wrong", Stream, six)
	}
	if _, err := g.Check(token, Stream, netip.MustParseAddr("2001:db8::ffff")); !errors.Is(err, ErrTooMany) {
		t.Error("another address of the same host:", err)
	}
	for range 3 * triesPerMinute {
		_, _ = g.Check("wrong", Stream, netip.Addr{})
	}
	if _, err := g.Check(token, Stream, netip.Addr{}); err != nil {
		t.Error("a Unix socket:", err)
	}
}

func TestTheMemoryOfWrongTriesIsBounded(t *testing.T) {
	var f failures
	a := netip.MustParseAddr("10.0.0.0")
	for range 2*maxAddresses + 1 {
		f.add(a)
		a = a.Next()
	}
	if n := len(f.by); n > maxAddresses {
		t.Errorf("%d addresses are remembered", n)
	}
}

func TestNetworksAreAllowedAndDenied(t *testing.T) {
	g := gate(t, Rules{ACL: ACL{Allow: []string{"10.0.0.0/8", "fd00::/8", "192.0.2.7"}, Deny: []string{"10.6.6.0/24"}}})
	for address, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "10.6.6.6": false, "192.0.2.7": true, "192.0.2.8": false,
		"fd00::1": true, "fd00::1%eth0": true, "2001:db8::1": false,
	} {
		if got := g.Admits(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	if !gate(t, Rules{}).Admits(here) {
		t.Error("without rules nobody may connect")
	}
}

func TestBadRulesAreNamedAndTheOldOnesStay(t *testing.T) {
	good := Rules{Auth: Auth{Tokens: []Token{{Name: "a", Hash: Hash(token)}}}}
	g := gate(t, good)
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, r := range map[string]Rules{
		"auth.tokens[0] (): name is empty":  {Auth: Auth{Tokens: []Token{{Hash: Hash("x")}}}},
		"want either hash or file":          {Auth: Auth{Tokens: []Token{{Name: "a"}}}},
		"hash is not sha256":                {Auth: Auth{Tokens: []Token{{Name: "a", Hash: token}}}},
		"another token has the same name":   {Auth: Auth{Tokens: []Token{{Name: "a", Hash: Hash("x")}, {Name: "a", Hash: Hash("y")}}}},
		`scope "root"`:                      {Auth: Auth{Tokens: []Token{{Name: "a", Hash: Hash("x"), Scopes: []string{"root"}}}}},
		"no such file":                      {Auth: Auth{Tokens: []Token{{Name: "a", File: "/nowhere"}}}},
		"has 3 characters, want at least":   {Auth: Auth{Tokens: []Token{{Name: "a", File: short}}}},
		`acl.allow: "10.0.0" is neither`:    {ACL: ACL{Allow: []string{"10.0.0"}}},
		`acl.deny: "::ffff:1.2.3.0/120": w`: {ACL: ACL{Deny: []string{"::ffff:1.2.3.0/120"}}},
	} {
		err := g.Set(r)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), token) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := g.Check(token, Stream, here); err != nil {
		t.Error("the rules before are gone:", err)
	}
}

func TestAHostNameThatIsNotOursIsRefusedOnLoopback(t *testing.T) {
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	loop, lan := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")
	for _, c := range []struct {
		host    string
		local   netip.Addr
		allowed []string
		want    bool
	}{
		{"localhost:8080", loop, nil, true},
		{"LOCALHOST.", loop, nil, true},
		{"logs.localhost", loop, nil, true},
		{"127.0.0.1:8080", loop, nil, true},
		{"[::1]:8080", netip.MustParseAddr("::1"), nil, true},
		{"[::1]", loop, nil, true},
		{"192.0.2.1", loop, nil, true},
		{own + ":8080", loop, nil, true},
		{"evil.example:8080", loop, nil, false},
		{"evil.example:8080", netip.MustParseAddr("::ffff:127.0.0.1"), nil, false},
		{"localhost.evil.example", loop, nil, false},
		{"127.0.0.1.evil.example", loop, nil, false},
		{"", loop, nil, true},
		{"", lan, []string{"logs.example"}, false},
		{"evil.example", lan, nil, true},
		{"evil.example", lan, []string{"logs.example"}, false},
		{"Logs.Example:443", lan, []string{"logs.example"}, true},
		{"logs.example", loop, []string{"logs.example"}, true},
	} {
		if got := HostAllowed(c.host, c.local, c.allowed); got != c.want {
			t.Errorf("%q on %s, allowed %q: %v", c.host, c.local, c.allowed, got)
		}
	}
}
