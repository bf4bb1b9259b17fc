package filter

// A value is a JSON value as it stands in valid JSON. The walks below read
// tokens and never recurse; of text that is not JSON they make something, but
// they end.

// leaves yields the strings, numbers, true, false and null of a value, however
// deep; not the keys.
type leaves struct{ rest []byte }

// next returns the next one, a string with its quotes; false at the end.
func (l *leaves) next() (value []byte, ok bool) {
	b := l.rest
	for i := 0; i < len(b); {
		switch b[i] {
		case ' ', '\t', '{', '}', '[', ']', ',', ':':
			i++
			continue
		}
		end := scalarEnd(b, i)
		value = b[i:end]
		if value[0] == '"' {
			if behind := skipBlank(b, end); behind < len(b) && b[behind] == ':' {
				i = behind + 1
				continue // a key
			}
		}
		l.rest = b[end:]
		return value, true
	}
	l.rest = nil
	return nil, false
}

// lookup returns the value of a key, or of a path of keys, in an object. The
// path's dots may be in the keys as well: in each object the longest key that
// is all of the path is tried first, then what stands before the first dot. Every
// step reads its object to the end, so there are no more of them than MaxWork bytes
// allow. looked is how many bytes were read.
func lookup(object []byte, path string, scratch *[]byte) (value []byte, looked int, ok bool) {
	for {
		first, more, dotted := cut(path)
		whole, part := lastOf(object, path, first, scratch)
		looked += len(object)
		switch {
		case whole != nil:
			return whole, looked, true
		case !dotted || len(part) == 0 || part[0] != '{' || looked+len(part) > MaxWork:
			return nil, looked, false
		}
		object, path = part, more
	}
}

// cut cuts a path at its first dot.
func cut(path string) (first, more string, dotted bool) {
	for i := range len(path) {
		if path[i] == '.' {
			return path[:i], path[i+1:], true
		}
	}
	return path, "", false
}

// lastOf returns the last values of two keys of an object, nil for none.
func lastOf(object []byte, a, b string, scratch *[]byte) (ofA, ofB []byte) {
	i := skipBlank(object, 0) + 1 // behind the brace
	for {
		i = skipBlank(object, i)
		if i >= len(object) || object[i] != '"' {
			return ofA, ofB
		}
		end := min(stringEnd(object, i+1), len(object))
		key := decoded(object[i+1:max(end-1, i+1)], scratch)
		if i = skipBlank(object, end); i < len(object) && object[i] == ':' {
			i++
		}
		i = skipBlank(object, i)
		end = valueEnd(object, i)
		switch {
		case string(key) == a:
			ofA = object[i:end]
		case string(key) == b:
			ofB = object[i:end]
		}
		if i = skipBlank(object, end); i < len(object) && object[i] == ',' {
			i++
		}
	}
}

// valueEnd returns the index behind the value at b[i].
func valueEnd(b []byte, i int) int {
	if i >= len(b) || b[i] != '{' && b[i] != '[' {
		return scalarEnd(b, i)
	}
	for depth := 0; i < len(b); {
		switch b[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			i = stringEnd(b, i+1)
			continue
		}
		i++
	}
	return len(b)
}

// scalarEnd returns the index behind the string, number or word at b[i].
func scalarEnd(b []byte, i int) int {
	if i >= len(b) {
		return len(b)
	}
	if b[i] == '"' {
		return min(stringEnd(b, i+1), len(b))
	}
	for i++; i < len(b); i++ {
		switch b[i] {
		case ' ', '\t', '}', ']', ',', ':':
			return i
		}
	}
	return len(b)
}

func skipBlank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	return i
}

// textOf returns the text of a value: of a string what it stands for, of
// anything else what it is written like.
func textOf(value []byte, scratch *[]byte) []byte {
	if len(value) >= 2 && value[0] == '"' {
		return decoded(value[1:len(value)-1], scratch)
	}
	return value
}
