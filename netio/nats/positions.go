package nats

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Position is how far a file is in the stream.
type Position struct {
	File []byte // as Origin.Position has it
	At   int64  // when it was true, nanoseconds since 1970 on this host's clock
}

// readBack is how much earlier than the checkpoint the stream is read from, since
// what is known of clocks comes from messages that were on their way for a while.
const readBack = time.Minute

// forgetAfter is when the server forgets a consumer that is not used any more.
const forgetAfter = 30 * time.Second

// Positions returns how far the files of this host are in the stream (J3): those
// of the last message of each subject and of all that came since kept, when the
// positions were true that the caller has; zero: it has none, and all are read. The
// error says why that cannot be known now. It is called before there is anything to
// carry.
func (e *Edge) Positions(ctx context.Context, kept time.Time) ([]Position, error) {
	if err := e.open(ctx); err != nil {
		return nil, err
	}
	subjects := e.options.Stream + "." + token(e.options.Host) + ".>"
	asking, cancel := context.WithTimeout(ctx, 6*answerTime)
	info, err := e.stream.Info(asking, jetstream.WithSubjectFilter(subjects))
	cancel()
	if err != nil {
		return nil, e.explain(err)
	}
	all := latest{}
	clocks := clocks{from: kept}
	for name := range info.State.Subjects {
		s := e.of(name)
		last, err := e.lookUp(ctx, s)
		if err != nil {
			return nil, err
		}
		if last == nil {
			continue
		}
		for file, l := range lateIn(last) {
			s.ends[file] = l.end
		}
		all.note(last.Sequence, last.Header)
		clocks.note(last)
	}
	if clocks.newest == 0 {
		return nil, nil
	}
	if err := e.readFrom(ctx, subjects, clocks.since(time.Now()), clocks.newest, all); err != nil {
		return nil, fmt.Errorf("stream %s: read what it tells of files: %w", e.options.Stream, err)
	}
	return all.positions(), nil
}

// clocks find out from where on, on the server's clock, messages may tell of files
// what the positions of this host do not, that were true at a time on its own.
type clocks struct {
	from   time.Time     // zero: there are no positions
	ahead  time.Duration // how far the server's clock is, at least
	known  bool          // ahead is
	newest uint64        // sequence number of the last message
	sent   []sending
}

// sending is when a message was sent, on this host's clock.
type sending struct {
	sequence uint64
	at       time.Time
}

func (c *clocks) note(last *jetstream.RawStreamMsg) {
	c.newest = max(c.newest, last.Sequence)
	at, ok := atOf(last.Header)
	if !ok {
		return
	}
	sent := time.Unix(0, at)
	c.sent = append(c.sent, sending{last.Sequence, sent})
	// A message may have been long on its way, so the one that was quickest counts.
	if ahead := last.Time.Sub(sent); !c.known || ahead < c.ahead {
		c.ahead, c.known = ahead, true
	}
}

// since returns the time to read from, zero for all there is. now is that of this
// host's clock.
func (c *clocks) since(now time.Time) time.Time {
	if c.from.IsZero() || !c.known {
		return time.Time{}
	}
	from, before := c.from, time.Time{}
	slices.SortFunc(c.sent, func(a, b sending) int { return cmp.Compare(a.sequence, b.sequence) })
	for _, s := range c.sent {
		// A message that was sent before the positions were true may be newer than
		// these where the clock was set back in between: since one that was sent
		// later came before it, or since it shows less now. One of a source that is
		// quiet is merely old.
		setBack := s.at.Before(before.Add(-readBack)) || now.Before(c.from)
		if (setBack || s.sequence == c.newest) && s.at.Before(from) {
			from = s.at
		}
		if s.at.After(before) {
			before = s.at
		}
	}
	return from.Add(c.ahead - readBack)
}

// readFrom notes what messages from a time to a sequence number tell of files.
func (e *Edge) readFrom(ctx context.Context, subjects string, from time.Time, to uint64, all latest) error {
	settings := jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{subjects}, HeadersOnly: true, InactiveThreshold: forgetAfter,
		MaxResetAttempts: 1, // else it would be made again for ever, whatever becomes of ctx
	}
	if !from.IsZero() {
		settings.DeliverPolicy, settings.OptStartTime = jetstream.DeliverByStartTimePolicy, &from
	}
	c, err := e.stream.OrderedConsumer(ctx, settings)
	if err != nil {
		return err
	}
	messages, err := c.Messages(jetstream.PullExpiry(5 * time.Second))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		waiting, cancel := context.WithTimeout(ctx, answerTime)
		m, err := messages.Next(jetstream.NextContext(waiting))
		cancel()
		if err != nil {
			return err
		}
		about, err := m.Metadata()
		if err != nil {
			return err
		}
		all.note(about.Sequence.Stream, m.Headers())
		if about.Sequence.Stream >= to || about.NumPending == 0 {
			return nil
		}
	}
}

// latest has the newest position of each file.
type latest map[string]newest

type newest struct {
	position Position
	sequence uint64 // of the message that has it
}

func (l latest) note(sequence uint64, header client.Header) {
	at, _ := atOf(header)
	for _, text := range header.Values(headerFile) {
		if p, ok := standsAt([]byte(text)); ok && sequence >= l[p.file].sequence {
			l[p.file] = newest{Position{[]byte(text), at}, sequence}
		}
	}
}

func (l latest) positions() (all []Position) {
	for _, n := range l {
		all = append(all, n.position)
	}
	return all
}

func atOf(header client.Header) (at int64, ok bool) {
	at, err := strconv.ParseInt(header.Get(headerAt), 10, 64)
	return at, err == nil
}

// place is what a position says.
type place struct {
	file   string
	offset int64
	head   string // fingerprint of the file
}

func standsAt(position []byte) (at place, ok bool) {
	var p struct {
		Dev    uint64          `json:"dev"`
		Inode  uint64          `json:"inode"`
		Born   int64           `json:"born"`
		Offset int64           `json:"offset"`
		Head   json.RawMessage `json:"fingerprint"`
	}
	if json.Unmarshal(position, &p) != nil {
		return at, false
	}
	return place{fmt.Sprintf("%x-%x-%x", p.Dev, p.Inode, p.Born), p.Offset, string(p.Head)}, true
}

// lateIn returns what a message has of files.
func lateIn(last *jetstream.RawStreamMsg) map[string]*late {
	all := make(map[string]*late)
	told := last.Header.Values(headerEnd)
	for i, text := range last.Header.Values(headerFile) {
		p, ok := standsAt([]byte(text))
		if !ok {
			continue
		}
		end := p.offset
		if i < len(told) { // the position is that of whole reads, it may be less
			if n, err := strconv.ParseInt(told[i], 10, 64); err == nil {
				end = n
			}
		}
		all[p.file] = &late{end: end, head: p.head}
	}
	return all
}
