package parse

import (
	"bytes"

	"logwisp/ring"
)

// Syslog is what a syslog message says beside its text. Its slices point into
// the message or the Parser: they are valid until the message changes or the
// next call of ParseSyslog; the Text may be given to Line of the same Parser.
type Syslog struct {
	Micros   int64 // when it was sent, microseconds since 1970 UTC; the present where it does not say
	Level    ring.Level
	Hostname []byte // nil for none
	Members  []byte // of a JSON object, without braces: facility … structured_data
	Text     []byte // it may be any bytes
}

// ParseSyslog takes a syslog message apart that begins with a priority, of RFC
// 5424 or, with what is usual instead of it, of RFC 3164:
//
//	<165>1 2006-01-02T15:04:05.000003Z host app 123 ID47 [id@1 a="b"] text
//	<34>Jan  2 15:04:05 host app[123]: text
//
// It reports false for any other message. What is missing in a header is left
// out, and what is not understood stays in the text. A severity between two
// levels is a member, and so is a time that cannot be.
func (p *Parser) ParseSyslog(msg []byte, nowMicros int64) (s Syslog, ok bool) {
	if len(msg) == 0 || msg[0] != '<' {
		return Syslog{}, false
	}
	end := bytes.IndexByte(msg[:min(len(msg), len("<191>"))], '>') + 1
	at, level := syslogPriority(msg)
	if at == 0 {
		return Syslog{}, false
	}
	priority := 0
	for _, c := range msg[1 : end-1] {
		priority = priority*10 + int(c-'0')
	}
	s = Syslog{Micros: nowMicros, Level: level, Text: msg[at:]}
	p.members = appendMember(p.members[:0], "facility", []byte(facilities[priority/8]))
	if name := severities[priority%8]; name != "" {
		p.members = appendMember(p.members, "severity", []byte(name))
	}
	if at == end || !p.syslogHeader(&s, nowMicros) {
		s.Text = msg[end:]
		p.bsdHeader(&s, nowMicros)
	}
	s.Members = p.members
	return s, true
}

// facilities are the names of RFC 5424's codes as syslog.conf(5) has them.
var facilities = [24]string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

// severities are the names of those that are no level.
var severities = [8]string{0: "emerg", 1: "alert", 2: "crit", 5: "notice"}

// syslogHeader takes the header of RFC 5424 off the text. It reports false, and
// changes nothing, when that does not begin with one.
func (p *Parser) syslogHeader(s *Syslog, nowMicros int64) bool {
	var tokens [5][]byte // time, host, app, process, kind of message
	rest := s.Text
	for i := range tokens {
		var ok bool
		if tokens[i], rest, ok = bytes.Cut(rest, []byte(" ")); !ok || len(tokens[i]) == 0 {
			return false
		}
	}
	if string(tokens[0]) != "-" {
		stamp := p.dateStamp(tokens[0])
		if stamp.n != len(tokens[0]) || !stamp.known {
			return false
		}
		p.sent(s, stamp, tokens[0], nowMicros)
	}
	for i, name := range [...]string{"hostname", "app", "pid", "msgid"} {
		if token := tokens[i+1]; string(token) != "-" {
			p.members = appendMember(p.members, name, token)
		}
	}
	if string(tokens[1]) != "-" {
		s.Hostname = tokens[1]
	}
	rest = p.structuredData(rest)
	rest = bytes.TrimPrefix(rest, []byte(" "))
	s.Text = bytes.TrimPrefix(rest, []byte("\xef\xbb\xbf"))
	return true
}

// sent takes the time of a header. One that cannot be is a member.
func (p *Parser) sent(s *Syslog, at stamp, text []byte, nowMicros int64) {
	if at.known && plausible(at.micros, nowMicros) {
		s.Micros = at.micros
		return
	}
	p.members = appendMember(p.members, "timestamp", text)
}

// structuredData takes the elements that text begins with, or the dash that
// stands for none, and returns what follows: all of text if they are not right, or
// one of them, or of their parameters, is there twice (RFC 5424, 6.3.3, allows that of
// parameters): an object has each name once.
func (p *Parser) structuredData(text []byte) (rest []byte) {
	if len(text) > 0 && text[0] == '-' && (len(text) == 1 || text[1] == ' ') {
		return text[1:]
	}
	const lead = `,"structured_data":{`
	b := append(p.members, lead...)
	var elements names
	for rest = text; len(rest) > 0 && rest[0] == '['; {
		if b[len(b)-1] == '}' {
			b = append(b, ',')
		}
		var ok bool
		if b, rest, ok = appendElement(b, rest[1:], &elements); !ok {
			return text
		}
	}
	if len(rest) == len(text) || len(rest) > 0 && rest[0] != ' ' {
		return text
	}
	p.members = append(b, '}')
	return rest
}

