package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
)

const (
	eraseLine = "\r\x1b[K"
	// statusWidth keeps the status line on one line of any terminal.
	statusWidth = 79
)

// screen is where entries go, and messages, and, on a terminal, a last line
// with the rate. Text is appended to by one goroutine only.
type screen struct {
	text    []byte // for standard output, with the next flush
	entries uint64 // in the text, and before it
	lost    uint64 // entries

	std    *stdio
	rated  bool // standard error is a terminal: there is a status line
	shared bool // and standard output is one as well

	mu      sync.Mutex // what follows, and both outputs
	shown   bool       // the status line is there
	status  string
	lines   uint64 // entries, as of the last flush
	drops   uint64
	pending []string // messages for after the next flush
	stop    chan struct{}
	stopped sync.WaitGroup
}

func newScreen(std *stdio) *screen {
	s := &screen{std: std, rated: isTerminal(std.err) && os.Getenv("TERM") != "dumb"}
	s.shared = s.rated && isTerminal(std.out)
	return s
}

// begin keeps the status line up to date, until end.
func (s *screen) begin() {
	if !s.rated {
		return
	}
	s.stop = make(chan struct{})
	s.stopped.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for before := uint64(0); ; {
			select {
			case <-s.stop:
				return
			case <-tick.C:
			}
			s.mu.Lock()
			if was := s.status; s.setStatus(s.lines-before, s.drops) != was {
				s.erase()
				s.draw()
			}
			before = s.lines
			s.mu.Unlock()
		}
	})
}

// end removes the status line.
func (s *screen) end() {
	if s.stop == nil {
		return
	}
	close(s.stop)
	s.stopped.Wait()
	s.erase()
}

// setStatus makes the status line and returns it.
func (s *screen) setStatus(rate, lost uint64) string {
	s.status = fmt.Sprintf("%s entries, %s/s", humanize.Comma(int64(s.lines)), humanize.Comma(int64(rate)))
	if lost > 0 {
		s.status += ", " + humanize.Comma(int64(lost)) + " lost"
	}
	s.status = s.status[:min(len(s.status), statusWidth)]
	return s.status
}

func (s *screen) draw() {
	if s.rated && s.status != "" {
		fmt.Fprint(s.std.err, s.status)
		s.shown = true
	}
}

func (s *screen) erase() {
	if s.shown {
		fmt.Fprint(s.std.err, eraseLine)
		s.shown = false
	}
}

// later prints a message when the text so far is out.
func (s *screen) later(text string) { s.pending = append(s.pending, text) }

// notice prints a message, behind the text so far.
func (s *screen) notice(text string) {
	s.later(text)
	_ = s.flush() // the next one will fail as well
}

// flush writes the text. Its error is final: errDone when nobody reads standard
// output any more, else a *refusal.
func (s *screen) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines, s.drops = s.entries, s.lost
	if len(s.text) == 0 && len(s.pending) == 0 {
		return nil
	}
	if s.shared || len(s.pending) > 0 {
		s.erase()
		defer s.draw()
	}
	if len(s.text) > 0 {
		_, err := s.std.out.Write(s.text)
		s.text = s.text[:0]
		if readerGone(err) {
			return errDone
		}
		if err != nil {
			return &refusal{code: exitFailure, lines: []string{"standard output: " + err.Error()}}
		}
	}
	for _, text := range s.pending {
		fmt.Fprintln(s.std.err, "logwisp: "+text)
	}
	s.pending = s.pending[:0]
	return nil
}
