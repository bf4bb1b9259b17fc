package nats

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"logwisp/ring"
	"logwisp/ring/entry"
	"logwisp/ring/filter"
	"logwisp/ring/parse"
)

// fillShare is how much of the ring a Hub fills with what the stream holds when
// it starts.
const fillShare = 0.5

// HubBuffer is about how many bytes of messages a Hub asks for in advance.
const HubBuffer = 16 << 20

// followAgain is how long to wait after something has failed.
const followAgain = 500 * time.Millisecond

// expansion is about how much more an entry takes in a ring than in its stream.
const expansion = 1.1

// Settings are those of a Hub beyond its URL.
type Settings struct {
	MaxLineBytes int                  // longer lines are cut
	Filter       filter.IntakeOptions // keeps entries out
	Alone        bool                 // nothing else publishes to the ring: ids are the stream's
}

// Hub puts what a stream receives into a ring.
type Hub struct {
	options  *Options
	settings Settings
	ring     *ring.Ring
	log      *slog.Logger
	names    *names
	decoder  *decoder
	filter   atomic.Pointer[filter.IntakeOptions] // for the messages to come
	intake   *filter.IntakeOptions                // that the decoder has
	next     uint64                               // sequence number of the message to come
	problem  string                               // said last
	consumer string                               // of the messages; the library makes a new one when it has to

	mu        sync.Mutex // of what is below; conn is there once Run has begun
	conn      *client.Conn
	js        jetstream.JetStream
	created   time.Time // when the stream was that is followed; zero: none is
	interrupt func()    // ends follow

	counts     entry.Totals
	messages   atomic.Uint64
	lost       atomic.Uint64
	pending    atomic.Uint64
	reconnects atomic.Uint64
	sequence   atomic.Uint64
	held       atomic.Pointer[jetstream.StreamState]
	limits     atomic.Pointer[jetstream.StreamConfig]
}

// NewHub returns a Hub for a ring. Nothing happens before Run.
func NewHub(o *Options, s Settings, r *ring.Ring, log *slog.Logger) *Hub {
	h := &Hub{options: o, settings: s, ring: r, log: log.With("input", "nats stream "+o.Stream)}
	h.filter.Store(&s.Filter)
	h.names = newNames(o.Stream, r, r.Head()+1)
	h.decoder = newDecoder(r, r.NewBuilder(), s.MaxLineBytes, h.names)
	return h
}

// Reload prepares another filter of what is taken.
func (h *Hub) Reload(o filter.IntakeOptions) (apply func(), err error) {
	if _, err := o.Intake(); err != nil {
		return nil, err
	}
	return func() { h.filter.Store(&o) }, nil
}

// Run follows the stream until ctx ends. It connects again whenever it has to,
// for ever. The error is one of the settings.
func (h *Hub) Run(ctx context.Context) error {
	conn, js, err := connect(h.options, "logwisp hub "+h.options.Host, h.log, func() { h.reconnects.Add(1) })
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)() // the library asks for a consumer again whatever becomes of ctx
	h.mu.Lock()
	h.conn, h.js = conn, js
	h.mu.Unlock()
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { h.watch(ctx) })
	for ctx.Err() == nil {
		if err := h.follow(ctx); err != nil && ctx.Err() == nil {
			h.say(err)
			select {
			case <-ctx.Done():
			case <-time.After(followAgain):
			}
		}
	}
	return nil
}

// say tells of a problem once.
func (h *Hub) say(err error) {
	if h.problem != err.Error() {
		h.problem = err.Error()
		h.log.Warn("the stream cannot be followed, will be tried again", "error", err)
	}
}

