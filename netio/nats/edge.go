package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"logwisp/netio"
)

const (
	headerHost  = "Logwisp-Host"
	headerAt    = "Logwisp-At"
	headerFile  = "Logwisp-File" // these three have a value for each file
	headerStart = "Logwisp-Start"
	headerEnd   = "Logwisp-End"
)

// answerTime is how long the server may take to answer, askTime to say whether a
// stream is there: a cluster without a leader does not answer at all.
const (
	answerTime = 10 * time.Second
	askTime    = 3 * time.Second
)

// Origin says where an entry came from.
type Origin struct {
	File     string     // names the file
	End      int64      // everything in the file before it is in this entry or earlier ones
	Position Positioner // to go on behind the entry
}

// Positioner tells where to go on, as JSON.
type Positioner interface{ Position() []byte }

// Origins know where entries came from. Nil ones know nothing.
type Origins interface {
	// Origin returns that of an entry. settled is false when more will be known
	// in a moment.
	Origin(seq uint64) (o Origin, known, settled bool)
}

// Edge publishes entries to a stream. It is a netio.Carrier.
type Edge struct {
	options *Options
	epoch   uint64 // of the ring
	origins Origins
	log     *slog.Logger
	conn    *client.Conn
	js      jetstream.JetStream
	stream  jetstream.Stream // nil until it is known to be there
	subject map[string]*subject

	complaints *netio.Complaints
}

// NewEdge returns an Edge, which connects in the background, and again whenever
// the connection is lost. Errors are those of the settings. The caller closes
// it.
func NewEdge(o *Options, epoch uint64, origins Origins, log *slog.Logger) (*Edge, error) {
	conn, js, err := connect(o, "logwisp edge "+o.Host, log, nil)
	if err != nil {
		return nil, err
	}
	return &Edge{options: o, epoch: epoch, origins: origins, log: log, conn: conn, js: js, subject: make(map[string]*subject), complaints: netio.NewComplaints(log)}, nil
}

// Close ends the connection.
func (e *Edge) Close() { e.conn.Close() }

// errAgain says that the stream has more than was known, so that messages have to be
// cut anew.
var errAgain = errors.New("more of the subject is in the stream than was known")

// Carry publishes the entries of p (J1, J2).
func (e *Edge) Carry(ctx context.Context, p netio.Parcel) (done int, err error) {
	if err := e.open(ctx); err != nil {
		return 0, err
	}
	for err = errAgain; errors.Is(err, errAgain); {
		var active []*subject
		done, active, err = e.cut(ctx, p)
		for len(active) > 0 && err == nil {
			active, err = e.round(ctx, active)
		}
	}
	if err == nil {
		return done, nil
	}
	for done = 0; done < p.Len() && e.of(e.subjectOf(p, done)).delivered(p.Seq(done)); {
		done++
	}
	return done, err
}

// flight is a message under way.
type flight struct {
	of  *subject
	ack jetstream.PubAckFuture
	err error
}

// round publishes the first message of each subject, waits for what becomes of
// them, and returns the subjects that have more. The error is one of those that
// failed; the others are done with.
func (e *Edge) round(ctx context.Context, active []*subject) (more []*subject, err error) {
	flights := make([]flight, 0, len(active))
	for _, s := range active {
		f := flight{of: s}
		if !s.known {
			f.err = e.learn(ctx, s)
		}
		switch {
		case f.err == nil && len(s.queue) > 0:
			f.ack, f.err = e.js.PublishMsgAsync(s.queue[0].message(e, s),
				jetstream.WithExpectStream(e.options.Stream), jetstream.WithExpectLastSequencePerSubject(s.last),
				jetstream.WithRetryAttempts(0))
		case f.err == nil:
			continue // its answer was lost, and there is no more
		}
		flights = append(flights, f)
	}
	timeout := time.NewTimer(answerTime)
	defer timeout.Stop()
	for _, f := range flights {
		s := f.of
		if f.err == nil {
			f.err = e.settle(ctx, s, f.ack, timeout.C)
		}
		switch {
		case f.err != nil && (err == nil || !errors.Is(f.err, errAgain)):
			err = f.err
		case f.err == nil && len(s.queue) > 0:
			more = append(more, s)
		}
	}
	if err != nil {
		for _, s := range active {
			s.queue = nil
		}
	}
	return more, err
}

