package access

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	if got, err := g.Check("", Stream, here); got != (Grant{}) || err != nil {
		t.Error(got, err)
	}
	if g.Closed() || !g.Holds(Grant{Token: "gone"}, Stream) {
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
		{token, Admin, "", ErrScope},
		{token + "2", Admin, "ops", nil},
		{token + "2", Stream, "", ErrScope},
		{token + "2", Admin | Ingest, "ops", nil},
		{"", Stream, "", ErrNoToken},
		{"wrong", Stream, "", ErrBadToken},
		{Hash(token), Stream, "", ErrBadToken},
	} {
		if got, err := g.Check(c.token, c.scope, here); got.Token != c.name || !errors.Is(err, c.err) {
			t.Errorf("%q for %s: %q, %v; want %q, %v", c.token, c.scope, got.Token, err, c.name, c.err)
		}
	}
}

// rights are the ways in which somebody is let in before rules change.
type rights struct {
	still   func() bool // of a stream
	session string      // of a browser
}

func (r *rights) are(t *testing.T, what string, g *Gate, want bool) {
	t.Helper()
	if got := r.still(); got != want {
		t.Errorf("%s: the stream may stay: %v", what, got)
	}
	if _, err := g.Resume(r.session, Stream); (err == nil) != want {
		t.Errorf("%s: the session: %v", what, err)
	}
}

func TestARightEndsWithItsTokenAndComesBackWithIt(t *testing.T) {
	old := Token{Name: "grafana", Hash: Hash(token)}
	with := func(all ...Token) Rules { return Rules{Auth: Auth{Tokens: all}} }
	g := gate(t, with(old))
	grant, err := g.Check(token, Stream, here)
	if err != nil {
		t.Fatal(err)
	}
	r := rights{g.Right(grant, Stream, here), g.Session(grant)}
	r.are(t, "at first", g, true)
	admin := old
	admin.Scopes = []string{"admin"}
	for what, rules := range map[string]Rules{
		"another token of the name": with(Token{Name: "grafana", Hash: Hash(token + "2")}),
		"another name for it":       with(Token{Name: "loki", Hash: old.Hash}),
		"another scope":             with(admin),
	} {
		if err := g.Set(rules); err != nil {
			t.Fatal(err)
		}
		r.are(t, what, g, false)
	}
	if err := g.Set(with(Token{Name: "other", Hash: Hash(token + "3")}, old)); err != nil {
		t.Fatal(err)
	}
	r.are(t, "the same again", g, true)
	if err := g.Set(Rules{Auth: Auth{Tokens: []Token{old}}, ACL: ACL{Deny: []string{here.String()}}}); err != nil {
		t.Fatal(err)
	}
	if r.still() {
		t.Error("an address that is denied may stay")
	}
	if !g.Right(grant, Stream, netip.Addr{})() {
		t.Error("a Unix socket is taken for a denied address")
	}
}

func TestWhoHasNotShownATokenYetStaysUntilItIsAsked(t *testing.T) {
	g := gate(t, Rules{})
	early := g.Arrived(Stream, here)
	if !early() {
		t.Error("without tokens")
	}
	for _, name := range []string{"a", "b"} {
		if err := g.Set(Rules{Auth: Auth{Tokens: []Token{{Name: name, Hash: Hash(token + name)}}}}); err != nil {
			t.Fatal(err)
		}
		if early() {
			t.Error("one that came without tokens stays when there are some")
		}
		late := g.Arrived(Stream, here)
		if !late() {
			t.Error("one that will be asked for its token must leave before")
		}
	}
}

func TestASessionEndsInTime(t *testing.T) {
	g := gate(t, Rules{Auth: Auth{Tokens: []Token{{Name: "a", Hash: Hash(token)}}}})
	grant, err := g.Check(token, Stream, here)
	if err != nil {
		t.Fatal(err)
	}
	for ago, want := range map[time.Duration]error{-time.Minute: nil, time.Second: ErrNoToken} {
		if _, err := g.Resume(sessionUntil(grant, time.Now().Add(-ago)), Stream); !errors.Is(err, want) {
			t.Errorf("%v after its end: %v, want %v", ago, err, want)
		}
	}
	good := g.Session(grant)
	for i := range good {
		bad := []byte(good)
		bad[i] ^= 1
		if got, err := g.Resume(string(bad), Stream); err == nil && got != grant {
			t.Errorf("a session changed at %d is one of %q", i, got.Token)
		}
	}
}

func TestKnowsIsWhatCheckWouldSay(t *testing.T) {
	g := gate(t, Rules{Auth: Auth{Tokens: []Token{{Name: "a", Hash: Hash(token), Scopes: []string{"ingest"}}}}})
	grant, err := g.Check(token, Ingest, here)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		token, session string
		scope          Scope
		want           bool
	}{
		{token, "", Ingest, true},
		{token, "", Stream, false},
		{"wrong", "", Ingest, false},
		{"", "", Ingest, false},
		{"", g.Session(grant), Ingest, true},
		{"", g.Session(grant), Stream, false},
		{"", "nonsense", Ingest, false},
	} {
		if got := g.Knows(c.token, c.session, c.scope); got != c.want {
			t.Errorf("%q, %q for %s: %v", c.token, c.session, c.scope, got)
		}
	}
	if !gate(t, Rules{}).Knows("", "", Ingest) {
		t.Error("without tokens")
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
		`auth.tokens[0]: token "": name is e`: {Auth: Auth{Tokens: []Token{{Hash: Hash("x")}}}},
		"want either hash or file":            {Auth: Auth{Tokens: []Token{{Name: "a"}}}},
		"hash is not sha256":                  {Auth: Auth{Tokens: []Token{{Name: "a", Hash: token}}}},
		"another token has the same name":     {Auth: Auth{Tokens: []Token{{Name: "a", Hash: Hash("x")}, {Name: "a", Hash: Hash("y")}}}},
		`scope "root"`:                        {Auth: Auth{Tokens: []Token{{Name: "a", Hash: Hash("x"), Scopes: []string{"root"}}}}},
		"no such file":                        {Auth: Auth{Tokens: []Token{{Name: "a", File: "/nowhere"}}}},
		"has 3 characters, want at least":     {Auth: Auth{Tokens: []Token{{Name: "a", File: short}}}},
		`acl.allow: "10.0.0" is neither`:      {ACL: ACL{Allow: []string{"10.0.0"}}},
		`acl.deny: "::ffff:1.2.3.0/120": w`:   {ACL: ACL{Deny: []string{"::ffff:1.2.3.0/120"}}},
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
