package tail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/fsnotify/fsnotify"

	"logwisp/ring"
	"logwisp/ring/entry"
)

// Watcher finds the files that its targets name, follows them all, and writes
// what they receive to a ring. Run's goroutine owns everything but the
// counters.
type Watcher struct {
	options Options
	roots   []root
	lapsed  []root // targets that there are no more, as of the last change
	ring    *ring.Ring
	log     *slog.Logger
	start   time.Time

	// How lines become entries.
	buf     []byte // one for all files: marker and new bytes
	decoded []byte // what is read, as UTF-8, where it was not
	backlog int64  // unread bytes up to which files are read freely
	behind  int    // files with unread bytes, as last seen
	out     *entry.Writer
	emit    func(entry.Line) // w.entry, bound once
	current *file
	span    span  // of the line at hand, in the current file
	micros  int64 // the time of the read under way

	// What is known.
	names   map[string]*name
	order   []*name // all names, to go round
	files   map[identity]*file
	gone    []*file          // closed, remembered, oldest first
	left    map[string]*file // the rotated file last found at a path that leads nowhere now
	open    openFiles
	budget  int               // descriptors
	stall   time.Duration     // copyStall
	missing map[string]string // what was last said about a target's path
	blind   []string          // directories that could not be listed at the start

	// What is to be done.
	ready       []*file       // to be read, in turn
	timed       []*file       // to be looked at when time passes
	searchAgain time.Duration // when there may be a search after an ordinary rotation
	recheck     bool          // list the targets and look at every name
	held        []*file       // with a backlog that readers have to make room for
	around      time.Duration // when lookAround was last done
	schedule    schedule
	slow        time.Duration // settings.slow
	timer       *time.Timer
	starting    bool // in New: what is there counts as present at the start
	skipping    bool // too many files, said so
	overran     bool // events were lost, said so
	scans       int  // so far

	notify *notifier // nil: no events
	dirs   map[string]*directory
	wanted map[string][]string // directories the listing under way needs, and the paths they are seen by
	links  map[string][]*name  // by what a symbolic link leads to

	stats counters

	clock clock // as files are dated

	saved *saved // positions of an earlier run; nil: none were loaded
	keep  keeper // writes positions
	asks  asks   // for Sources

	changes  chan *change // has one element while settings wait to be taken
	changing bool         // one is being taken
	before   []root       // while it is: the targets until then

	ending <-chan struct{} // Run has to come to an end
}

// settings are what tests change.
type settings struct {
	descriptors int           // 0 = from the process's limit
	slow        time.Duration // how often everything is looked at in spite of events
	stall       time.Duration // copyStall
}

// slowPeriod is how often every file is looked at where events serve: they may
// be lost, and some file systems send none.
const slowPeriod = 5 * time.Second

// New returns a Watcher that writes to r. It finds the files present and takes
// their positions, so that what is written after New returns is not missed;
// nothing is read before Run. A target that does not exist is waited for. The
// errors are those of settings; the message names the key. log must not be
// nil. The caller calls Run, or Close if it never does.
func New(o Options, r *ring.Ring, log *slog.Logger) (*Watcher, error) {
	return newWatcher(o, nil, r, log, settings{})
}

func newWatcher(o Options, c *Checkpoint, r *ring.Ring, log *slog.Logger, s settings) (*Watcher, error) {
	first, err := prepare(o)
	if err != nil {
		return nil, err
	}
	backlog := int64(r.Stats().CapacityBytes / backlogPart)
	w := &Watcher{
		options: o, roots: first.roots, ring: r, log: log, start: time.Now(),
		buf:     make([]byte, markerSize+min(readSize, max(backlog, 16<<10))),
		backlog: backlog,
		out:     entry.NewWriter(r.NewBuilder(), first.intake),
		names:   make(map[string]*name),
		files:   make(map[identity]*file),
		missing: make(map[string]string),
		dirs:    make(map[string]*directory),
		links:   make(map[string][]*name),
		left:    make(map[string]*file),
		budget:  s.descriptors,
		saved:   c.loaded(),
		keep:    keeper{to: c, acked: o.Acked, reached: o.Reached},
		stall:   cmp.Or(s.stall, copyStall),
		asks:    newAsks(),
		slow:    s.slow,
		changes: make(chan *change, 1),
	}
	ring.AdviseHugePages(w.buf) // every byte of every file goes through it
	w.clock.zero = w.start.UnixNano()
	w.emit = w.entry
	if w.budget == 0 {
		w.budget = descriptorBudget()
	}
	if o.Watch == "poll" {
		w.stats.polling.Store(true)
	} else if w.notify, err = newNotifier(); err != nil {
		w.fallBack(err.Error())
	}
	w.schedule = newSchedule(o, s.slow)
	w.setPeriods()
	w.timer = time.NewTimer(0)
	w.starting = true
	w.scan()
	w.catchUp()
	w.starting = false
	w.schedule.scanned(w.now(), 0)
	return w, nil
}

