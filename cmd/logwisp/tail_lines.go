package main

import (
	"bytes"
	"fmt"
	"io"
)

// longestLine bounds what is held of a line without an end: an entry of the
// longest line there can be, all of it escaped, is shorter.
const longestLine = 512 << 20

// lineReader reads whole lines, as many at once as there are.
type lineReader struct {
	from       io.Reader
	buf        []byte
	start, end int // of what has been read and not returned
}

// block returns the complete lines that have come, one at least, with their
// newlines. They are valid until the next call. What follows the last newline
// of a stream is lost with it.
func (l *lineReader) block() ([]byte, error) {
	l.end = copy(l.buf, l.buf[l.start:l.end])
	l.start = 0
	searched := 0
	for {
		if last := bytes.LastIndexByte(l.buf[searched:l.end], '\n'); last >= 0 {
			l.start = searched + last + 1
			return l.buf[:l.start], nil
		}
		searched = l.end
		if l.end == len(l.buf) {
			if len(l.buf) >= longestLine {
				return nil, fmt.Errorf("a line of more than %d bytes", longestLine)
			}
			l.buf = append(l.buf, make([]byte, max(readBytes, len(l.buf)))...)
		}
		n, err := l.from.Read(l.buf[l.end:])
		l.end += n
		if err != nil && n == 0 {
			return nil, err
		}
	}
}

// cutLine returns the first line of a block without its newline, and the rest.
func cutLine(block []byte) (line, rest []byte) {
	if i := bytes.IndexByte(block, '\n'); i >= 0 {
		return block[:i], block[i+1:]
	}
	return block, nil
}

const idPrefix = `{"id":"`

// cutID cuts the id off the line of an entry. With an id the entry lacks its
// opening brace; without, the id is nil and the entry whole.
func cutID(line []byte) (id, entry []byte) {
	if len(line) < len(idPrefix) || string(line[:len(idPrefix)]) != idPrefix {
		return nil, line
	}
	rest := line[len(idPrefix):]
	end := bytes.IndexByte(rest, '"')
	if end < 0 || end+1 >= len(rest) || rest[end+1] != ',' {
		return nil, line
	}
	return rest[:end], rest[end+2:]
}
