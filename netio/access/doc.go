// Package access says who may do what: which addresses may connect, which
// tokens there are and what they allow, and which names of this host a browser
// may use for it.
//
// A Gate is what the servers ask. Its rules can be replaced while they serve;
// whoever is connected is asked about again with Gate.Still.
//
// Tokens are 256 random bits, so a plain SHA-256 of one can stand in a file
// that others may read: it cannot be guessed. What a client presents is hashed
// and compared in constant time with every token there is. Nothing in this
// package returns, logs or formats a token.
package access
