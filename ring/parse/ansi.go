package parse

import "bytes"

const (
	escape = 0x1b
	bell   = 0x07
)

// StripANSI returns the line without terminal escape sequences: colours and
// cursor movements (CSI), titles and links (OSC), strings to the terminal (DCS,
// SOS, PM, APC) and the short ones. What is not a complete sequence stays, but
// for the escape of one that another escape cancels: with that one gone, what is
// around it could be a sequence.
//
// It returns the line itself when there is no escape in it, else a buffer of
// the Parser, valid until the next call of StripANSI.
func (p *Parser) StripANSI(line []byte) []byte {
	i := bytes.IndexByte(line, escape)
	if i < 0 {
		return line
	}
	if cap(p.stripped) > largeBuffer && cap(p.stripped)/8 > len(line) {
		p.stripped = nil
	}
	b := p.stripped[:0]
	for i >= 0 {
		b = append(b, line[:i]...)
		line = line[i:]
		switch n := sequenceEnd(line); n {
		case cancelled:
			line = line[1:]
		case 0:
			b = append(b, escape)
			line = line[1:]
		default:
			line = line[n:]
		}
		i = bytes.IndexByte(line, escape)
	}
	p.stripped = append(b, line...)
	return p.stripped
}

// cancelled stands for the end of a sequence in which another escape begins.
const cancelled = -1

// sequenceEnd returns the length of the escape sequence at the start of b, 0 if
// it is not a complete one, or cancelled.
func sequenceEnd(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '[':
		i := inRange(b, 2, '0', '?')
		return finalEnd(b, inRange(b, i, ' ', '/'), '@')
	case ']', 'P', 'X', '^', '_':
		return terminated(b, b[1] == ']')
	}
	return finalEnd(b, inRange(b, 1, ' ', '/'), '0')
}

// inRange returns the index of the first byte from i on that is not one of low
// to high.
func inRange(b []byte, i int, low, high byte) int {
	for i < len(b) && b[i] >= low && b[i] <= high {
		i++
	}
	return i
}

// finalEnd returns the index behind the final byte at b[i], which is low to ~,
// 0 if there is none, cancelled if there is another escape.
func finalEnd(b []byte, i int, low byte) int {
	switch {
	case i < len(b) && b[i] >= low && b[i] <= '~':
		return i + 1
	case i < len(b) && b[i] == escape:
		return cancelled
	}
	return 0
}

// terminated returns the index behind the string terminator, or behind the
// bell where that may end the string; 0 if there is none. Another escape cancels
// the string.
func terminated(b []byte, byBell bool) int {
	for i := 2; i < len(b); i++ {
		switch {
		case b[i] == bell && byBell:
			return i + 1
		case b[i] == escape:
			if i+1 < len(b) && b[i+1] == '\\' {
				return i + 2
			}
			return cancelled
		}
	}
	return 0
}
