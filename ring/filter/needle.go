package filter

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// needle is a text to be found without regard to case.
type needle struct {
	text  []byte // folded
	runes []rune // of text

	// border[k] is the length of the longest proper beginning of runes that
	// also ends runes[:k+1] (Knuth, Morris and Pratt).
	border []int32

	caseless bool // no rune has another case: the bytes are compared
	ascii    bool
	foldsOut bool // an ASCII needle with a letter that also folds to one outside ASCII

	// The byte of an ASCII text that is looked for first, in both cases.
	anchor       int
	upper, lower byte
}

// Two letters outside ASCII fold to ASCII ones: to s and to k.
const longS, kelvin = "\u017f", "\u212a"

// common has the bytes that are frequent in logs, the most frequent first.
const common = " eEtaToAinIsrNSRlOhdDLcCumpPgfU0:=1-.2\"/MFHGby3B45Y6,7_8w9WvVkK"

func newNeedle(text string) *needle {
	n := &needle{caseless: true, ascii: true}
	for _, r := range text { // a byte that is not UTF-8 is U+FFFD, as in entries
		n.caseless = n.caseless && unicode.SimpleFold(r) == r
		n.ascii = n.ascii && r < utf8.RuneSelf
		r = fold(r)
		n.runes = append(n.runes, r)
		n.text = utf8.AppendRune(n.text, r)
		n.foldsOut = n.foldsOut || r == 'K' || r == 'S'
	}
	n.border = make([]int32, len(n.runes))
	for i, k := 1, 0; i < len(n.runes); i++ {
		k = n.step(k, n.runes[i])
		n.border[i] = int32(k)
	}
	rarest := -1
	for i, c := range n.text {
		rank := strings.IndexByte(common, c)
		if rank < 0 {
			rank = len(common)
		}
		if rank > rarest {
			rarest, n.anchor, n.upper, n.lower = rank, i, c, c
			if 'A' <= c && c <= 'Z' {
				n.lower = c + ('a' - 'A')
			}
		}
	}
	return n
}

// fold returns the least rune that differs from r in case only.
func fold(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
}

// matches reports whether the needle is in text, which is valid UTF-8.
func (n *needle) matches(text []byte) bool { return n.end(text) >= 0 }

// end returns the end of the place in text where the needle ends first, -1 if
// it is not there, in time linear in the length of text.
func (n *needle) end(text []byte) int {
	if n.caseless {
		if i := bytes.Index(text, n.text); i >= 0 {
			return i + len(n.text)
		}
		return -1
	}
	if !n.ascii {
		return n.scan(text)
	}
	end := n.scanASCII(text)
	if n.foldsOut {
		seen := text
		if end >= 0 {
			seen = text[:end]
		}
		if bytes.Contains(seen, []byte(longS)) || bytes.Contains(seen, []byte(kelvin)) {
			return n.scan(text)
		}
	}
	return end
}

// scanASCII is end for an ASCII needle, blind to the letters outside ASCII. It
// jumps from anchor to anchor; where too many of them disappoint it leaves the
// rest to scan, so that no text makes it slower than linear.
func (n *needle) scanASCII(text []byte) int {
	const patience = 1024
	upper, lower := -1, -1 // next places of the anchor
	if n.upper == n.lower {
		lower = len(text)
	}
	for at, work := n.anchor, 0; ; at++ {
		if upper < at {
			upper = next(text, at, n.upper)
		}
		if lower < at {
			lower = next(text, at, n.lower)
		}
		at = min(upper, lower)
		start := at - n.anchor
		if start+len(n.text) > len(text) {
			return -1
		}
		same := n.same(text[start:])
		if same == len(n.text) {
			return start + same
		}
		if work += same; work > 2*at+patience {
			if end := n.scan(text[start+1:]); end >= 0 {
				return start + 1 + end
			}
			return -1
		}
	}
}

// next returns the first place from at on where c stands, len(text) for none.
func next(text []byte, at int, c byte) int {
	if at < len(text) {
		if i := bytes.IndexByte(text[at:], c); i >= 0 {
			return at + i
		}
	}
	return len(text)
}

// same returns the number of bytes with which text begins like an ASCII
// needle; text is not shorter.
func (n *needle) same(text []byte) int {
	for i, want := range n.text {
		c := text[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != want {
			return i
		}
	}
	return len(n.text)
}

// scan is end for any needle, rune by rune.
func (n *needle) scan(text []byte) int {
	k := 0
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[i:])
		}
		i += size
		if k = n.step(k, fold(r)); k == len(n.runes) {
			return i
		}
	}
	return -1
}

// step returns how much of the needle ends behind r when k runes, not all,
// ended before it.
func (n *needle) step(k int, r rune) int {
	for k > 0 && n.runes[k] != r {
		k = int(n.border[k-1])
	}
	if n.runes[k] == r {
		k++
	}
	return k
}
