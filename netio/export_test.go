package netio

import (
	"crypto/tls"
	"log/slog"
	"net"
	"time"
)

// SecureWithin is Secure with other times to wait.
func SecureWithin(handshake, left time.Duration, ln net.Listener, config *tls.Config) *SecureListener {
	return secure(ln, config, nil, patience{handshake, left}, slog.New(slog.DiscardHandler))
}

// MaxHandshakes is how many are under way at once.
const MaxHandshakes = maxHandshakes
