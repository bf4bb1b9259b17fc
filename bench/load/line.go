package main

import (
	"bytes"
	"math/bits"
)

// The layout of a line; offsets are into the message, without the newline.
const (
	linePrefix = "lw "
	seqAt      = len(linePrefix)
	seqDigits  = 12
	nanoAt     = seqAt + seqDigits + 1
	nanoDigits = 20
	sumAt      = nanoAt + nanoDigits + 1
	sumDigits  = 16
	padAt      = sumAt + sumDigits + 1
	fixedBytes = padAt + 2 // with the final '.' and the newline

	patternSpan = 64 << 10 // distinct paddings, a power of two
	hexDigits   = "0123456789abcdef"
)

// lineForm makes and checks lines of one length. It is immutable and may be
// shared.
type lineForm struct {
	message int    // bytes of a line without its newline
	pattern []byte // paddings are cut from here
}

func newLineForm(lineBytes int) *lineForm {
	f := &lineForm{message: lineBytes - 1, pattern: make([]byte, patternSpan+lineBytes)}
	// Consonants only: no padding can ever spell a level, a key or a number,
	// which the daemon might rightly take out of the text.
	const letters = "bcdfghjklmnpqrstvwxzbcdfghjklmnp"
	state := uint64(0x9e3779b97f4a7c15)
	for i := range f.pattern {
		state = mix(state, uint64(i))
		f.pattern[i] = letters[state>>59]
		if i%8 == 7 {
			f.pattern[i] = ' '
		}
	}
	return f
}

// append adds the lines first … first+n-1, all written at nano (ns since the
// epoch), to dst.
func (f *lineForm) append(dst []byte, first uint64, n int, nano int64) []byte {
	var stamp [nanoDigits]byte
	putDigits(stamp[:], uint64(nano))
	for seq := first; seq < first+uint64(n); seq++ {
		at := len(dst)
		dst = append(dst, f.pattern[:padAt]...) // room, overwritten below
		b := dst[at:]
		copy(b, linePrefix)
		putDigits(b[seqAt:seqAt+seqDigits], seq)
		b[nanoAt-1], b[sumAt-1], b[padAt-1] = ' ', ' ', ' '
		copy(b[nanoAt:], stamp[:])
		sum := mix(seq, uint64(nano))
		putHex(b[sumAt:sumAt+sumDigits], sum)
		dst = append(dst, f.padding(sum)...)
		dst = append(dst, '.', '\n')
	}
	return dst
}

// renumber makes the lines in b the lines first, first+1, … written at nano, but
// for checksum and padding: check refuses them, lineSeq and lineNano do not. It
// costs a quarter of append.
func (f *lineForm) renumber(b []byte, first uint64, nano int64) {
	var stamp [nanoDigits]byte
	putDigits(stamp[:], uint64(nano))
	var seq [seqDigits]byte
	putDigits(seq[:], first)
	for size := f.message + 1; len(b) >= size; b = b[size:] {
		copy(b[seqAt:], seq[:])
		copy(b[nanoAt:], stamp[:])
		i := len(seq) - 1
		for ; i > 0 && seq[i] == '9'; i-- {
			seq[i] = '0'
		}
		seq[i]++
	}
}

// padding is the text between the checksum and the final dot.
func (f *lineForm) padding(sum uint64) []byte {
	off := int(sum % patternSpan)
	return f.pattern[off : off+f.message-padAt-1]
}

// check reports whether msg is, byte for byte, a line of this form.
func (f *lineForm) check(msg []byte) bool {
	if len(msg) != f.message || string(msg[:seqAt]) != linePrefix {
		return false
	}
	seq, ok := parseDigits(msg[seqAt : seqAt+seqDigits])
	nano, ok2 := parseDigits(msg[nanoAt : nanoAt+nanoDigits])
	if !ok || !ok2 || msg[nanoAt-1] != ' ' || msg[sumAt-1] != ' ' || msg[padAt-1] != ' ' {
		return false
	}
	sum := mix(seq, nano)
	var want [sumDigits]byte
	putHex(want[:], sum)
	last := len(msg) - 1
	return string(msg[sumAt:sumAt+sumDigits]) == string(want[:]) &&
		msg[last] == '.' && bytes.Equal(msg[padAt:last], f.padding(sum))
}

// lineSeq returns the sequence of a message, false when it has none.
func lineSeq(msg []byte) (uint64, bool) {
	if len(msg) < nanoAt || string(msg[:seqAt]) != linePrefix {
		return 0, false
	}
	return parseDigits(msg[seqAt : seqAt+seqDigits])
}

// lineNano returns the write time of a message in ns, false when it has none.
func lineNano(msg []byte) (int64, bool) {
	if len(msg) < sumAt {
		return 0, false
	}
	n, ok := parseDigits(msg[nanoAt : nanoAt+nanoDigits])
	return int64(n), ok
}

// parseDigits reads b, at most 20 decimal digits.
func parseDigits(b []byte) (uint64, bool) {
	var v uint64
	for _, c := range b {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		v = v*10 + uint64(d)
	}
	return v, true
}

// putDigits fills b with v in decimal, zero padded on the left.
func putDigits(b []byte, v uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = '0' + byte(v%10)
		v /= 10
	}
}

func putHex(b []byte, v uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = hexDigits[v&15]
		v >>= 4
	}
}

// mix folds two words into one whose bits all depend on both.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xd6e8feb86659fd93, b^0xa0761d6478bd642f)
	x := hi ^ lo
	x ^= x >> 32
	return x * 0x9e3779b97f4a7c15
}