// now is the time since the watcher was made.
func (w *Watcher) now() time.Duration { return time.Since(w.start) }

// queue puts f among the files to be read, unless it is there already.
func (w *Watcher) queue(f *file) {
	if !f.queued && f.phase != closed && !f.refused {
		f.queued = true
		w.ready = append(w.ready, f)
	}
}

// Run follows the files until ctx is done. Then it reads every file once more
// to its end, within a second, publishes what it has and closes everything.
// It returns nil, or the cause when the event queue could not be closed. It is
// called once.
func (w *Watcher) Run(ctx context.Context) error {
	defer w.stats.due.Store(0)
	w.ending = ctx.Done()
	w.keepFirst()
	for {
		w.work(ctx)
		if ctx.Err() != nil {
			w.lastLook()
			w.keepLast()
			w.asks.end(w.sources())
			return w.Close()
		}
		w.wait(ctx)
	}
}

// wait returns when there is something to do.
func (w *Watcher) wait(ctx context.Context) {
	var events <-chan fsnotify.Event
	var lost <-chan struct{}
	if w.notify != nil {
		events, lost = w.notify.events, w.notify.wake
	}
	pause := w.pause()
	w.stats.due.Store(int64(w.now() + pause))
	w.timer.Reset(pause)
	select {
	case <-ctx.Done():
	case e := <-events:
		w.event(e)
	case <-lost:
	case answer := <-w.asks.queue:
		answer <- w.sources()
	case c := <-w.changes:
		w.take(c)
	case <-w.timer.C:
	}
}

// work does what there is to do: reads the files with news in turn, and
// between turns takes events and keeps the schedule.
func (w *Watcher) work(ctx context.Context) {
	for {
		w.stats.due.Store(int64(w.now()))
		w.takeEvents()
		w.takeChange()
		w.keepSchedule()
		w.keepPositions()
		w.answer()
		if len(w.ready) == 0 || ctx.Err() != nil {
			w.out.Publish()
			w.stats.open.Store(int64(w.open.count))
			return
		}
		w.turn()
		if len(w.ready) > 0 {
			w.lookAround()
		}
	}
}

// turn reads the next file.
func (w *Watcher) turn() {
	f := w.ready[0]
	w.ready[0] = nil
	if w.ready = w.ready[1:]; len(w.ready) == 0 {
		w.ready = nil // or the array would creep through memory
	}
	f.queued = false
	if w.heldBack(f) {
		w.hold(f)
	} else if !w.look(f) {
		w.queue(f)
	}
	w.settle()
}

// lastLook reads what was written before the end. Fragments are not sent
// unless their file is gone: their line may go on, but nobody will read it.
func (w *Watcher) lastLook() {
	w.takeEvents()
	w.keep.looked = nowNanos()
	w.checkAll(false) // a rotation may not have been told yet
	deadline := w.now() + time.Second
	for _, f := range w.files {
		for w.mayHaveMore(f) && w.now() < deadline && !w.heldBack(f) && !w.look(f) {
		}
		if f.phase == rotated && !f.dismissed && (f.atEnd || f.fd < 0) {
			w.flush(f)
		} else {
			w.endHeld(f)
		}
	}
	w.out.Publish()
}

// mayHaveMore reports whether it is worth opening f, if it is not open.
func (w *Watcher) mayHaveMore(f *file) bool {
	if f.fd >= 0 {
		return true
	}
	st, err := statPath(f.path)
	return err == nil && st.size != f.pos
}

// Close gives up all descriptors and watches. Run calls it; a Watcher that is
// never run must be closed. Calling it again does nothing.
func (w *Watcher) Close() error {
	w.timer.Stop()
	for _, f := range w.files {
		w.release(f)
	}
	n := w.notify
	w.notify = nil
	if n == nil {
		return nil
	}
	if err := n.close(); err != nil && !errors.Is(err, fsnotify.ErrClosed) {
		return fmt.Errorf("close inotify: %w", err)
	}
	return nil
}
