package netio

import (
	"bytes"
	"context"
	"errors"
	"time"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// A subscriber whose id is older than the ring, where the ring follows a stream
// that has more, is sent what lies between from there. A goroutine brings it in
// pieces, each of which is written like what a socket has not taken of an entry
// before; when the last is written, the subscriber goes on in the ring. The
// goroutine waits while a piece is not written, so a replay costs three of them.

const (
	// maxReplays is how many are under way in an engine at once; more wait.
	maxReplays = 32
	// replayTurn is for how long one is while others wait: a client may take hours to
	// read what it has asked for.
	replayTurn = 5 * time.Second
	// pieceBytes is about the size of a piece.
	pieceBytes = 32 << 10
)

// replay is one under way. Its goroutine writes pieces and what is below.
type replay struct {
	pieces chan piece
	cancel context.CancelFunc

	next uint64 // once pieces is closed: where to go on in the ring
	err  error
}

// piece is the text of some entries.
type piece struct {
	text    []byte
	passing int // entries in it
	covered int // entries it is done with
}

// startReplay has a goroutine bring what follows an id.
func (l *loop) startReplay(s *Subscriber, id string) {
	ctx, cancel := context.WithCancel(l.engine.replayUntil)
	rp := &replay{pieces: make(chan piece, 1), cancel: cancel}
	p := player{loop: l, replay: rp, id: id, form: s.form, batched: s.batching != nil}
	if f := s.group.filter; f != nil {
		p.matcher = f.NewMatcher()
	}
	if s.bounds != nil {
		p.left = s.bounds.limit
		p.limited = p.left > 0
	}
	s.replay = rp
	l.engine.replays.Go(func() {
		defer cancel()
		defer l.ring()
		defer close(rp.pieces)
		for rp.err = errTurn; rp.err == errTurn; {
			rp.next, rp.err = p.turn(ctx)
		}
	})
}

// errTurn ends a turn while there is more to replay.
var errTurn = errors.New("others wait")

// turn brings what follows the last piece for as long as nobody waits. A piece that the
// client has no room for yet is its own affair.
func (p *player) turn(ctx context.Context) (next uint64, err error) {
	e := p.loop.engine
	if p.kept.covered > 0 {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case p.replay.pieces <- p.kept:
			p.kept = piece{}
			p.loop.ring()
		}
	}
	e.replaysDue.Add(1)
	select {
	case e.replaying <- struct{}{}:
		e.replaysDue.Add(-1)
	case <-ctx.Done():
		e.replaysDue.Add(-1)
		return 0, ctx.Err()
	}
	defer func() { <-e.replaying }()
	p.until = time.Now().Add(e.replayTurn)
	return e.names.Replay(ctx, p.id, func(page *ring.Page, from int, ids record.IDs) error {
		return p.show(ctx, page, from, ids)
	})
}

// player makes pieces of pages.
type player struct {
	loop    *loop
	replay  *replay
	form    *Form
	batched bool
	matcher *filter.Matcher // nil: every entry passes
	limited bool
	left    uint64

	id    string    // what was asked for follows it, or the last piece does
	kept  piece     // that is to be sent first
	until time.Time // when the turn is over, if others wait
}

func (p *player) show(ctx context.Context, page *ring.Page, from int, ids record.IDs) error {
	verdict := filter.All
	if p.matcher != nil {
		verdict = p.matcher.Page(page)
	}
	var out piece
	send := func(last uint64) error {
		if p.batched && p.form.Batch != nil && len(out.text) > 0 {
			out.text = p.form.Batch(nil, ids, last, bytes.TrimSuffix(out.text, []byte("\n")))
		}
		err := p.send(ctx, out)
		if err == errTurn {
			p.id = string(ids.AppendID(nil, last))
		}
		out = piece{}
		return err
	}
	last := uint64(0)
	for i := from; i < page.Count(); i++ {
		if p.limited && p.left == 0 {
			break
		}
		seq := page.First + uint64(i)
		last = seq
		out.covered++
		if verdict == filter.All || verdict == filter.Some && p.matcher.Match(page, i) {
			out.passing++
			p.left-- // without a limit it means nothing
			if p.form.Entry == nil {
				out.text = append(out.text, page.Entry(i)...)
			} else {
				out.text = p.form.Entry(out.text, ids, seq, page.Entry(i))
			}
		}
		if len(out.text) >= pieceBytes {
			if err := send(seq); err != nil {
				return err
			}
		}
	}
	if out.covered == 0 {
		return nil
	}
	return send(last)
}

// send hands a piece over. It returns errTurn when that, or what follows it, is for
// another turn.
func (p *player) send(ctx context.Context, out piece) error {
	over := time.NewTimer(time.Until(p.until))
	defer over.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p.replay.pieces <- out:
			p.loop.ring()
			if p.loop.engine.replaysDue.Load() > 0 && time.Now().After(p.until) {
				return errTurn
			}
			return nil
		case <-over.C:
			if p.loop.engine.replaysDue.Load() > 0 {
				p.kept = out
				return errTurn
			}
			over.Reset(p.loop.engine.replayTurn / 8)
		}
	}
}

// composeReplay takes the next piece of what s is replayed, if there is one by
// now, and returns whether s has nothing to do until it is woken.
func (l *loop) composeReplay(s *Subscriber) (waits bool) {
	if bd := s.bounds; bd != nil && bd.rate > 0 && bd.tokens < 1 {
		// A piece may be more than there are tokens: the next one waits for them.
		l.wakeAt(l.now.Add(time.Duration((1 - bd.tokens) / bd.rate * float64(time.Second))))
		return true
	}
	select {
	case p, more := <-s.replay.pieces:
		if !more {
			if s.replay.err != nil && l.engine.replayUntil.Err() != nil {
				return true // it is the end of the daemon, not of the replay: the goodbye follows
			}
			l.endReplay(s)
			return false
		}
		s.restPassing, s.restCovered = p.passing, p.covered
		if len(p.text) == 0 {
			s.replayed(p.passing, p.covered)
			return false
		}
		s.setRest(p.text, long(p.text))
		l.out.begin()
		l.out.add(s.rest)
		return false
	default:
		return true
	}
}

// replayed counts a piece that is done with.
func (s *Subscriber) replayed(passing, covered int) {
	s.earlier += uint64(covered)
	if passing > 0 {
		s.deliver(passing)
	}
	if n := covered - passing; n > 0 {
		s.filtered.Add(uint64(n))
	}
	s.note()
}

// endReplay has s go on in the ring.
func (l *loop) endReplay(s *Subscriber) {
	rp := s.replay
	s.replay = nil
	r := l.engine.ring
	if rp.err != nil {
		if s.form.Reset != nil {
			s.control = s.form.Reset(s.control, "expired")
		}
		l.engine.warnings.Warn("what a client asked for cannot be had any more: it goes on with the oldest entry held",
			"client", s.id, "address", s.address, "error", rp.err)
		rp.next = r.Oldest()
	}
	c, lost := r.Seek(rp.next)
	s.cursor, s.start = c, c.Seq()-lost
	s.note()
	if lost > 0 {
		s.drop(lost)
	}
}

// stopReplay gives up one that is under way.
func (s *Subscriber) stopReplay() {
	if s.replay != nil {
		s.replay.cancel()
		s.replay = nil
	}
}
