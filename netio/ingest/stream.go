package ingest

import (
	"errors"
	"io"
	"os"
	"time"

	"logwisp/ring/entry"
)

const (
	maxFragments  = 64 << 20 // bytes of unfinished lines of an input that are held
	smallFragment = 4 << 10  // beside those that are so small
)

// reader is what a stream reads from.
type reader interface {
	// wait calls try until that reports true, and waits for bytes in between. The
	// error is os.ErrDeadlineExceeded when no more is to be waited for.
	wait(try func() bool) error
	// read reads what is there, and does not wait: errNothing when there is
	// nothing, io.EOF at the end.
	read(b []byte) (int, error)
}

// errNothing says that there is nothing to read now. It is a net.Error that
// passes, so that it may go through crypto/tls.
var errNothing error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "nothing to read" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

// stream is what a connection, or standard input, sends.
type stream struct {
	origin
	server *Server
	from   reader
	frame  framer
	held   int      // bytes of it that are counted in the input's fragments
	talk   *talking // nil: nothing is said to the sender
	begun  bool     // a line has come

	refused error // why nothing of the sender is taken any more

	// Of the turn under way; fields, so that nothing is allocated for it.
	worker *worker
	n      int
	err    error
	turn   func() bool // s.tryRead, bound once
	emit   func(entry.Line)
}

func (s *Server) newStream(in *input, name string, from reader) *stream {
	st := &stream{origin: s.newOrigin(in, name), server: s, from: from}
	if in.syslog {
		st.frame = &frames{}
	} else {
		lines := &entry.Splitter{}
		lines.Reset(true)
		st.frame = lines
	}
	st.turn = st.tryRead
	st.emit = func(l entry.Line) {
		if st.talk != nil && st.hear(&l) || st.astray(l.Text) {
			return
		}
		st.line(st.worker, l)
	}
	return st
}

// run takes in what comes until the end, or until the server stops. It returns
// why it ended, nil for the sender's end.
func (st *stream) run() error {
	var err error
	for err == nil {
		if err = st.from.wait(st.turn); err == nil {
			err = st.take()
		}
		if st.hesitant(err) {
			st.talk.greeted, st.refused = true, errSilent
			err = st.answer()
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && st.server.stopping() {
		for err = nil; err == nil && time.Now().Before(st.server.deadline()) && st.tryRead(); { // G4
			err = st.take()
		}
	}
	st.flush()
	if err == io.EOF {
		return nil
	}
	return err
}

// tryRead reads into a worker's buffer. It reports false when there is nothing,
// and then holds no worker (G1).
func (st *stream) tryRead() bool {
	st.worker = st.server.workers.take()
	if st.n, st.err = st.from.read(st.worker.buf); st.err == errNothing {
		st.server.workers.give(st.worker)
		st.worker = nil
		return false
	}
	return true
}

// take makes entries of what tryRead has read, and publishes them (G2).
func (st *stream) take() error {
	w, in := st.worker, st.in
	if st.n > 0 {
		in.stats.bytes.Add(uint64(st.n))
		w.begin(in)
		st.frame.Feed(w.buf[:st.n], in.room(), st.emit)
		st.account()
		st.publish(w)
	}
	st.worker = nil
	st.server.workers.give(w)
	if st.talk != nil {
		if err := st.answer(); err != nil {
			return err
		}
	}
	if st.refused != nil {
		return st.refused
	}
	return st.err
}

// account keeps the sum of the fragments held, and sends this one as it is when
// they are too many (G3).
func (st *stream) account() {
	in := st.in
	now := st.frame.Memory()
	if now > smallFragment {
		all := in.fragments.Load() + int64(now-st.held)
		// Whoever holds more than its share pays, not who comes to a full house.
		share := maxFragments / 2 / max(in.holders.Load(), 1)
		if all > maxFragments || all > maxFragments/2 && int64(now) > share {
			st.frame.Flush(in.room(), st.emit)
			now = 0
		}
	}
	in.fragments.Add(int64(now - st.held))
	switch before := st.held > smallFragment; {
	case now > smallFragment && !before:
		in.holders.Add(1)
	case now <= smallFragment && before:
		in.holders.Add(-1)
	}
	st.held = now
}

// flush sends the fragment that is held at the end.
func (st *stream) flush() {
	w := st.server.workers.take()
	st.worker = w
	w.begin(st.in)
	if st.talk != nil && st.talk.acks {
		st.frame = &entry.Splitter{} // it was not acknowledged, and comes again
	} else {
		st.frame.Flush(st.in.room(), st.emit)
	}
	st.account()
	st.publish(w)
	st.worker = nil
	st.server.workers.give(w)
}
