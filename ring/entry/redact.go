package entry

import (
	"bytes"

	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// appendRedacted appends members of an object without what f takes out of the
// values, wherever they are in it: what stood beside the text of a line (a syslog
// header, the labels of a container) may have a secret as well as the text. Keys
// stay, and so does what is no string.
func appendRedacted(dst, members []byte, f *filter.Intake) []byte {
	var text []byte
	for len(members) > 0 {
		if members[0] != '"' {
			dst = append(dst, members[0])
			members = members[1:]
			continue
		}
		end := stringEnd(members)
		literal, rest := members[:end], members[end:]
		members = rest
		if bytes.HasPrefix(bytes.TrimLeft(rest, " \t"), []byte(":")) { // a key
			dst = append(dst, literal...)
			continue
		}
		text = record.AppendDecoded(text[:0], literal[1:len(literal)-1])
		if clean := f.Redact(text); len(text) > 0 && &clean[0] != &text[0] {
			dst, _ = record.AppendJSON(dst, string(clean)) // a string has no error
			continue
		}
		dst = append(dst, literal...)
	}
	return dst
}

// stringEnd returns the index behind the string that b begins with.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}
