package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// SessionTime is how long a session lasts.
const SessionTime = 30 * 24 * time.Hour

// sessionKey signs the sessions of this run: a restart ends them.
var sessionKey = func() [32]byte {
	var key [32]byte
	_, _ = rand.Read(key[:]) // it never fails
	return key
}()

// Session returns what a browser may show instead of the token of a grant: when
// it ends and whose it is, signed. Nothing of the token can be got from it.
func (g *Gate) Session(gr Grant) string { return sessionUntil(gr, time.Now().Add(SessionTime)) }

func sessionUntil(gr Grant, end time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(end.Unix()))
	b = append(b, gr.Token...)
	return base64.RawURLEncoding.EncodeToString(append(signature(b, gr.sum), b...))
}

// Resume returns the grant of a session, if its token is the one that it was given
// for and allows what is asked.
func (g *Gate) Resume(session string, s Scope) (Grant, error) {
	b, err := base64.RawURLEncoding.DecodeString(session)
	if err != nil || len(b) < sha256.Size+8 {
		return Grant{}, ErrNoToken // that of another run is not a wrong try
	}
	given, b := b[:sha256.Size], b[sha256.Size:]
	c := g.rules.Load()
	for i := range c.tokens {
		k := &c.tokens[i]
		switch {
		case k.name != string(b[8:]) || !hmac.Equal(given, signature(b, k.sum)):
		case time.Now().Unix() >= int64(binary.BigEndian.Uint64(b)):
			return Grant{}, ErrNoToken
		case k.scopes&s != s:
			return Grant{}, ErrScope
		default:
			return Grant{k.name, k.sum}, nil
		}
	}
	return Grant{}, ErrNoToken
}

// Knows reports whether a token or a session, one of them "", would be let in. It
// does not count as a try: whoever asks must go on to Check or Resume, and answer
// with what those say.
func (g *Gate) Knows(token, session string, s Scope) bool {
	c := g.rules.Load()
	if len(c.tokens) == 0 {
		return true
	}
	if k := c.find(token); k != nil {
		return k.scopes&s == s
	}
	_, err := g.Resume(session, s)
	return err == nil
}

// signature covers what a session says and the token it is for: it ends with that.
func signature(b []byte, sum [sha256.Size]byte) []byte {
	m := hmac.New(sha256.New, sessionKey[:])
	m.Write(sum[:])
	m.Write(b)
	return m.Sum(nil)
}
