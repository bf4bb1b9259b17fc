package netio

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"logwisp/ring"
	"logwisp/ring/record"
)

// Position says where in the ring a stream starts. The zero value is the live
// end, or the oldest entry held where the engine was told so.
type Position struct {
	kind positionKind
	seq  uint64
	id   string // of behindOlder
}

type positionKind uint8

const (
	atDefault positionKind = iota
	atLive
	atOldest
	atEntry
	behindEntry  // resumes: what is no longer held is told as a gap
	behindOlder  // resumes behind an entry that is not in the ring, but to be had
	behindNobody // resumes with an id that means nothing here: told as a reset
)

// Latest is the live end, Earliest the oldest entry held.
var (
	Latest   = Position{kind: atLive}
	Earliest = Position{kind: atOldest}
)

// At is entry seq, or what is still held behind it.
func At(seq uint64) Position { return Position{kind: atEntry, seq: seq} }

// Resume is the place behind the entry with an id. An id that is not of this
// run of the stream starts anew at the oldest entry held; the subscriber is told.
func (e *Engine) Resume(id string) Position {
	switch seq, held, own := e.names.Find(id); {
	case held:
		return Position{kind: behindEntry, seq: seq}
	case own:
		return Position{kind: behindOlder, id: id}
	}
	return Position{kind: behindNobody}
}

// From is the place that a client names: earliest, latest or an id, behind
// which it resumes.
func (e *Engine) From(text string) (Position, error) {
	switch text {
	case "earliest":
		return Earliest, nil
	case "latest":
		return Latest, nil
	}
	run, number, _ := cutLast(text, "-")
	if _, err := strconv.ParseUint(number, 10, 64); err != nil || run == "" {
		return Position{}, errors.New("neither earliest, latest nor an id, which is <epoch>-<seq>")
	}
	return e.Resume(text), nil
}

// ParseSince reads the time that a client names, a duration before now or a time
// of RFC 3339.
func ParseSince(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.UTC().Year() < 0 || t.UTC().Year() > 9999 {
		return t, errors.New("want a duration such as 90s, 5m or 2h, or a time such as 2024-01-01T12:00:00Z")
	}
	return t, nil
}

// cutLast is strings.Cut at the last separator: the name of a run may have some.
func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}

// place is a Position looked up.
type place struct {
	cursor  ring.Cursor
	missed  uint64 // entries that were asked for and are no longer held
	resumes bool   // the stream goes on behind entry resumed, as was asked: missed is a gap
	resumed uint64
	reset   bool
	older   string // what follows this id comes first, from where it is to be had
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
		return place{cursor: c, missed: lost, resumes: true, resumed: p.seq}
	case atOldest, behindNobody, behindOlder:
		c, _ := r.Seek(r.Oldest())
		return place{cursor: c, reset: p.kind == behindNobody, older: p.id}
	}
	return place{cursor: r.Live()}
}

// tellStart queues the notices of where a stream starts, if that is not where
// it was asked to.
func (s *Subscriber) tellStart(p *place) {
	switch {
	case p.reset && s.form.Reset != nil:
		s.control = s.form.Reset(s.control, "epoch")
	case p.missed == 0:
	case p.resumes && s.form.Gap != nil:
		s.control = s.form.Gap(s.control, &record.Gap{
			IDs: s.loop.engine.ids, Requested: p.resumed, Resumed: p.cursor.Seq(), Missed: p.missed,
		})
	case !p.resumes && s.form.Drop != nil:
		s.lossFrom, s.lossTo = p.cursor.Seq()-p.missed, p.cursor.Seq()-1
	}
}
