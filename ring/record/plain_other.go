//go:build !amd64

package record

// copyPlain copies s to dst, which is as long, and reports whether all of it
// is ASCII that stands for itself in a JSON string. What is in dst after false
// has no meaning.
func copyPlain(dst, s []byte) bool { return copyPlainWords(dst, s) }
