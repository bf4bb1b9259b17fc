package nats

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// maxToken is the length of the longest token; a longer one ends in a sum.
const maxToken = 400

// subjectOf returns the subject of a source of a host.
func subjectOf(stream, host, source string) string {
	return stream + "." + token(host) + "." + token(source)
}

// token returns a name as one token of a subject: what separates tokens, is a
// wildcard or is not to be seen is written as %XX, and so is a percent sign.
func token(name string) string {
	if name == "" {
		return "%"
	}
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case c <= ' ', c >= 0x7f, strings.IndexByte(".*>%", c) >= 0:
			const digits = "0123456789ABCDEF"
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		default:
			b.WriteByte(c)
		}
	}
	if b.Len() <= maxToken {
		return b.String()
	}
	sum := fnv.New64a()
	sum.Write([]byte(name))
	return fmt.Sprintf("%s~%016x", b.String()[:maxToken-20], sum.Sum64())
}
