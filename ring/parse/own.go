package parse

import (
	"bytes"
	"math/bits"
)

// The keys of an entry as LogWisp writes it. Source and message make one that:
// what has other keys is somebody else's.
const (
	ownNeeded uint32 = 1<<keySource | 1<<keyMessage
	ownKeys          = ownNeeded | 1<<keyID | 1<<keyTime | 1<<keyLevel | 1<<keyFields
)

// isOwn reports whether a JSON line, which has been scanned, is an entry in
// LogWisp's own form: it has the keys of one and no others, none of them twice.
func (p *Parser) isOwn(line []byte, members int) bool {
	if p.seen&ownNeeded != ownNeeded || p.seen&^ownKeys != 0 || members != bits.OnesCount32(p.seen) {
		return false
	}
	for _, k := range [...]key{keySource, keyMessage} {
		if m := p.found[k]; line[m.value] != '"' || m.end-m.value == len(`""`) && k == keySource {
			return false
		}
	}
	return p.seen&(1<<keyFields) == 0 || line[p.found[keyFields].value] == '{'
}

// IsOwn reports whether a line is an entry in LogWisp's own form, as Line
// understands it with Parser.Own.
func (p *Parser) IsOwn(line []byte) bool {
	i := skipSpace(line, 0)
	if i == len(line) || line[i] != '{' {
		return false
	}
	end, members := p.scanObject(line, i)
	return end >= 0 && skipSpace(line, end) == len(line) && p.isOwn(line, members)
}

// takeOwn takes source, id and fields of an entry in LogWisp's own form. The id
// is that of the ring it was in, and no part of the entry. A level or time that says more than
// the entry does, those not in cuts, become fields.
func (p *Parser) takeOwn(line []byte, r *Result, cuts *cutList) {
	r.Source = unquoted(line[p.found[keySource].value:p.found[keySource].end])
	if bytes.IndexByte(r.Source, '\\') >= 0 {
		p.value = appendUnescaped(p.value[:0], r.Source)
		r.Source = p.value
	}
	if m := p.found[keyID]; p.seen&(1<<keyID) != 0 && line[m.value] == '"' {
		r.ID = unquoted(line[m.value:m.end])
	}
	var fields []byte // the inside of the object
	if p.seen&(1<<keyFields) != 0 {
		m := p.found[keyFields]
		if fields = line[m.value+1 : m.end-1]; skipSpace(fields, 0) == len(fields) {
			fields = nil
		}
		if fields != nil {
			r.Fields = p.oneLine(line[m.value:m.end])
		}
	}
	b := append(p.fields[:0], '{')
	for _, k := range [...]key{keyTime, keyLevel} {
		m := p.found[k]
		if p.seen&(1<<k) != 0 && !cuts.has(m) {
			b = append(append(b, line[m.start:m.end]...), ',')
		}
	}
	if len(b) == 1 {
		return // nothing was added; oneLine may have used the buffer
	}
	if fields == nil {
		b = b[:len(b)-1]
	}
	p.fields = append(append(b, fields...), '}')
	flatten(p.fields)
	r.Fields = p.fields
}

// has reports whether m is among the members cut out.
func (c *cutList) has(m member) bool {
	for _, cut := range c.members[:c.n] {
		if cut.start == m.start {
			return true
		}
	}
	return false
}
