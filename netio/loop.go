package netio

import (
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"

	"logwisp/ring"
)

// maxPass is about how long one pass lasts: other events of the loop, and the
// goroutines that share its core, get their turn in between (N7).
const maxPass = time.Millisecond

// standsStill is how long a subscriber that accepts nothing counts among those
// for whom a backlog on disk is held back.
const standsStill = 5 * time.Second

// loop is one event loop's subscribers. Everything that is not an atomic or
// under the mutex is touched by the loop's goroutine only (N1).
type loop struct {
	engine    *Engine
	bellConn  gnet.Conn
	bellFD    int // our end of the bell: a byte written here makes gnet run a pass
	bellMu    sync.RWMutex
	bellGone  bool        // bellFD is closed; under bellMu
	rung      atomic.Bool // a byte is on its way
	due       atomic.Bool // the clocks are to be looked at
	turn      sync.Mutex  // held by whom the loop belongs to at the moment (N1)
	elsewhere bool        // nobody can be made to leave where it is at the moment: dismiss does it
	doomed    bool        // a subscriber has to leave
	ended     bool        // nobody is served any more
	waker     *ring.Waker
	reader    *ring.Reader
	stay      *stay
	poll      *writePoll

	subs []*Subscriber
	byFD map[int]*Subscriber
	next int    // where the next pass goes on
	head uint64 // the head at the start of the round
	busy bool   // somebody was, or may have been, left behind in this round

	reached            uint64 // the furthest entry that somebody who goes on expects, in this round
	behind, wereBehind bool   // somebody had more than one write to take, in this round or the last
	quick              int    // where quickFirst goes on
	quickHead          uint64 // the head it serves up to
	quickLeft          int    // how many it has still to look at for that

	now    time.Time    // time of the pass
	ticked atomic.Int64 // when the clocks were last looked at, since engine.started

	latencies map[*Transport]*histogram

	out batch

	groups map[*selection]*group
	owners int       // groups that may have a block of their own
	scan   scan      // what filters may cost in this pass
	rest   time.Time // until then slow filters rest

	watched   []*group // groups with members that are set aside
	watchNext int      // which of them is next
	watchHead uint64   // the head when they were last looked at
	unwatched bool     // not all of them came to the head

	alarm   *time.Timer // asks for a pass at alarmAt
	alarmAt time.Time

	kicks uint64 // of Engine.kicks, those that were seen to

	roundDraining bool   // draining as it was when the round began
	drainHead     uint64 // the head when draining was first seen: streams end behind it

	mu       sync.Mutex
	answers  []answer // to hellos, from their goroutines
	draining bool
	drained  chan struct{}
	cutOff   atomic.Bool // draining is over: close the rest
}

// newLoop enrols a bell with gnet's least loaded loop.
func newLoop(e *Engine) (*loop, error) {
	fds, err := socketFDs()
	if err != nil {
		return nil, fmt.Errorf("create the bell: %w", err)
	}
	l := &loop{engine: e, bellFD: fds[0], byFD: make(map[int]*Subscriber), groups: make(map[*selection]*group), scan: scan{most: maxScan, slow: slowEntry}, drained: make(chan struct{}), out: batch{most: maxWrite}}
	file := os.NewFile(uintptr(fds[1]), "bell")
	conn, err := net.FileConn(file)
	file.Close()
	if err == nil {
		l.bellConn, err = e.client.EnrollContext(conn, l)
	}
	if err == nil {
		l.poll, err = newWritePoll(l)
	}
	if err != nil {
		closeSocket(fds[0])
		return nil, err
	}
	return l, nil
}

// start lets entries and writable sockets wake the loop.
func (l *loop) start() {
	l.waker = l.engine.ring.NewWaker(l.wake)
	l.reader = l.engine.ring.NewReader()
	l.stay = l.engine.views.newStay()
	l.poll.start()
	l.ring() // the first pass parks the waker
}

// close releases what the loop holds. The loop's goroutine has ended.
func (l *loop) close() {
	l.turn.Lock() // a producer may be on its way
	l.ended = true
	l.closeAll()
	if l.alarm != nil {
		l.alarm.Stop()
	}
	l.turn.Unlock()
	l.poll.close()
	l.bellMu.Lock()
	defer l.bellMu.Unlock()
	l.bellGone = true
	closeSocket(l.bellFD)
}

// ring asks for a pass. However often it is called, one byte is on its way.
// Safe from any goroutine; from within a pass only at its end (N7).
func (l *loop) ring() {
	if !l.rung.CompareAndSwap(false, true) {
		return
	}
	l.bellMu.RLock() // a late wake-up must not write to another owner of the number
	defer l.bellMu.RUnlock()
	if !l.bellGone {
		_, _ = writeSocket(l.bellFD, []byte{0}) // a full pipe has rung already
	}
}

