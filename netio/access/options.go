package access

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Auth are the settings of [auth].
type Auth struct {
	Tokens []Token `toml:"tokens"`
}

// Token is one of them. Either its hash is given or the file that it is in.
type Token struct {
	Name   string   `toml:"name"`
	Hash   string   `toml:"hash" secret:""`                    // sha256: and 64 hexadecimal digits
	File   string   `toml:"file"`                              // with the token itself; a relative path is below $CREDENTIALS_DIRECTORY, where a service manager puts credentials
	Scopes []string `toml:"scopes" enum:"stream,admin,ingest"` // none: stream
}

// ACL are the settings of [acl]: networks in CIDR form, or addresses.
type ACL struct {
	Allow []string `toml:"allow"` // none: everybody
	Deny  []string `toml:"deny"`  // wins
}

// Rules are all settings of a Gate.
type Rules struct {
	Auth Auth
	ACL  ACL
}

// Scope is what a token allows.
type Scope uint8

// The scopes.
const (
	Stream Scope = 1 << iota // read entries
	Admin                    // see and disconnect clients
	Ingest                   // send entries
)

var scopes = []struct {
	name  string
	scope Scope
}{{"stream", Stream}, {"admin", Admin}, {"ingest", Ingest}}

// String returns the name in settings.
func (s Scope) String() string {
	var all []string
	for _, known := range scopes {
		if s&known.scope != 0 {
			all = append(all, known.name)
		}
	}
	return strings.Join(all, ", ")
}

func parseScope(name string) (Scope, bool) {
	for _, known := range scopes {
		if known.name == name {
			return known.scope, true
		}
	}
	return 0, false
}

// maxTokens and maxNetworks bound what one request costs.
const (
	maxTokens   = 1000
	maxNetworks = 1000
)

// HashPrefix begins every hash in settings.
const HashPrefix = "sha256:"

// Hash returns a token's hash as settings have it.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return HashPrefix + hex.EncodeToString(sum[:])
}

// compiled are rules that can be asked.
type compiled struct {
	tokens      []known
	allow, deny []netip.Prefix
}

type known struct {
	name   string
	sum    [sha256.Size]byte
	scopes Scope
}

// compile checks rules and reads the files they name. It returns everything that
// is wrong, each error with the key in front.
func (r *Rules) compile() (*compiled, error) {
	c := &compiled{}
	if len(r.Auth.Tokens) > maxTokens {
		return nil, fmt.Errorf("auth.tokens: %d tokens, at most %d are possible", len(r.Auth.Tokens), maxTokens)
	}
	var wrong []error
	for i := range r.Auth.Tokens {
		t := &r.Auth.Tokens[i]
		k, err := t.compile()
		if err == nil && slices.ContainsFunc(c.tokens, func(o known) bool { return o.name == k.name }) {
			err = errors.New("another token has the same name")
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("auth.tokens[%d]: token %q: %w", i, t.Name, err))
			continue
		}
		c.tokens = append(c.tokens, k)
	}
	var err error
	if c.allow, err = networks("acl.allow", r.ACL.Allow); err != nil {
		wrong = append(wrong, err)
	}
	if c.deny, err = networks("acl.deny", r.ACL.Deny); err != nil {
		wrong = append(wrong, err)
	}
	return c, errors.Join(wrong...)
}

func (t *Token) compile() (k known, err error) {
	k.name = t.Name
	switch {
	case t.Name == "":
		return k, errors.New("name is empty: a token needs one, to be told apart in the log")
	case (t.Hash == "") == (t.File == ""):
		return k, errors.New("want either hash or file")
	case t.File != "":
		k.sum, err = sumOfFile(t.File)
	default:
		k.sum, err = sumOfHash(t.Hash)
	}
	if err != nil {
		return k, err
	}
	for _, name := range t.Scopes {
		s, ok := parseScope(name)
		if !ok {
			return k, fmt.Errorf("scope %q: there are stream, admin and ingest", name)
		}
		k.scopes |= s
	}
	if k.scopes == 0 {
		k.scopes = Stream
	}
	return k, nil
}

func sumOfHash(text string) (sum [sha256.Size]byte, err error) {
	digits, ok := strings.CutPrefix(text, HashPrefix)
	b, err := hex.DecodeString(digits)
	if !ok || err != nil || len(b) != len(sum) {
		return sum, errors.New("hash is not sha256: with 64 hexadecimal digits: take what logwisp token new has printed")
	}
	return [sha256.Size]byte(b), nil
}

// minToken is how long a token in a file must be: shorter ones can be guessed.
const minToken = 16

func sumOfFile(path string) (sum [sha256.Size]byte, err error) {
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" && !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return sum, fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if len(token) < minToken {
		return sum, fmt.Errorf("the token in %s has %d characters, want at least %d", path, len(token), minToken)
	}
	return sha256.Sum256([]byte(token)), nil
}

// networks parses a list of networks and addresses.
func networks(key string, texts []string) ([]netip.Prefix, error) {
	if len(texts) > maxNetworks {
		return nil, fmt.Errorf("%s: %d networks, at most %d are possible", key, len(texts), maxNetworks)
	}
	var all []netip.Prefix
	var wrong []error
	for _, text := range texts {
		p, err := ParseNetwork(text)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", key, err))
			continue
		}
		all = append(all, p)
	}
	return all, errors.Join(wrong...)
}

// ParseNetwork reads a network in CIDR form, or an address, which is a network
// of one.
func ParseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fmt.Errorf("%q is neither an address nor a network like 10.0.0.0/8 or fd00::/8", text)
	}
	if p.Addr().Is4In6() {
		return p, fmt.Errorf("%q: write the IPv4 network itself", text)
	}
	return p.Masked(), nil
}
