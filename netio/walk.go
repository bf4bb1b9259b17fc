package netio

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"logwisp/ring"
	"logwisp/ring/filter"
)

const (
	// maxWalks is how many goroutines look at held pages at once; more of them
	// wait. Producers look at every Reader when they use memory again.
	maxWalks = 2
	// maxLookBack is how many bytes are searched for the last entries that pass
	// a filter.
	maxLookBack = 1 << 30
)

const (
	// maxLooking is how many clients may look back at once, those that wait for
	// their turn included, and maxLookingOf how many of one address, if that is not
	// on this machine.
	maxLooking   = 64
	maxLookingOf = 8
)

// ErrLooking is what one more client gets.
var ErrLooking = errors.New("too many clients are looking back: try again later")

// lookers are the clients that look back.
type lookers struct {
	mu  sync.Mutex
	all int
	of  HostCounts // those that are not on this machine
}

// LookBack lets a client at an address read what is held, which may take a while
// and others have to wait for. It returns what is to be called at the end, or
// ErrLooking.
func (e *Engine) LookBack(from netip.Addr) (end func(), err error) {
	if from.Unmap().IsLoopback() {
		from = netip.Addr{}
	}
	k := &e.lookers
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all >= maxLooking || !k.of.Take(from, maxLookingOf) {
		return nil, ErrLooking
	}
	k.all++
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.all--
		k.of.Give(from)
	}, nil
}

// goneTime is for how long a look back goes on for a client that has closed its
// sending side. It may have done so because it has said all that it had to say.
const goneTime = 10 * time.Second

// Gone returns what tells whether nobody waits any more for what is looked for on
// behalf of a connection.
func Gone(c net.Conn) func() bool {
	began := time.Now()
	return func() bool { return time.Since(began) > goneTime && closedSending(c) }
}

// View shows a page that is held: the one with entry seq, or the oldest when
// that is no longer held. It returns false when seq is beyond the head, or the engine closed. visit
// must keep nothing of the page and not wait for anything. Safe for concurrent
// use; not for the event loops.
func (e *Engine) View(seq uint64, visit func(p *ring.Page)) bool {
	rd, open := <-e.walks
	if !open {
		return false
	}
	defer func() { e.walks <- rd }()
	rd.Enter()
	defer rd.Exit()
	c, _ := e.ring.Seek(seq)
	p, _, ok := c.Page()
	if ok {
		visit(&p)
	}
	return ok
}

// Head returns the seq of the newest entry, Oldest that of the oldest held.
func (e *Engine) Head() uint64 { return e.ring.Head() }

// Oldest returns the seq of the oldest entry held.
func (e *Engine) Oldest() uint64 { return e.ring.Oldest() }

// Epoch returns the number that names this run of the ring.
func (e *Engine) Epoch() uint64 { return e.ring.Epoch() }

// Run returns what names the run of numbers in ids.
func (e *Engine) Run() string { return e.ids.Run() }

// SourceName is what filters for this engine are compiled with.
func (e *Engine) SourceName(id uint16) string { return e.ring.SourceName(id) }

// Selective reports whether Last has to read pages to find those that pass f.
func Selective(f *filter.Filter) bool { return f != nil && f.Key() != "" }

// Last is the place of the last n held entries up to entry head that pass f,
// which may be nil; with fewer of them, or when the engine stops or gone, if there
// is one, says so meanwhile, that of the oldest entry looked at. It reads pages, so
// it takes a while.
func (e *Engine) Last(n uint64, f *filter.Filter, head uint64, gone func() bool) Position {
	if n == 0 {
		return At(head + 1)
	}
	if !Selective(f) {
		return At(max(head-min(n, head)+1, e.ring.Oldest()))
	}
	matcher, left := f.NewMatcher(), n
	at, seen := head+1, 0
	for left > 0 && at > 1 && seen < maxLookBack && !e.ending.Load() && (gone == nil || !gone()) {
		before := at
		e.View(at-1, func(p *ring.Page) {
			if p.First >= before {
				return // what was asked for is no longer held
			}
			seen += len(p.Text)
			at = p.First
			if hits := matches(matcher, p, int(before-p.First)); uint64(len(hits)) >= left {
				at, left = p.First+uint64(hits[len(hits)-int(left)]), 0
			} else {
				left -= uint64(len(hits))
			}
		})
		if at == before {
			break
		}
	}
	return At(at)
}

// matches returns the numbers of the first n entries of p that pass.
func matches(m *filter.Matcher, p *ring.Page, n int) []int {
	verdict := m.Page(p)
	if verdict == filter.None {
		return nil
	}
	var hits []int
	for i := range n {
		if verdict == filter.All || m.Match(p, i) {
			hits = append(hits, i)
		}
	}
	return hits
}

// timeLayout is how an entry's time is written.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// Since is the place of the first held entry whose time is not before t, the
// live end when there is none. It reads pages, so it takes a while.
func (e *Engine) Since(t time.Time) Position {
	stamp := []byte(`{"time":"` + t.UTC().Format(timeLayout))
	seq := e.ring.Oldest()
	for found := false; !found && !e.ending.Load(); {
		if !e.View(seq, func(p *ring.Page) {
			for i := range p.Count() {
				if found = notBefore(p.Entry(i), stamp); found {
					seq = p.First + uint64(i)
					return
				}
			}
			seq = p.First + uint64(p.Count())
		}) {
			break
		}
	}
	return At(seq)
}

// notBefore reports whether an entry's time is not before that of stamp. Both
// are in UTC and of one length, so their texts are ordered as they are.
func notBefore(entry, stamp []byte) bool {
	return bytes.Compare(entry[:min(len(entry), len(stamp))], stamp) >= 0
}
