package netio

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/panjf2000/gnet/v2"
)

const (
	// maxInputLine is how long a line of a client may be.
	maxInputLine = 64 << 10
	// helloTime is how long a client may take to say hello where it must.
	helloTime = 10 * time.Second
	// maxHeard is how many bytes a client may send from one tick, which is a
	// second, to the next. Nothing that it has to say is as long, and reading it
	// takes the time of the others.
	maxHeard = 256 << 10
)

// Handshake lets the clients of a transport shape their stream with one line:
// the first that begins with a brace. What they send else is discarded.
type Handshake struct {
	// Both are asked for every client that comes; nil says no.
	Off      func() bool // what clients send is discarded
	Required func() bool // nothing is sent before it

	// Answer reads the line, without its newline, of a client at an address. It is
	// called in a goroutine of its own.
	Answer func(line []byte, from netip.Addr) (Subscription, error)
	// Refuse appends what a client gets whose line Answer has refused; then the
	// stream ends.
	Refuse func(dst []byte, err error) []byte
}

// input is what a client has sent of its hello.
type input struct {
	done   bool // the hello has come: the rest is discarded
	brace  bool // the line begins with one
	length int  // of the line so far
	line   []byte
	heard  int // bytes since the last tick
}

// hears counts n bytes and returns whether they are not too many.
func (in *input) hears(n int) bool {
	in.heard += n
	return in.heard <= maxHeard
}

// sent takes what a client has sent and returns why it may not stay, "" if it may.
func (l *loop) sent(s *Subscriber, c gnet.Conn) (why string) {
	if !s.input.hears(c.InboundBuffered()) {
		return leftFlooding
	}
	if s.transport.Handshake == nil || s.input.done {
		return ""
	}
	if p, _ := c.Peek(-1); !l.hear(s, p) {
		return leftTooLong
	}
	return ""
}

// hear takes what a client has sent and returns whether it may stay.
func (l *loop) hear(s *Subscriber, p []byte) bool {
	in := &s.input
	for len(p) > 0 && !in.done {
		if in.length == 0 && p[0] != '{' {
			if p = in.skip(p); in.length > maxInputLine {
				return false
			}
			continue
		}
		part, rest, ended := bytes.Cut(p, []byte("\n"))
		if in.length == 0 && len(part) > 0 {
			in.brace = part[0] == '{'
		}
		if in.length += len(part); in.length > maxInputLine {
			return false
		}
		if in.brace {
			in.line = append(in.line, part...)
		}
		if ended {
			if in.done = in.brace; in.done {
				l.answer(s, in.line)
				in.line = nil
			}
			in.length, in.brace = 0, false
		}
		p = rest
	}
	return true
}

// skip passes over lines that are no hello, at a line's beginning, and returns
// what begins with one. Somebody may send such lines as fast as can be.
func (in *input) skip(p []byte) []byte {
	if i := bytes.Index(p, []byte("\n{")); i >= 0 {
		return p[i+1:]
	}
	in.length = len(p) - 1 - bytes.LastIndexByte(p, '\n') // of a line that goes on
	in.brace = false
	return nil
}

// answer has a hello read outside the loop, which may take a while, and goes
// on in takeAnswers.
func (l *loop) answer(s *Subscriber, line []byte) {
	e := l.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopping {
		return
	}
	e.enrols.Add(1)
	s.answering = true
	go func() {
		defer e.enrols.Done()
		a := answer{s: s}
		a.sub, a.err = s.transport.Handshake.Answer(line, s.from)
		l.mu.Lock()
		l.answers = append(l.answers, a)
		l.mu.Unlock()
		l.ring()
	}()
}

// answer is what a hello amounts to.
type answer struct {
	s   *Subscriber
	sub Subscription
	err error
}

// takeAnswers hands the answers to their subscribers, which take notice of them
// between entries.
func (l *loop) takeAnswers() {
	l.mu.Lock()
	answers := l.answers
	l.answers = nil
	l.mu.Unlock()
	for _, a := range answers {
		l.busy, a.s.answering = true, false
		if a.s.gone {
			a.s.transport.active.Add(-1)
		}
		if a.s.gone || a.s.bye {
			continue
		}
		a.s.wanted, a.s.refusal = &a.sub, a.err
		l.takeBack(a.s)
	}
}

// reshape begins a subscriber's stream anew as its hello asks, at an entry's
// boundary. What it has had so far joins the sums of its transport.
func (l *loop) reshape(s *Subscriber) {
	s.lossFrom, s.lossTo, s.heartbeatDue = 0, 0, false
	if s.refusal != nil {
		s.wanted, s.bye, s.ending = nil, true, leftRefused
		s.control = s.transport.Handshake.Refuse(s.control, s.refusal)
		return
	}
	before := s.group
	s.transport.restart(s)
	s.held, s.lagging = false, false
	l.begin(s)
	l.leaveGroup(before)
}

// restart ends the first part of a subscriber's account: its counters join the
// transport's totals in the same step in which they begin anew.
func (t *Transport) restart(s *Subscriber) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended.add(s.Totals())
	t.losses.add(s.losses())
	for _, c := range []*counter{&s.offered, &s.delivered, &s.filtered, &s.dropped, &s.overrun, &s.thinned, &s.missed} {
		c.Store(0)
	}
}
