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

// Session returns what a browser may show instead of the token of that name:
// when it ends and whose it is, signed. It holds nothing of the token.
func (g *Gate) Session(name string) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(time.Now().Add(SessionTime).Unix()))
	b = append(b, name...)
	return base64.RawURLEncoding.EncodeToString(append(signature(b), b...))
}

// Resume returns the name of the token that a session is for, if it still allows
// what is asked.
func (g *Gate) Resume(session string, s Scope) (name string, err error) {
	b, err := base64.RawURLEncoding.DecodeString(session)
	if err != nil || len(b) < sha256.Size+8 || !hmac.Equal(b[:sha256.Size], signature(b[sha256.Size:])) {
		return "", ErrNoToken // that of another run is not a wrong try
	}
	b = b[sha256.Size:]
	if time.Now().Unix() >= int64(binary.BigEndian.Uint64(b)) {
		return "", ErrNoToken
	}
	name = string(b[8:])
	switch {
	case !g.Still(name, 0):
		return "", ErrNoToken
	case !g.Still(name, s):
		return name, ErrScope
	}
	return name, nil
}

func signature(b []byte) []byte {
	m := hmac.New(sha256.New, sessionKey[:])
	m.Write(b)
	return m.Sum(nil)
}
