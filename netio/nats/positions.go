package nats

import (
	"context"
	"encoding/json"
	"fmt"
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

const (
	// readBack is how much earlier than the checkpoint the stream is read from,
	// since the clocks of servers and host differ.
	readBack = 5 * time.Second
	// readAtAll is how far it is read back where there is no checkpoint.
	readAtAll = time.Hour
)

// Positions returns how far the files of this host are in the stream (J3): those
// of the last message of each subject and of all that came since kept, when the
// positions were true that the caller has; zero: it has none. The error says why
// that cannot be known now. It is called before there is anything to carry.
func (e *Edge) Positions(ctx context.Context, kept time.Time) ([]Position, error) {
	if err := e.open(ctx); err != nil {
		return nil, err
	}
	subjects := e.options.Stream + "." + token(e.options.Host) + ".>"
	asking, cancel := context.WithTimeout(ctx, 6*answerTime)
	defer cancel()
	info, err := e.stream.Info(asking, jetstream.WithSubjectFilter(subjects))
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", e.options.Stream, err)
	}
	all := latest{}
	var newest *jetstream.RawStreamMsg
	for name := range info.State.Subjects {
		s := e.of(name)
		last, err := e.lookUp(asking, s)
		if err != nil {
			return nil, err
		}
		if last == nil {
			continue
		}
		s.ends = endsIn(last)
		all.note(last.Sequence, last.Header)
		if newest == nil || last.Sequence > newest.Sequence {
			newest = last
		}
	}
	if newest == nil {
		return nil, nil
	}
	if err := e.readFrom(ctx, subjects, since(newest, kept), newest.Sequence, all); err != nil {
		return nil, fmt.Errorf("stream %s: read what it tells of files: %w", e.options.Stream, err)
	}
	return all.positions(), nil
}

// since returns from where on, on the server's clock, messages may tell of
// files what the positions of kept, on this host's clock, do not.
func since(newest *jetstream.RawStreamMsg, kept time.Time) time.Time {
	at, ok := atOf(newest.Header)
	if kept.IsZero() || !ok {
		return newest.Time.Add(-readAtAll)
	}
	sent := time.Unix(0, at)
	if kept.After(sent) {
		kept = sent
	}
	return newest.Time.Add(kept.Sub(sent) - readBack)
}

// readFrom notes what messages from a time to a sequence number tell of files.
func (e *Edge) readFrom(ctx context.Context, subjects string, from time.Time, to uint64, all latest) error {
	c, err := e.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{subjects}, HeadersOnly: true,
		DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &from,
	})
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
		if file, _, ok := standsAt(text); ok && sequence >= l[file].sequence {
			l[file] = newest{Position{[]byte(text), at}, sequence}
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

// standsAt returns of which file a position is, and its offset.
func standsAt(position string) (file string, offset int64, ok bool) {
	var p struct {
		Dev    uint64 `json:"dev"`
		Inode  uint64 `json:"inode"`
		Born   int64  `json:"born"`
		Offset int64  `json:"offset"`
	}
	if json.Unmarshal([]byte(position), &p) != nil {
		return "", 0, false
	}
	return fmt.Sprintf("%x-%x-%x", p.Dev, p.Inode, p.Born), p.Offset, true
}

// endsIn returns how far each file is in the stream according to a message, which
// may be nil.
func endsIn(last *jetstream.RawStreamMsg) map[string]int64 {
	ends := make(map[string]int64)
	if last == nil {
		return ends
	}
	told := last.Header.Values(headerEnd)
	for i, text := range last.Header.Values(headerFile) {
		file, end, ok := standsAt(text)
		if !ok {
			continue
		}
		if i < len(told) { // the position is that of whole reads, it may be less
			if n, err := strconv.ParseInt(told[i], 10, 64); err == nil {
				end = n
			}
		}
		ends[file] = end
	}
	return ends
}