// pass gives every subscriber one write, or as many of them as fit maxPass.
func (l *loop) pass() {
	l.rung.Store(false) // before anything is looked at: what comes now rings again
	l.enter()           // nothing of a page or a view is kept beyond the pass but in N6's rests, whose memory does not come back
	defer l.exit()
	l.now = time.Now()
	l.scan.begin(l.now.Add(maxPass / 4))
	draining := l.takeNews()
	if l.next == 0 { // a round begins: whoever comes up from here on is seen by it or sets busy
		l.head, l.busy, l.roundDraining = l.engine.ring.Head(), false, draining
		l.behind, l.wereBehind = false, l.behind
		l.reached = 0
	} else if l.behind || l.wereBehind {
		l.quickFirst(draining)
	}
	if l.behind || l.wereBehind {
		l.keepAbreast(draining)
	}
	l.scan.extend(l.now.Add(maxScanTime))
	l.watch()
	began := l.now
	if l.scan.done > 0 {
		began = time.Now() // what that took is no fault of those in the list
	}
	l.scan.begin(began.Add(maxScanTime))
	deadline := began.Add(maxPass)
	for l.next < len(l.subs) {
		s, looked := l.subs[l.next], l.scan.done
		waits := s.blocked // there is nothing to do for it: that takes no time
		switch {
		case l.pump(s, draining):
			l.busy = true
			l.behind = l.behind || !s.current
		case s.settles():
			l.setAside(s)
		}
		if !s.gone && !s.aside { // else another one is in its place
			l.next++
			if s.current || l.now.Sub(s.progress) < standsStill {
				l.reached = max(l.reached, s.cursor.Seq())
			}
		}
		large := l.out.bytes >= maxCopy // takes far longer than to look at the clock
		if l.scan.done > looked && l.scan.over() || !waits && (large || l.next&7 == 0) && time.Now().After(deadline) {
			break
		}
	}
	if l.next < len(l.subs) {
		l.ring()
		return
	}
	l.next = 0
	for _, g := range l.watched {
		l.reached = max(l.reached, g.place.Load())
	}
	l.reader.Reach(l.reached)
	if draining && len(l.subs) == 0 {
		l.finishDrain()
	}
	if l.busy || draining != l.roundDraining || !l.waker.Park(l.head) { // N8
		l.ring()
		return
	}
	l.poll.watch()
}

// enter begins a look at pages and views, exit ends it.
func (l *loop) enter() {
	l.reader.Enter()
	l.stay.enter()
}

func (l *loop) exit() {
	l.stay.leave()
	l.reader.Exit()
}

// takeNews takes in what has come since the last pass, and returns whether the
// streams are to end.
func (l *loop) takeNews() (draining bool) {
	if more := l.poll.take(l.unblock); more {
		l.busy = true
	}
	l.takeAnswers()
	l.takeKicks()
	if l.doomed {
		l.dismiss()
	}
	if l.due.Swap(false) {
		l.tick()
	}
	l.mu.Lock()
	draining = l.draining
	l.mu.Unlock()
	if !draining {
		return false
	}
	if l.cutOff.Load() {
		l.closeAll()
	}
	if l.drainHead == 0 {
		l.drainHead = l.engine.ring.Head()
	}
	l.takeAllBack()
	return true
}

// nearPart is of what the ring holds: who is less than that share of it behind
// the head is near it.
const nearPart = 16

// quickFirst serves those near the head before a round goes on whose writes are
// large: one that has little to take must not wait for a hundred that take all
// they can get, and who has fallen a little behind must come back to the head
// rather than into the crowd. It takes a quarter of the pass at most, and of what
// may be scanned for filters.
func (l *loop) quickFirst(draining bool) {
	head := l.engine.ring.Head()
	if head != l.quickHead {
		l.quickHead, l.quickLeft = head, len(l.subs)
	}
	near := (head - min(l.engine.ring.Oldest(), head)) / nearPart
	deadline := l.now.Add(maxPass / 4)
	for n := 0; l.quickLeft > 0 && len(l.subs) > 0; n++ {
		l.quickLeft--
		if l.quick++; l.quick >= len(l.subs) {
			l.quick = 0
		}
		s := l.subs[l.quick]
		if s.current || !s.blocked && head-min(s.cursor.Seq(), head) < near {
			for k := 0; k < fewWrites && !l.scan.part(4) && l.pump(s, draining); k++ {
				l.busy = true
			}
		} else if n&63 != 63 {
			continue
		}
		if l.scan.part(4) || time.Now().After(deadline) {
			return // and goes on in the next pass
		}
	}
}

// unblock takes note that a socket can be written to again, or is broken.
func (l *loop) unblock(fd int, broken bool) {
	s := l.byFD[fd]
	if s == nil {
		return
	}
	s.blocked = false
	l.busy = true
	if s.half && broken && hungUp(s.fd) {
		l.leave(s, leftByItself)
	}
}
