package netio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
	"github.com/panjf2000/gnet/v2/pkg/logging"

	"logwisp/ring"
	"logwisp/ring/record"
)

// Errors of Enroll.
var (
	ErrStopping  = errors.New("the server is stopping")
	ErrFull      = errors.New("the server has as many clients as max_clients allows")
	ErrTooOften  = errors.New("more connections are made than max_connects_per_minute or max_connects_per_minute_per_ip allows")
	ErrDenied    = errors.New("the address may not connect: see acl")
	ErrHandshake = errors.New("the TLS handshake failed")
	ErrToken     = errors.New("a wrong token, or too many of them")
	ErrCrowd     = errors.New("the address has as many clients as max_clients_per_ip allows")
)

// Options are the settings of an Engine.
type Options struct {
	Loops      int   // event loops; 0 = GOMAXPROCS-1, at least one
	ViewBytes  int64 // budget of the views of all forms; 0 = a quarter of the ring
	FromOldest bool  // a subscriber that names no position starts at the oldest entry held
	Version    string
	Names      Names // nil: the ids of entries are the ring's own
	Log        *slog.Logger
}

// Engine owns the event loops and every enrolled subscriber.
type Engine struct {
	options Options
	ring    *ring.Ring
	log     *slog.Logger
	started time.Time
	client  *gnet.Client
	loops   []*loop
	byLoop  map[gnet.EventLoop]*loop
	views   *viewCache
	nextID  atomic.Uint64
	kicks   atomic.Uint64 // subscribers that were to be kicked
	pins    pins

	warnings *clientWarnings

	names Names
	ids   record.IDs // names

	replays     sync.WaitGroup
	replaying   chan struct{} // as many as are under way
	replaysDue  atomic.Int32  // that wait for it
	replayTurn  time.Duration
	replayUntil context.Context
	stopReplays context.CancelFunc

	selections selections
	lookers    lookers
	walks      chan *ring.Reader // of those that look at pages outside the loops

	ending     atomic.Bool // walks end early: enrolments wait for them
	mu         sync.Mutex
	stopping   bool
	enrols     sync.WaitGroup // enrolments in flight: gnet loses one that races its Stop
	reachedAt  time.Time      // when Reached was last asked for
	transports []*Transport
	closeOnce  sync.Once
	ticking    sync.WaitGroup
	tickDone   chan struct{}
}

// New starts an engine that delivers r's entries.
func New(r *ring.Ring, o Options) (*Engine, error) {
	if o.Loops <= 0 {
		o.Loops = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if o.ViewBytes <= 0 {
		o.ViewBytes = int64(r.Stats().CapacityBytes / 4)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{
		options: o, ring: r, names: o.Names, replaying: make(chan struct{}, maxReplays), replayTurn: replayTurn, log: o.Log, started: time.Now(),
		byLoop: make(map[gnet.EventLoop]*loop), views: newViewCache(o.ViewBytes),
		pins:     pins{budget: max(o.ViewBytes, minPinBytes), held: make(map[pinKey]*pin)},
		warnings: newClientWarnings(o.Log),
		tickDone: make(chan struct{}), walks: make(chan *ring.Reader, maxWalks),
	}
	if e.names == nil {
		e.names = own{record.Epoch(r.Epoch()), r}
	}
	e.ids = e.names
	e.replayUntil, e.stopReplays = context.WithCancel(context.Background())
	for range maxWalks {
		e.walks <- r.NewReader()
	}
	client, err := gnet.NewClient(&handler{engine: e},
		gnet.WithNumEventLoop(o.Loops), gnet.WithLogger(quiet{}), gnet.WithLogLevel(logging.FatalLevel))
	if err == nil {
		err = client.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start the event loops: %w", err)
	}
	e.client = client
	for range o.Loops {
		// gnet enrols with the least loaded loop, so each of these meets one
		// that has none yet.
		l, err := newLoop(e)
		if err != nil {
			e.Close()
			return nil, fmt.Errorf("start an event loop: %w", err)
		}
		e.loops = append(e.loops, l)
		e.byLoop[l.bellConn.EventLoop()] = l
	}
	for _, l := range e.loops {
		l.start()
	}
	e.ticking.Go(e.tick)
	return e, nil
}

// tick lets every loop look at its clocks: heartbeats, stuck subscribers.
func (e *Engine) tick() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-e.tickDone:
			return
		case <-ticker.C:
			for _, l := range e.loops {
				l.due.Store(true)
				l.ring()
			}
		}
	}
}

