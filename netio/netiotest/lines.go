package netiotest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"logwisp/ring/record"
)

// id returns the id of entry n.
func (g *Rig) id(n uint64) string { return string(record.AppendID(nil, g.Ring.Epoch(), n)) }

// ReadLine reads an item of a stream of JSON lines; a line that is not JSON is
// something else.
func ReadLine(r *bufio.Reader) (Item, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return Item{}, err
	}
	return ParseLine(line)
}

// ParseLine is ReadLine for a line that has been read, of which it keeps parts.
func ParseLine(line []byte) (Item, error) {
	if line[0] != '{' {
		return Item{Kind: "other"}, nil
	}
	if bytes.HasPrefix(line, []byte(`{"type":`)) {
		return readControl(line)
	}
	it := Item{Kind: "entry", Line: line}
	if after, ok := bytes.CutPrefix(line, []byte(`{"id":"`)); ok {
		id, rest, _ := bytes.Cut(after, []byte(`",`))
		it.ID, it.Line = string(id), append([]byte("{"), rest...)
	}
	return it, nil
}

// readControl reads a control line.
func readControl(line []byte) (Item, error) {
	var c struct {
		Type   string
		Count  uint64
		Missed uint64
		From   string
	}
	if err := json.Unmarshal(line, &c); err != nil {
		return Item{}, err
	}
	return Item{Kind: c.Type, Count: c.Count + c.Missed, From: SeqOf(c.From)}, nil
}

// SeqOf returns the number in an id, 0 when it is none.
func SeqOf(id string) uint64 {
	_, seq, _ := strings.Cut(id, "-")
	n, _ := strconv.ParseUint(seq, 10, 64)
	return n
}