// settle waits for the answer to the first message of a subject.
func (e *Edge) settle(ctx context.Context, s *subject, ack jetstream.PubAckFuture, timeout <-chan time.Time) error {
	select {
	case a := <-ack.Ok():
		s.stored(a.Sequence)
		return nil
	case err := <-ack.Err():
		if wrong, ok := errors.AsType[*jetstream.APIError](err); ok &&
			(wrong.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || wrong.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
			return e.reconsider(ctx, s)
		}
		s.known = false // the answer may have been lost on its way
		return e.explain(err)
	case <-timeout:
		s.known = false
		return fmt.Errorf("the server has not acknowledged within %s", answerTime)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// learn looks what the stream has of a subject whose last message is not known: it
// may be that which is to be published, whose answer was lost, or another one that
// has some of its entries.
func (e *Edge) learn(ctx context.Context, s *subject) error {
	before := s.last
	last, err := e.lookUp(ctx, s)
	switch {
	case err != nil || last == nil || last.Sequence == before:
		return err
	case last.Header.Get(jetstream.MsgIDHeader) == s.queue[0].id(s):
		s.stored(last.Sequence)
		return nil
	}
	if s.expect(last) {
		return errAgain
	}
	return nil
}

// reconsider looks what the stream has of a subject whose last message is not
// the one that was known.
func (e *Edge) reconsider(ctx context.Context, s *subject) error {
	m := s.queue[0]
	before := s.last
	last, err := e.lookUp(ctx, s)
	switch {
	case err != nil:
		return err
	case last != nil && last.Header.Get(jetstream.MsgIDHeader) == m.id(s):
		s.stored(last.Sequence) // its answer was lost
		return nil
	case s.last == before:
		s.known = false
		return fmt.Errorf("subject %s: the servers do not agree yet on its last message", s.name)
	case last == nil:
		return nil // the limits of the stream have deleted it: this one is the first again
	case s.expect(last) && m.isOf(s.late):
		return errAgain // what was under way has arrived meanwhile
	}
	e.complaints.Warn("somebody else publishes to a subject of this host: give each machine a name of its own with ?host=NAME",
		errors.New("another message than was expected is the last of it"), "subject", s.name)
	return errAgain
}

// lookUp asks the stream for the last message of a subject, nil if there is none.
func (e *Edge) lookUp(ctx context.Context, s *subject) (*jetstream.RawStreamMsg, error) {
	if e.stream == nil {
		return nil, errors.New("stream " + e.options.Stream + " is looked for again") // what came before has found it gone
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	last, err := e.stream.GetLastMsgForSubject(ctx, s.name)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		s.last, s.known = 0, true
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("last message of %s: %w", s.name, err)
	}
	s.last, s.known = last.Sequence, true
	return last, nil
}

// open sees to it that the stream is there. One that is missing is created.
func (e *Edge) open(ctx context.Context) error {
	if e.stream != nil {
		return nil
	}
	if err := connected(e.conn); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	s, err := e.js.Stream(ctx, e.options.Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = e.js.CreateStream(ctx, jetstream.StreamConfig{
			Name: e.options.Stream, Subjects: []string{e.options.Stream + ".>"},
			Description: "entries of LogWisp, a subject for each source of each host",
			MaxBytes:    e.options.MaxBytes, MaxAge: e.options.MaxAge, Replicas: e.options.Replicas,
			Discard: jetstream.DiscardOld, Storage: jetstream.FileStorage, Duplicates: e.options.window(),
		})
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another host was quicker
			s, err = e.js.Stream(ctx, e.options.Stream)
		}
		if err == nil {
			e.log.Info("stream created", "stream", e.options.Stream, "replicas", e.options.Replicas, "max_bytes", e.options.MaxBytes)
		}
	}
	if err != nil {
		return e.explain(err)
	}
	e.stream = s
	return nil
}

// explain says what to do about an error of the server.
func (e *Edge) explain(err error) error {
	name := e.options.Stream
	switch {
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		e.stream = nil // it may have been deleted
		return fmt.Errorf("no stream takes subjects %s.>: add them to stream %s, or delete it to have it created", name, name)
	case errors.Is(err, client.ErrNoResponders):
		return errors.New("the server has no JetStream, or its cluster has no leader: start it with -js")
	}
	if lost := connected(e.conn); lost != nil {
		return lost
	}
	return fmt.Errorf("stream %s: %w", name, err)
}
