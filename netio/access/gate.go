package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/netip"
	"sync/atomic"
)

// Errors of Check. What a client is told is no more than this.
var (
	ErrNoToken  = errors.New("a token is needed")
	ErrBadToken = errors.New("the token is not known")
	ErrScope    = errors.New("the token does not allow that")
	ErrTooMany  = errors.New("too many failed tries from this address: wait a minute")
)

// Gate is what servers ask who may do what. All methods are safe for
// concurrent use.
type Gate struct {
	rules    atomic.Pointer[compiled]
	failures failures
}

// NewGate returns a gate with rules. The error names the key.
func NewGate(r Rules) (*Gate, error) {
	g := &Gate{}
	return g, g.Set(r)
}

// Open returns a gate without rules.
func Open() *Gate {
	g := &Gate{}
	g.rules.Store(&compiled{})
	return g
}

// Set replaces the rules, or leaves them as they are if there is anything wrong.
func (g *Gate) Set(r Rules) error {
	c, err := r.compile()
	if err != nil {
		return err
	}
	g.rules.Store(c)
	return nil
}

// Reload compiles rules and returns what has them hold; that cannot fail.
func (g *Gate) Reload(r Rules) (apply func(), err error) {
	c, err := r.compile()
	if err != nil {
		return nil, err
	}
	return func() { g.rules.Store(c) }, nil
}

// Closed reports whether there are tokens, so that nobody does anything without
// one.
func (g *Gate) Closed() bool { return len(g.rules.Load().tokens) > 0 }

// Restricted reports whether not everybody may connect and read.
func (g *Gate) Restricted() bool { return g.Closed() || len(g.rules.Load().allow) > 0 }

// Admits reports whether an address may connect.
func (g *Gate) Admits(a netip.Addr) bool {
	c := g.rules.Load()
	a = a.Unmap().WithZone("")
	if contains(c.deny, a) {
		return false
	}
	return len(c.allow) == 0 || contains(c.allow, a)
}

func contains(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// Grant is what somebody was let in with. The zero value is that of one who came
// when there were no tokens.
type Grant struct {
	Token string // its name
	sum   [sha256.Size]byte
}

// Check returns a grant of the token, if it allows what is asked. Without any
// tokens everybody may stream; it is the zero value then, and what else is allowed
// is for the caller to decide. Failed tries of an address are counted, and after
// some of them all its tries fail for a while, right ones too. An invalid
// address, as that of a Unix socket, is not counted.
func (g *Gate) Check(token string, s Scope, from netip.Addr) (Grant, error) {
	c := g.rules.Load()
	if len(c.tokens) == 0 {
		return Grant{}, nil
	}
	if token == "" {
		return Grant{}, ErrNoToken // asks for one: no try
	}
	if !g.failures.mayTry(from) {
		return Grant{}, ErrTooMany
	}
	k := c.find(token)
	switch {
	case k == nil:
		g.failures.add(from)
		return Grant{}, ErrBadToken
	case k.scopes&s != s:
		return Grant{}, ErrScope
	}
	return Grant{k.name, k.sum}, nil
}

// Holds reports whether a grant allows it now: its token is still one of those
// there are, under its name, or there are none any more.
func (g *Gate) Holds(gr Grant, s Scope) bool {
	c := g.rules.Load()
	if len(c.tokens) == 0 {
		return true
	}
	for i := range c.tokens {
		if k := &c.tokens[i]; k.name == gr.Token {
			return k.sum == gr.sum && k.scopes&s == s
		}
	}
	return false
}

// Right returns what tells whether somebody that was let in with a grant may still
// be here: whether it holds, and its address may connect.
func (g *Gate) Right(gr Grant, s Scope, from netip.Addr) (still func() bool) {
	return func() bool { return g.Holds(gr, s) && g.mayBe(from) }
}

// Arrived is Right for somebody of whom nothing is known yet but the address: if
// there are tokens, one will be asked for.
func (g *Gate) Arrived(s Scope, from netip.Addr) (still func() bool) {
	asked := g.Closed()
	return func() bool { return (asked || g.Holds(Grant{}, s)) && g.mayBe(from) }
}

// mayBe is Admits for addresses that may be invalid, as that of a Unix socket is:
// its file says who may connect.
func (g *Gate) mayBe(from netip.Addr) bool { return !from.IsValid() || g.Admits(from) }

// find compares with every token, in a time that does not tell how much of one
// is right.
func (c *compiled) find(token string) *known {
	sum := sha256.Sum256([]byte(token))
	var found *known
	for i := range c.tokens {
		if subtle.ConstantTimeCompare(sum[:], c.tokens[i].sum[:]) == 1 {
			found = &c.tokens[i]
		}
	}
	return found
}
