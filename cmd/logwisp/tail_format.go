package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// formatter appends what is printed of one entry, with its newline. The entry
// is a line of JSON; when cut is set, without its opening brace.
type formatter interface {
	entry(dst, entry []byte, cut bool) []byte
}

// asItCame is the entry, as fast as it comes: programs read it. What must not reach
// a terminal is escaped as JSON may have it, which changes nothing of what it says.
type asItCame struct{ raw bool }

func (a asItCame) entry(dst, entry []byte, cut bool) []byte {
	if cut {
		dst = append(dst, '{')
	}
	if a.raw || !mayDisturb(entry) {
		return append(append(dst, entry...), '\n')
	}
	from := 0
	for i := 0; i < len(entry); {
		r, size := utf8.DecodeRune(entry[i:])
		if r == 0x7f || size > 1 && disturbs(r, size) {
			dst = append(dst, entry[from:i]...)
			dst = fmt.Appendf(dst, `\u%04x`, r)
			from = i + size
		}
		i += size
	}
	return append(append(dst, entry[from:]...), '\n')
}

// mayDisturb reports whether there may be a rune in valid JSON that must not reach a
// terminal: those begin with these bytes.
func mayDisturb(entry []byte) bool {
	return bytes.IndexByte(entry, 0x7f) >= 0 || bytes.IndexByte(entry, 0xc2) >= 0 ||
		bytes.Contains(entry, []byte("\xe2\x80")) || bytes.Contains(entry, []byte("\xe2\x81"))
}

// style is how text is made fit for a terminal.
type style struct {
	palette
	marks *regexp.Regexp // what is highlighted, nil for nothing
	raw   bool           // control characters are left as they are
}

// words appends text of a log.
func (s *style) words(dst []byte, text string) []byte {
	if s.marks == nil {
		return s.clean(dst, text)
	}
	from := 0
	for _, at := range s.marks.FindAllStringIndex(text, -1) {
		if at[0] == at[1] {
			continue
		}
		dst = s.clean(dst, text[from:at[0]])
		dst = append(s.clean(append(dst, reverse...), text[at[0]:at[1]]), upright...)
		from = at[1]
	}
	return s.clean(dst, text[from:])
}

func (s *style) clean(dst []byte, text string) []byte {
	if s.raw {
		return append(dst, text...)
	}
	return appendEscaped(dst, text)
}

// markedJSON is the entry with highlights.
type markedJSON struct{ style }

func (m *markedJSON) entry(dst, entry []byte, cut bool) []byte {
	whole := asItCame{m.raw}.entry(nil, entry, cut)
	return append(m.words(dst, string(bytes.TrimSuffix(whole, []byte("\n")))), '\n')
}

// messageOnly is the message.
type messageOnly struct{ style }

func (m *messageOnly) entry(dst, entry []byte, cut bool) []byte {
	e := decode(entry, cut)
	return append(m.words(dst, e.Message), '\n')
}

// columns is TIME LEVEL SOURCE MESSAGE KEY=VALUE…
type columns struct {
	style
	stamps string    // a value of --timestamps
	before time.Time // the time of the entry before, for delta
}

func (c *columns) entry(dst, entry []byte, cut bool) []byte {
	e := decode(entry, cut)
	if c.stamps != "none" {
		dst = append(c.wrap(dst, dim, c.stamp(e.Time)), ' ')
	}
	level := "-"
	if e.Level != "" {
		level = strings.ToUpper(escaped(e.Level))
	}
	dst = append(c.wrap(dst, levelColors[e.Level], fmt.Sprintf("%-5s", level)), ' ')
	dst = append(c.wrap(dst, sourceColor(e.Source), escaped(e.Source)), ' ')
	dst = c.words(dst, e.Message)
	dst = c.fields(dst, e.Fields)
	return append(dst, '\n')
}

// stamp is the time in the form that was asked for. A time that cannot be read
// is printed as it came.
func (c *columns) stamp(text string) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || c.stamps == "utc" {
		return escaped(text)
	}
	switch c.stamps {
	case "time":
		return t.Local().Format("15:04:05.000")
	case "delta":
		d := time.Duration(0)
		if !c.before.IsZero() {
			d = t.Sub(c.before)
		}
		c.before = t
		return fmt.Sprintf("%+10.3f", d.Seconds())
	}
	return t.Local().Format("2006-01-02 15:04:05.000")
}

// fields appends the fields in their order; strings without their quotes where
// the quotes do not matter, everything else as it is.
func (c *columns) fields(dst []byte, fields []byte) []byte {
	members := scanner{rest: fields}
	for name, value := range members.members {
		dst = append(dst, ' ')
		if c.on {
			dst = append(dst, dim...)
		}
		dst = append(appendEscaped(dst, textOf(name)), '=')
		if c.on {
			dst = append(dst, plain...)
		}
		dst = c.words(dst, bare(value))
	}
	return dst
}

// bare is a value as one word: a string without its quotes, unless a reader
// would then take it for something else or for several.
func bare(value []byte) string {
	if value[0] != '"' {
		return string(value)
	}
	text := textOf(value)
	if text == "" || text == "null" || strings.ContainsAny(text, " \t\r\n\"=") {
		return string(value)
	}
	return text
}