// follow takes what comes from the stream until something fails.
func (h *Hub) follow(ctx context.Context) error {
	if err := connected(h.conn); err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	stream, err := h.js.Stream(asking, h.options.Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("there is no stream %s: an edge creates it when it starts", h.options.Stream)
	}
	if err != nil {
		return err
	}
	info := stream.CachedInfo()
	h.note(info)
	if h.next == 0 {
		h.next = h.beginning(&info.State)
		h.names.passed(h.next << lineBits)
		h.mu.Lock()
		h.created = info.Created
		h.mu.Unlock()
	}
	if err := h.same(info); err != nil {
		return err
	}
	if last := info.State.LastSeq; h.next > last+1 {
		return fmt.Errorf("stream %s ends at message %d, and %d is the next to come: was something older put back in its place? Start this daemon anew for that", h.options.Stream, last, h.next)
	}
	_, messages, err := ordered(ctx, stream, h.next, jetstream.PullMaxBytes(HubBuffer))
	if err != nil {
		return err
	}
	defer messages.Stop()
	following, interrupt := context.WithCancel(ctx)
	defer interrupt()
	h.mu.Lock()
	h.interrupt = interrupt
	h.mu.Unlock()
	for {
		// Stop from elsewhere would miss the iterator that the library puts in place
		// of one that has failed.
		m, err := messages.Next(jetstream.NextContext(following))
		if following.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if h.problem != "" {
			h.problem = ""
			h.log.Info("the stream is followed again", "server", h.conn.ConnectedUrlRedacted())
		}
		if err := h.take(ctx, m); err != nil {
			return err
		}
	}
}

// same returns an error when a stream is not the one that was followed so far. The
// library asks for what comes next in whatever has the name, and says nothing.
func (h *Hub) same(info *jetstream.StreamInfo) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.created.IsZero() || info.Created.Equal(h.created) {
		return nil
	}
	return fmt.Errorf("stream %s was deleted and created again at %s, its numbers, of which ids are made, begin anew: start this daemon anew for it", h.options.Stream, info.Created.Format(time.RFC3339))
}

// ordered returns a consumer and an iterator over a stream from a message on, with so
// much of it asked for in advance. What fails is told at once: the library would try for ever,
// with nobody hearing of it, and could not be stopped meanwhile.
func ordered(ctx context.Context, stream jetstream.Stream, from uint64, ahead jetstream.PullMessagesOpt) (jetstream.Consumer, jetstream.MessagesContext, error) {
	c, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(from, 1), MaxResetAttempts: 1,
	})
	if err != nil {
		return nil, nil, err
	}
	messages, err := c.Messages(ahead, jetstream.PullExpiry(5*time.Second))
	return c, messages, err
}

// beginning returns the message to begin with, so that what there is fills a
// part of the ring.
func (h *Hub) beginning(state *jetstream.StreamState) uint64 {
	if state.Msgs == 0 {
		return state.LastSeq + 1
	}
	room := float64(h.ring.Stats().CapacityBytes) * fillShare / expansion
	n := uint64(room / (float64(state.Bytes) / float64(state.Msgs)))
	if n >= state.LastSeq {
		return state.FirstSeq
	}
	return max(state.FirstSeq, state.LastSeq+1-n)
}

// take puts a message's entries into the ring.
func (h *Hub) take(ctx context.Context, m jetstream.Msg) error {
	about, err := m.Metadata()
	if err != nil {
		return err
	}
	if about.Consumer != h.consumer {
		if err := h.stillSame(ctx); err != nil {
			return err
		}
		h.consumer = about.Consumer
	}
	at := about.Sequence.Stream
	if at < h.next {
		return nil // had before
	}
	if missed := at - h.next; missed > 0 {
		h.lost.Add(missed)
		h.log.Error("the stream has deleted messages before they could be read: raise its limits, or look what holds this hub up", "messages", missed)
	}
	if o := h.filter.Load(); o != h.intake {
		h.intake = o
		intake, _ := o.Intake() // was tried
		h.decoder.out.SetFilter(intake)
	}
	h.decoder.message(about, m.Headers(), m.Data())
	h.decoder.out.Publish()
	n := h.decoder.out.Take()
	h.counts.Add(&n)
	h.messages.Add(1)
	h.next = at + 1
	h.sequence.Store(at)
	h.pending.Store(about.NumPending)
	h.names.passed(h.next << lineBits)
	return nil
}

