package nats

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"logwisp/netio"
	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// Names returns the ids of the entries, nil where the ring has others in it: then
// its own are used.
func (h *Hub) Names() netio.Names {
	if !h.settings.Alone {
		return nil
	}
	return hubNames{h.names, h}
}

// hubNames are the names that bring back what is older than the ring.
type hubNames struct {
	*names
	hub *Hub
}

// Find looks an id up. One that is yet to come counts as not held.
func (n hubNames) Find(id string) (seq uint64, held, own bool) {
	number, own := n.parse(id)
	if !own {
		return 0, false, false
	}
	seq, older, newer := n.find(number)
	return seq, !older && !newer && seq+1 >= n.ring.Oldest(), true
}

// replayBytes is the size of the ring through which a replay goes. It holds a
// message at least.
const replayBytes = 4 << 20

// entryBytes is more than an entry is longer than what its line says: keys, its time,
// the names of source and host.
const entryBytes = 1 << 10

// Replay reads the stream from the message of an id on, until the ring holds
// what follows.
func (n hubNames) Replay(ctx context.Context, id string, show func(p *ring.Page, from int, ids record.IDs) error) (next uint64, err error) {
	rp := replay{hubNames: n, show: show}
	rp.had, _ = n.parse(id)
	rp.message = (rp.had + 1) >> lineBits // behind the last line that there could be of one, nothing of it is wanted
	said, since := "", time.Time{}
	for {
		from := rp.message
		next, err := rp.run(ctx)
		switch {
		case err == nil:
			return next, nil
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case rp.refused != nil:
			return 0, rp.refused
		case errors.Is(err, netio.ErrExpired):
			return 0, err
		case errors.Is(err, jetstream.ErrStreamNotFound):
			return 0, fmt.Errorf("%w: %w", netio.ErrExpired, err)
		}
		if said != err.Error() || rp.message != from {
			said, since = err.Error(), time.Now()
			n.hub.log.Warn("what a client asked for cannot be read from the stream, will be tried again", "error", err)
		}
		if no, ok := errors.AsType[*jetstream.APIError](err); ok && no.Code < 500 && time.Since(since) > answerTime {
			return 0, fmt.Errorf("%w: %w", netio.ErrExpired, err) // it is not a server that is away
		}
		// A server or a leader is gone for a while: what was shown is not shown again.
		select {
		case <-ctx.Done():
		case <-time.After(followAgain):
		}
	}
}

// replay is what is left of one that may begin anew.
type replay struct {
	hubNames
	show    func(p *ring.Page, from int, ids record.IDs) error
	had     uint64 // number up to which entries were shown, or had before
	message uint64 // that is to come: the one of the id, or behind the last one shown
	refused error  // of show, which ends it
}

func (r *replay) run(ctx context.Context) (next uint64, err error) {
	if err := r.await(ctx, r.had); err != nil {
		return 0, err
	}
	if seq, ok := r.held(); ok {
		return seq + 1, nil
	}
	stream, err := r.hub.sameStream(ctx)
	if err != nil {
		return 0, err
	}
	if first := stream.CachedInfo().State.FirstSeq; r.message < first {
		return 0, fmt.Errorf("%w: the stream begins at message %d, and %d is wanted", netio.ErrExpired, first, r.message)
	}
	c, messages, err := ordered(ctx, stream, r.message, r.hub.ahead())
	if err != nil {
		return 0, err
	}
	defer func() {
		messages.Stop()
		forget(ctx, stream, c)
	}()
	consumer := ""
	var o *filter.IntakeOptions
	var intake *filter.Intake
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return 0, err
		}
		about, err := m.Metadata()
		if err != nil {
			return 0, err
		}
		// The library may have begun anew, in whatever has the name now.
		if again := consumer != "" && about.Consumer != consumer; again || about.Sequence.Stream > r.message {
			if err := r.stillHas(ctx, about.Sequence.Stream); err != nil {
				return 0, err
			}
		}
		consumer = about.Consumer
		if now := r.hub.filter.Load(); now != o {
			o = now
			intake, _ = o.Intake() // was tried
		}
		if err := r.replayMessage(about, m, intake); err != nil {
			return 0, err
		}
		if seq, ok := r.held(); ok {
			return seq + 1, nil
		}
	}
}

// forget deletes a consumer that is not used any more. Where that fails, the server
// does so by itself after minutes.
func forget(ctx context.Context, stream jetstream.Stream, c jetstream.Consumer) {
	about := c.CachedInfo()
	if about == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	_ = stream.DeleteConsumer(ctx, about.Name)
}

