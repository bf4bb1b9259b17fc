package filter

import "cmp"

// number is a JSON number taken apart, so that numbers of any length compare
// exactly: 0.DIGITS × 10^exponent. Without digits it is zero.
type number struct {
	negative bool
	digits   []byte // from the first that is not 0 on, perhaps with a dot among them
	exponent int64
}

// maxExponent bounds the written exponent; beyond it all are equal.
const maxExponent = 1 << 40

// parseNumber takes a text apart that is a number in JSON's way of writing.
func parseNumber(text []byte) (n number, ok bool) {
	i := 0
	if i < len(text) && text[i] == '-' {
		n.negative = true
		i++
	}
	start := i
	i = digitsEnd(text, start)
	whole := i - start
	if whole == 0 || whole > 1 && text[start] == '0' {
		return n, false
	}
	if i < len(text) && text[i] == '.' {
		fraction := i + 1
		if i = digitsEnd(text, fraction); i == fraction {
			return n, false
		}
	}
	n.digits = text[start:i]
	if i < len(text) {
		if n.exponent, ok = parseExponent(text[i:]); !ok {
			return n, false
		}
	}
	n.exponent += int64(whole)
	for len(n.digits) > 0 && (n.digits[0] == '0' || n.digits[0] == '.') {
		if n.digits[0] == '0' {
			n.exponent--
		}
		n.digits = n.digits[1:]
	}
	return n, true
}

// digitsEnd returns the index behind the digits at text[i].
func digitsEnd(text []byte, i int) int {
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return i
}

// parseExponent reads what follows a number's digits: e, a sign and digits.
func parseExponent(text []byte) (exponent int64, ok bool) {
	if text[0]|0x20 != 'e' {
		return 0, false
	}
	i, negative := 1, false
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		negative = text[i] == '-'
		i++
	}
	if i == len(text) || digitsEnd(text, i) != len(text) {
		return 0, false
	}
	for _, c := range text[i:] {
		exponent = min(exponent*10+int64(c-'0'), maxExponent)
	}
	if negative {
		exponent = -exponent
	}
	return exponent, true
}

// compare returns -1, 0 or +1 as n is less than, equal to or greater than m.
func (n number) compare(m number) int {
	if a, b := n.sign(), m.sign(); a != b || a == 0 {
		return cmp.Compare(a, b)
	}
	c := cmp.Compare(n.exponent, m.exponent)
	if c == 0 {
		c = compareDigits(n.digits, m.digits)
	}
	return c * n.sign()
}

func (n number) sign() int {
	switch {
	case len(n.digits) == 0:
		return 0
	case n.negative:
		return -1
	}
	return 1
}

// compareDigits compares two runs of decimals as if zeros followed them.
func compareDigits(a, b []byte) int {
	for len(a) > 0 || len(b) > 0 {
		var x, y byte
		x, a = firstDigit(a)
		y, b = firstDigit(b)
		if x != y {
			return cmp.Compare(x, y)
		}
	}
	return 0
}

// firstDigit takes the first digit off, a dot before it as well; 0 at the end.
func firstDigit(digits []byte) (first byte, rest []byte) {
	if len(digits) > 0 && digits[0] == '.' {
		digits = digits[1:]
	}
	if len(digits) == 0 {
		return '0', nil
	}
	return digits[0], digits[1:]
}
