package netio

import "sync"

// minPinBytes is the least budget for shared pages kept for half-written
// entries: a small ring must be able to carry long entries too.
const minPinBytes = 8 << 20

// pinKey names an entry as one selection has it, or a batch, which is its
// subscriber's own.
type pinKey struct {
	selection *selection
	seq       uint64
	owner     *Subscriber // nil: all share it
}

// pins counts the memory of long entries that subscribers have half written,
// each once however many stand in it (N6).
type pins struct {
	budget int64

	mu    sync.Mutex
	held  map[pinKey]*pin
	bytes int64
}

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

func (p *pins) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes > p.budget
}

// makeRoom disconnects the subscribers that have stood still the longest while
// the pages kept for half-written entries exceed their budget (N6).
func (l *loop) makeRoom() {
	for l.engine.pins.over() {
		var oldest *Subscriber
		for _, s := range l.subs {
			if s.shared && s.blocked && (oldest == nil || s.progress.Before(oldest.progress)) {
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