// held reports whether the ring has what follows the entries that were had, and
// behind which of its entries.
func (r *replay) held() (seq uint64, ok bool) {
	seq, older, newer := r.find(r.had)
	return seq, !older && !newer && seq+1 >= r.ring.Oldest()
}

// stillHas returns an error unless the stream is the one that is followed, and has
// all there is to show: the message that comes may be a later one because somebody
// has deleted those between, but not because they were in the way of new ones.
func (r *replay) stillHas(ctx context.Context, comes uint64) error {
	stream, err := r.hub.sameStream(ctx)
	if err != nil {
		return err
	}
	if first := stream.CachedInfo().State.FirstSeq; comes > r.message && r.message < first {
		return fmt.Errorf("%w: the stream has deleted messages %d to %d before they could be sent", netio.ErrExpired, r.message, comes-1)
	}
	return nil
}

// await waits until the Hub has got to a number. The error says that the stream
// does not reach so far.
func (n hubNames) await(ctx context.Context, number uint64) error {
	for asked := (time.Time{}); ; {
		after, grown := n.reach()
		if number < after {
			return nil
		}
		if time.Since(asked) > answerTime && after > 0 {
			stream, err := n.hub.sameStream(ctx)
			if err != nil {
				return err
			}
			if last := stream.CachedInfo().State.LastSeq; number>>lineBits > last {
				return fmt.Errorf("%w: the stream ends at message %d", netio.ErrExpired, last)
			}
			asked = time.Now()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-grown:
		case <-time.After(answerTime):
		}
	}
}

// replayMessage shows the entries of a message behind those that were had.
func (r *replay) replayMessage(about *jetstream.MsgMetadata, m jetstream.Msg, intake *filter.Intake) error {
	at := about.Sequence.Stream
	// An entry of ours is shorter than entryBytes beside what its line says, escaped.
	room := 8*int64(len(m.Data())) + entryBytes*int64(1+bytes.Count(m.Data(), []byte("\n")))
	piece := ring.New(ring.Options{Entries: max(1<<10, int(room>>14)), Bytes: max(replayBytes, room)})
	ids := newNames(r.stream, nil, 1)
	ids.passed(at << lineBits)
	d := newDecoder(r.ring, piece.NewBuilder(), r.hub.settings.MaxLineBytes, ids)
	d.out.SetFilter(intake)
	d.message(about, m.Headers(), m.Data())
	d.out.Publish()
	ids.passed((at + 1) << lineBits)
	first, _, _ := ids.find(r.had) // entries up to it were had
	c, lost := piece.Seek(first + 1)
	if lost > 0 {
		return fmt.Errorf("%w: message %d has more entries than are read at once", netio.ErrExpired, at)
	}
	for p, _, ok := c.Page(); ok; p, _, ok = c.Page() {
		if err := r.show(&p, int(c.Seq()-p.First), ids); err != nil {
			r.refused = err
			return err
		}
		c.Advance(p.First + uint64(p.Count()))
	}
	r.had, r.message = max(r.had, (at+1)<<lineBits-1), at+1
	return nil
}

// streamNow returns the stream with its state as it is now.
func (h *Hub) streamNow(ctx context.Context) (jetstream.Stream, error) {
	h.mu.Lock()
	js := h.js
	h.mu.Unlock()
	if js == nil {
		return nil, errors.New("the hub does not follow the stream yet")
	}
	return js.Stream(ctx, h.options.Stream)
}

// sameStream is streamNow, if that is still the stream which is followed: the ids of
// another one mean nothing here.
func (h *Hub) sameStream(ctx context.Context) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	stream, err := h.streamNow(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.same(stream.CachedInfo()); err != nil {
		return nil, fmt.Errorf("%w: %w", netio.ErrExpired, err)
	}
	return stream, nil
}

// replayAhead is how many messages are asked for in advance of what is shown, and
// how many bytes of them at most, but for one that is larger.
const (
	replayAhead      = 32
	replayAheadBytes = 1 << 20
)

// ahead is how much of the stream waits for a replay, whose reader may be slow.
func (h *Hub) ahead() jetstream.PullMessagesOpt {
	h.mu.Lock()
	defer h.mu.Unlock()
	return jetstream.PullMaxMessagesWithBytesLimit(replayAhead, max(replayAheadBytes, 2*int(h.conn.MaxPayload())))
}