// Transport is one kind of subscriber: what they have in common, and their
// sums.
type Transport struct {
	Name        string // "tcp", "sse"; stands in client ids and metrics
	Form        *Form
	Heartbeat   HeartbeatPolicy
	SendBuffer  int           // SO_SNDBUF in bytes, 0 = the kernel's choice
	SlowTimeout time.Duration // without a byte accepted; 0 = for ever
	MaxClients  int           // 0 = no limit
	PerAddress  int           // of them with one address; 0 = no limit
	Handshake   *Handshake    // nil: what clients send is discarded

	engine *Engine
	rules  atomic.Pointer[rules] // since Register, what of the above counts
	active atomic.Int64          // enrolled, about to be, or gone with its hello still being read
	joined atomic.Uint64         // of them, those that have ever got a place in a loop
	mu     sync.Mutex
	live   map[*Subscriber]struct{}
	from   HostCounts // live ones
	ended  Totals

	losses      Losses       // of those that are gone; under mu
	bytes       uint64       // likewise
	latencies   []*histogram // of the loops; under mu
	disconnects tally
	rejections  tally
}

// Register makes a transport known to the engine. It is called before the
// first Enroll and t must not be changed afterwards, but by Reload.
func (e *Engine) Register(t *Transport) *Transport {
	t.engine = e
	t.rules.Store(&rules{t.Heartbeat, t.SendBuffer, t.SlowTimeout, t.MaxClients, t.PerAddress})
	t.live = make(map[*Subscriber]struct{})
	t.disconnects, t.rejections = newDisconnects(), newRejections()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.transports = append(e.transports, t)
	return t
}

// Room reports whether the transport may have one more subscriber, at an address,
// which may be invalid. Its error is ErrFull or ErrCrowd.
func (t *Transport) Room(from netip.Addr) error {
	r := t.rules.Load()
	if r.maxClients > 0 && t.active.Load() >= int64(r.maxClients) {
		return ErrFull
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.from.Full(from, r.perAddress) {
		return ErrCrowd
	}
	return nil
}

// leave ends a subscriber's part in the sums. Its last counters join the
// totals in the same step in which it stops being live.
func (t *Transport) leave(s *Subscriber) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.live[s]; !ok {
		return
	}
	delete(t.live, s)
	t.from.Give(s.from)
	t.ended.add(s.Totals())
	t.losses.add(s.losses())
	t.bytes += s.bytes.Load()
	if !s.answering { // else what it has asked for still costs: takeAnswers ends that
		t.active.Add(-1)
	}
}

// Drain ends every stream in good order: each subscriber gets what the ring
// holds for it and the disconnect notice, then its connection is closed. When
// ctx ends, the rest is closed as it is. No more subscribers are taken.
func (e *Engine) Drain(ctx context.Context) {
	e.mu.Lock()
	e.stopping = true
	e.mu.Unlock()
	e.ending.Store(true)
	e.enrols.Wait()
	for _, l := range e.loops {
		l.beginDrain() // all of them before the first is waited for
	}
	for _, l := range e.loops {
		l.awaitDrain(ctx)
	}
}

// Close stops the loops and closes what is left. Call Drain before. A second
// call does nothing.
func (e *Engine) Close() { e.closeOnce.Do(e.close) }

func (e *Engine) close() {
	e.mu.Lock()
	e.stopping = true
	e.mu.Unlock()
	e.ending.Store(true)
	e.stopReplays()
	e.enrols.Wait()
	close(e.tickDone)
	e.ticking.Wait()
	for _, l := range e.loops {
		if l.waker != nil { // New failed before the loop was started
			l.waker.Close()
		}
	}
	for range maxWalks {
		(<-e.walks).Close()
	}
	close(e.walks)
	if err := e.client.Stop(); err != nil {
		e.log.Warn("stop the event loops", "error", err)
	}
	e.replays.Wait() // no loop begins one now, and they ring
	for _, l := range e.loops {
		l.close()
		if l.reader != nil {
			l.reader.Close() // only now is nobody inside, a producer that delivers at once either
		}
	}
}
