package nats

import (
	"context"
	"errors"
	"fmt"

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

// Replay reads the stream from the message of an id on, until the ring holds
// what follows.
func (n hubNames) Replay(ctx context.Context, id string, show func(p *ring.Page, from int, ids record.IDs) error) (next uint64, err error) {
	number, _ := n.parse(id)
	if err := n.await(ctx, number); err != nil {
		return 0, err
	}
	if seq, held, _ := n.Find(id); held {
		return seq + 1, nil
	}
	asking, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	stream, err := n.hub.streamNow(asking)
	if err != nil {
		return 0, err
	}
	from := number >> lineBits
	if first := stream.CachedInfo().State.FirstSeq; from < first {
		return 0, fmt.Errorf("the stream begins at message %d, and %s is of message %d", first, id, from)
	}
	intake, err := n.hub.filter.Load().Intake()
	if err != nil {
		return 0, err
	}
	messages, err := ordered(ctx, stream, from)
	if err != nil {
		return 0, err
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	for {
		m, err := messages.Next()
		if err != nil {
			return 0, errors.Join(ctx.Err(), err)
		}
		at, err := n.replayMessage(m, number, intake, show)
		if err != nil {
			return 0, err
		}
		number = max(number, (at+1)<<lineBits-1)
		if seq, older, newer := n.find(number); !older && !newer && seq+1 >= n.ring.Oldest() {
			return seq + 1, nil
		}
	}
}

// await waits until the Hub has got to a number. The error says that the stream
// does not reach so far.
func (n hubNames) await(ctx context.Context, number uint64) error {
	for asked := false; ; {
		after, grown := n.reach()
		if number <= after && after > 0 {
			return nil
		}
		if !asked && after > 0 {
			asking, cancel := context.WithTimeout(ctx, answerTime)
			stream, err := n.hub.streamNow(asking)
			cancel()
			if err != nil {
				return err
			}
			if last := stream.CachedInfo().State.LastSeq; number>>lineBits > last {
				return fmt.Errorf("the stream ends at message %d", last)
			}
			asked = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-grown:
		}
	}
}

// replayMessage shows the entries of a message behind a number.
func (n hubNames) replayMessage(m jetstream.Msg, number uint64, intake *filter.Intake, show func(p *ring.Page, from int, ids record.IDs) error) (at uint64, err error) {
	about, err := m.Metadata()
	if err != nil {
		return 0, err
	}
	at = about.Sequence.Stream
	r := ring.New(ring.Options{Entries: 1 << 10, Bytes: max(replayBytes, 16*int64(len(m.Data())))})
	ids := newNames(n.stream, nil, 1)
	ids.passed(at << lineBits)
	d := newDecoder(n.ring, r.NewBuilder(), n.hub.settings.MaxLineBytes, ids)
	d.out.SetFilter(intake)
	d.message(about, m.Headers(), m.Data())
	d.out.Publish()
	ids.passed((at + 1) << lineBits)
	first, _, _ := ids.find(number) // entries up to it were had
	c, _ := r.Seek(first + 1)
	for {
		p, _, ok := c.Page()
		if !ok {
			return at, nil
		}
		if err := show(&p, int(c.Seq()-p.First), ids); err != nil {
			return at, err
		}
		c.Advance(p.First + uint64(p.Count()))
	}
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
