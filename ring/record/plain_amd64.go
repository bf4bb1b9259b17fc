package record

// copyPlain16 copies n bytes, at least 16, and reports what copyPlain does. It
// looks at 16 bytes at a time; every processor of this architecture can.
//
//go:noescape
func copyPlain16(dst, src *byte, n int) bool

// copyPlain copies s to dst, which is as long, and reports whether all of it
// is ASCII that stands for itself in a JSON string. What is in dst after false
// has no meaning.
func copyPlain(dst, s []byte) bool {
	if len(s) < 16 {
		return copyPlainWords(dst, s)
	}
	dst = dst[:len(s)]
	return copyPlain16(&dst[0], &s[0], len(s))
}