// check ends follow when the stream is another one by now.
func (h *Hub) check(info *jetstream.StreamInfo) {
	if h.same(info) == nil {
		return
	}
	h.mu.Lock()
	interrupt := h.interrupt
	h.mu.Unlock()
	if interrupt != nil {
		interrupt()
	}
}

// stillSame returns an error unless the stream is known to be the one that was
// followed so far.
func (h *Hub) stillSame(ctx context.Context) error {
	_, err := h.sameStream(ctx)
	return err
}

// note keeps what is known of the stream, for Stats.
func (h *Hub) note(info *jetstream.StreamInfo) {
	h.held.Store(&info.State)
	h.limits.Store(&info.Config)
}

// decoder makes entries of messages.
type decoder struct {
	ring    *ring.Ring // whose numbers sources have
	out     *entry.Writer
	parser  parse.Parser
	names   *names
	limit   int
	unnamed []byte // the source of entries that name none: the stream
	sources map[string]source
	hosts   map[string][]byte // members for the fields
}

// source is what a name stands for.
type source struct {
	name string
	id   uint16
}

// maxKnown bounds the maps of a decoder: beyond it they begin anew.
const maxKnown = 4096

func newDecoder(r *ring.Ring, b *ring.Builder, limit int, n *names) *decoder {
	return &decoder{
		ring: r, out: entry.NewWriter(b, nil), parser: parse.Parser{Own: true}, names: n, limit: limit, unnamed: []byte(n.stream),
		sources: make(map[string]source), hosts: make(map[string][]byte),
	}
}

// message makes entries of the lines of one message. The caller publishes the
// last of them.
func (d *decoder) message(about *jetstream.MsgMetadata, header client.Header, data []byte) {
	members := d.hostOf(header.Get(headerHost))
	micros := about.Timestamp.UnixMicro() // the same on every hub, and whenever it is read
	number := about.Sequence.Stream << lineBits
	last := number | (1<<lineBits - 1) // what is beyond has no number of its own (J4): it is one line
	for len(data) > 0 {
		line, rest, found := bytes.Cut(data, []byte("\n"))
		if number == last && found {
			line, rest = bytes.TrimSuffix(data, []byte("\n")), nil
		}
		data = rest
		if line = bytes.TrimSuffix(line, []byte("\r")); len(line) > 0 {
			d.line(number, line, members, micros)
		}
		number++
	}
}

func (d *decoder) line(number uint64, line, members []byte, now int64) {
	cut := int64(0)
	if d.limit > 0 && len(line) > d.limit && (len(line) > 2*d.limit+4096 || !d.parser.IsOwn(line)) { // an entry of ours is longer than its line
		whole := len(line)
		line = entry.Cut(line, d.limit)
		cut = int64(whole - len(line))
	}
	draft := entry.Draft{Text: line, Cut: cut, Micros: now, Members: members}
	var r parse.Result
	if entry.Blank(line) || !d.out.Parse(&d.parser, &draft, &r) {
		return
	}
	from := r.Source
	if from == nil {
		from = d.unnamed
	}
	s := d.sourceOf(from)
	draft.Source, draft.SourceID = s.name, s.id
	d.names.add(number)
	d.out.Write(&draft, &r)
}

func (d *decoder) sourceOf(name []byte) source {
	s, ok := d.sources[string(name)]
	if !ok {
		if len(d.sources) >= maxKnown {
			clear(d.sources)
		}
		s = source{name: string(name)}
		s.id = d.ring.Source(s.name)
		d.sources[s.name] = s
	}
	return s
}

// hostOf returns what a host adds to the fields of entries that name none.
func (d *decoder) hostOf(host string) []byte {
	if host == "" {
		return nil
	}
	members, ok := d.hosts[host]
	if !ok {
		if len(d.hosts) >= maxKnown {
			clear(d.hosts)
		}
		members, _ = entry.Members(map[string]string{"host": host}) // too long: it is left out
		d.hosts[host] = members
	}
	return members
}