// appendElement appends an element, whose bracket was read, as a member.
func appendElement(b, text []byte, elements *names) (_, rest []byte, ok bool) {
	n := bytes.IndexAny(text, " ]")
	if n < 1 || !elements.add(text[:n]) {
		return nil, nil, false
	}
	var parameters names
	b = append(appendQuoted(b, text[:n]), ':', '{')
	for rest = text[n:]; len(rest) > 0 && rest[0] == ' '; {
		name, value, found := bytes.Cut(rest[1:], []byte(`="`))
		if !found || len(name) == 0 || bytes.ContainsAny(name, ` ]"=`) || !parameters.add(name) {
			return nil, nil, false
		}
		end := parameterEnd(value)
		if end < 0 {
			return nil, nil, false
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(appendQuoted(b, name), ':')
		b = appendQuoted(b, unescapedParameter(value[:end]))
		rest = value[end+1:]
	}
	if len(rest) == 0 || rest[0] != ']' {
		return nil, nil, false
	}
	return append(b, '}'), rest[1:], true
}

// names is a set of them, most often of a few.
type names struct {
	few  [8][]byte
	n    int
	many map[string]bool
}

// add reports whether a name is new.
func (s *names) add(name []byte) bool {
	for _, other := range s.few[:s.n] {
		if bytes.Equal(name, other) {
			return false
		}
	}
	switch {
	case s.n < len(s.few):
		s.few[s.n] = name
		s.n++
		return true
	case s.many[string(name)]:
		return false
	case s.many == nil:
		s.many = make(map[string]bool)
	}
	s.many[string(name)] = true
	return true
}

// parameterEnd returns the index of the quote that ends a parameter's value.
func parameterEnd(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return -1
}

// unescapedParameter takes the backslash off quotes, brackets and backslashes;
// anywhere else it stands for itself.
func unescapedParameter(value []byte) []byte {
	if bytes.IndexByte(value, '\\') < 0 {
		return value
	}
	var text []byte
	for i := 0; i < len(value); i++ {
		if value[i] == '\\' && i+1 < len(value) && bytes.IndexByte([]byte(`"]\`), value[i+1]) >= 0 {
			i++
		}
		text = append(text, value[i])
	}
	return text
}

// bsdHeader takes off the text what RFC 3164 says is before it, as far as it is
// there: a time, a host, which local senders leave out, and the sender's name
// with a process id. Without a time all of it is text.
func (p *Parser) bsdHeader(s *Syslog, nowMicros int64) {
	stamp := p.leadingStamp(s.Text, nowMicros)
	if stamp.n == 0 || stamp.n == len(s.Text) || s.Text[stamp.n] != ' ' {
		return
	}
	p.sent(s, stamp, s.Text[:stamp.n], nowMicros)
	s.Text = s.Text[stamp.n+1:]
	if app, _, _ := senderTag(s.Text); app == nil {
		host, rest, ok := bytes.Cut(s.Text, []byte(" "))
		if !ok || len(host) == 0 || len(host) > maxToken {
			return
		}
		s.Hostname, s.Text = host, rest
		p.members = appendMember(p.members, "hostname", host)
	}
	app, pid, rest := senderTag(s.Text)
	if app == nil {
		return
	}
	s.Text = rest
	p.members = appendMember(p.members, "app", app)
	if pid != nil {
		p.members = appendMember(p.members, "pid", pid)
	}
}

// maxToken is the length in bytes of the longest host or name of a sender.
const maxToken = 255

// senderTag reads `app: ` or `app[pid]: ` at the start of b; app is nil if
// there is none.
func senderTag(b []byte) (app, pid, rest []byte) {
	n := bytes.IndexAny(b[:min(len(b), maxToken)], " [:")
	if n < 1 || b[n] == ' ' {
		return nil, nil, nil
	}
	app, rest = b[:n], b[n:]
	if rest[0] == '[' {
		end := bytes.IndexAny(rest[:min(len(rest), maxToken)], "] ")
		if end < 0 || rest[end] != ']' {
			return nil, nil, nil
		}
		pid, rest = rest[1:end], rest[end+1:]
	}
	rest, colon := bytes.CutPrefix(rest, []byte(":"))
	if !colon && pid == nil || len(rest) > 0 && rest[0] != ' ' {
		return nil, nil, nil // as in a host of IPv6
	}
	return app, pid, bytes.TrimPrefix(rest, []byte(" "))
}

// appendMember appends a member with a string.
func appendMember(b []byte, name string, value []byte) []byte {
	if len(b) > 0 {
		b = append(b, ',')
	}
	b = append(append(append(b, '"'), name...), '"', ':')
	return appendQuoted(b, value)
}
