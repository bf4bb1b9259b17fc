package record

import (
	"bytes"
	"testing"
)

// Both ways to copy say the same of every byte at every place of texts of every
// length.
func TestEveryByteThatHasToBeEscapedIsFoundWhereverItStands(t *testing.T) {
	for n := range 70 {
		plain := bytes.Repeat([]byte("x~ !#[]0Az"), 7)[:n]
		dst := make([]byte, n+1)
		dst[n] = 0xee // is behind what may be written to
		if !copyPlain(dst[:n], plain) || !bytes.Equal(dst[:n], plain) || dst[n] != 0xee {
			t.Fatalf("%d bytes: copied as %q", n, dst)
		}
		for at := range n {
			for b := range 256 {
				text := bytes.Clone(plain)
				text[at] = byte(b)
				want := b >= ' ' && b < 0x80 && b != '"' && b != '\\'
				if got, words := copyPlain(dst[:n], text), copyPlainWords(dst[:n], text); got != want || words != want {
					t.Fatalf("byte %#x at %d of %d: %v, in words %v", b, at, n, got, words)
				}
				if want && !bytes.Equal(dst[:n], text) {
					t.Fatalf("%d bytes: copied as %q", n, dst)
				}
			}
		}
	}
}

func BenchmarkCopyPlain(b *testing.B) {
	text := bytes.Repeat([]byte("plain text "), 20)[:200]
	dst := make([]byte, len(text))
	for name, f := range map[string]func(dst, s []byte) bool{"sixteen": copyPlain, "words": copyPlainWords} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				f(dst, text)
			}
		})
	}
}
