package netio

import (
	"bytes"
	"strconv"
	"strings"

	"logwisp/ring"
	"logwisp/ring/record"
)

// Position says where in the ring a stream starts. The zero value is the live
// end, or the oldest entry held where the engine was told so.
type Position struct {
	kind positionKind
	seq  uint64
}

type positionKind uint8

const (
	atDefault positionKind = iota
	atLive
	atOldest
	atEntry
	behindEntry  // resumes: what is no longer held is told as a gap
	behindNobody // resumes with an id that means nothing here: told as a reset
)

// Latest is the live end, Earliest the oldest entry held.
var (
	Latest   = Position{kind: atLive}
	Earliest = Position{kind: atOldest}
)

// At is entry seq, or what is still held behind it.
func At(seq uint64) Position { return Position{atEntry, seq} }

// Resume is the place behind the entry with an id. An id that is not of this
// run of the stream starts anew at the oldest entry held; the subscriber is told.
func (e *Engine) Resume(id string) Position {
	if seq, ok := e.seqOf(id); ok {
		return Position{behindEntry, seq}
	}
	return Position{kind: behindNobody}
}

// WellFormed reports whether a text looks like an id, of whatever run.
func WellFormed(id string) bool {
	epoch, seq, ok := strings.Cut(id, "-")
	_, err := strconv.ParseUint(epoch, 10, 64)
	_, err2 := strconv.ParseUint(seq, 10, 64)
	return ok && err == nil && err2 == nil
}

// seqOf returns the number of the entry with an id of this epoch that is not
// beyond the head.
func (e *Engine) seqOf(id string) (uint64, bool) {
	rest, ok := strings.CutPrefix(id, strconv.FormatUint(e.ring.Epoch(), 10)+"-")
	seq, err := strconv.ParseUint(rest, 10, 64)
	return seq, ok && err == nil && seq <= e.ring.Head()
}

// place is a Position looked up.
type place struct {
	cursor  ring.Cursor
	missed  uint64 // entries that were asked for and are no longer held
	resumed uint64 // the entry behind which the stream was asked to go on; 0 = was not
	gap     bool   // missed is told as a gap
	reset   bool
}

// locate looks a position up.
func (l *loop) locate(p Position) place {
	r := l.engine.ring
	if p.kind == atDefault {
		p.kind = atLive
		if l.engine.options.FromOldest {
			p.kind = atOldest
		}
	}
	switch p.kind {
	case atEntry:
		c, lost := r.Seek(p.seq)
		return place{cursor: c, missed: lost}
	case behindEntry:
		c, lost := r.Seek(p.seq + 1)
		return place{cursor: c, missed: lost, resumed: p.seq, gap: lost > 0}
	case atOldest, behindNobody:
		c, _ := r.Seek(r.Oldest())
		return place{cursor: c, reset: p.kind == behindNobody}
	}
	return place{cursor: r.Live()}
}

// tellStart queues the notices of where a stream starts, if that is not where
// it was asked to.
func (s *Subscriber) tellStart(p *place) {
	epoch := s.loop.engine.ring.Epoch()
	switch {
	case p.reset && s.form.Reset != nil:
		s.control = s.form.Reset(s.control, "epoch")
	case p.gap && s.form.Gap != nil:
		s.control = s.form.Gap(s.control, &record.Gap{
			Epoch: epoch, Requested: p.resumed, Resumed: p.cursor.Seq(), Missed: p.missed,
		})
	case p.missed > 0 && !p.gap && s.form.Drop != nil:
		s.lossFrom, s.lossTo = p.cursor.Seq()-p.missed, p.cursor.Seq()-1
	}
}

// timeKey is how an entry begins whose time is to be compared.
const timeKey = `{"time":"`

// notBefore reports whether an entry's time is not before stamp, which is
// written as in an entry: both are in UTC and of one length, so their texts
// compare as they do.
func notBefore(entry []byte, stamp string) bool {
	if len(entry) < len(timeKey)+len(stamp) {
		return true
	}
	return bytes.Compare(entry[len(timeKey):len(timeKey)+len(stamp)], []byte(stamp)) >= 0
}
