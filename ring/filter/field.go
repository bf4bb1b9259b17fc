package filter

import (
	"bytes"
	"errors"
	"strings"
)

// condition is one value of the parameter field.
type condition struct {
	key      string
	op       string
	text     []byte
	number   number
	isNumber bool
	re       *expression // of the operator ~
}

// operators, those that begin others first.
var operators = []string{"!=", ">=", "<=", "=", ">", "<", "~"}

// splitField splits KEY OP VALUE at its first operator.
func splitField(text string) (key, op, value string, err error) {
	fail := func(cause string) (string, string, string, error) {
		return "", "", "", &Error{Parameter: "field", Value: text, Err: errors.New(cause)}
	}
	for i := range len(text) {
		for _, op := range operators {
			if !strings.HasPrefix(text[i:], op) {
				continue
			}
			if i == 0 {
				return fail("there is no key before the operator: write KEY" + op + "VALUE")
			}
			return text[:i], op, text[i+len(op):], nil
		}
	}
	return fail("no operator: write KEY=VALUE, or one of != > >= < <= ~ in place of =")
}

// newCondition compiles one value of the parameter field.
func newCondition(text string, p *patterns) (*condition, error) {
	key, op, value, err := splitField(text)
	if err != nil {
		return nil, err
	}
	c := &condition{key: key, op: op, text: []byte(value)}
	if op == "~" {
		c.re, err = p.compile("field", text, value)
		return c, err
	}
	c.number, c.isNumber = parseNumber(c.text)
	return c, nil
}

// holds reports whether an entry meets the condition.
func (c *condition) holds(e *entry, m *Matcher) bool {
	text, found := c.find(e, m)
	if !found {
		return c.op == "!="
	}
	if c.op == "~" {
		return m.search(c.re, beginning(text, m.f.reach.re))
	}
	order, ordered := c.compare(text)
	switch c.op {
	case "=":
		return ordered && order == 0
	case "!=":
		return !ordered || order != 0
	case ">":
		return ordered && order > 0
	case ">=":
		return ordered && order >= 0
	case "<":
		return ordered && order < 0
	default: // <=
		return ordered && order <= 0
	}
}

// compare compares a text with the condition's value, as numbers when both are
// numbers; a number and something else have no order.
func (c *condition) compare(text []byte) (order int, ordered bool) {
	n, isNumber := parseNumber(text)
	switch {
	case isNumber && c.isNumber:
		return n.compare(c.number), true
	case isNumber != c.isNumber:
		return 0, false
	}
	return bytes.Compare(text, c.text), true
}

// find returns the text of what the condition is about.
func (c *condition) find(e *entry, m *Matcher) (text []byte, found bool) {
	scratch := &m.value
	if e.fields != nil {
		value, looked, ok := lookup(e.fields, c.key, scratch)
		m.work += looked * workPerByte
		if ok {
			return textOf(value, scratch), true
		}
	}
	switch c.key {
	case "time":
		return e.time, true
	case "source":
		return decoded(e.source, scratch), true
	case "level":
		return e.level, e.hasLevel
	case "message":
		return decoded(e.message, scratch), true
	}
	return nil, false
}
