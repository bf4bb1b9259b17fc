package netio

import (
	"sync"
	"time"
)

// minPinBytes is the least budget for shared pages kept for half-written
// entries: a small ring must be able to carry long entries too.
const minPinBytes = 8 << 20

// pinKey is the memory that is kept: its first byte. One entry may be in several,
// as views are built anew.
type pinKey *byte

// pins counts the memory of long entries that subscribers have half written,
// each once however many stand in it (N6).
type pins struct {
	budget int64

	mu    sync.Mutex
	held  map[pinKey]*pin
	bytes int64
}

// spared is for how long a client may stand still in mid-entry in any case.
const spared = time.Second

type pin struct {
	refs  int
	bytes int64
}

func (p *pins) hold(key pinKey, bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.held[key]
	if h == nil {
		h = &pin{bytes: int64(bytes)}
		p.held[key] = h
		p.bytes += h.bytes
	}
	h.refs++
}

func (p *pins) release(key pinKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.held[key]
	if h.refs--; h.refs == 0 {
		delete(p.held, key)
		p.bytes -= h.bytes
	}
}

// over reports whether more than the budget is kept, and much whether it is twice
// as much.
func (p *pins) over() (over, much bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes > p.budget, p.bytes > 2*p.budget
}

// makeRoom disconnects the subscribers that have stood still the longest while
// the pages kept for half-written entries exceed their budget (N6). Those who have
// not stood still for long are spared as long as that can be: the memory may be kept
// for those of other loops, which look once a second as well.
func (l *loop) makeRoom() {
	for over, much := l.engine.pins.over(); over; over, much = l.engine.pins.over() {
		var oldest *Subscriber
		for _, s := range l.subs {
			if s.shared && s.blocked && (much || l.now.Sub(s.progress) >= spared) && (oldest == nil || s.progress.Before(oldest.progress)) {
				oldest = s
			}
		}
		if oldest == nil {
			return
		}
		l.engine.warnings.Warn("client disconnected: it stands still in mid-entry and memory for that is used up",
			"client", oldest.id, "address", oldest.address)
		l.leave(oldest, leftSlow)
	}
}
