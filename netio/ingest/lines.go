package ingest

import (
	"bytes"

	"logwisp/ring/entry"
	"logwisp/ring/parse"
)

// origin is where lines come from.
type origin struct {
	in      *input
	sources sources
	peer    *source // of lines that name none
	tags    []byte  // members for the fields
	ids     bool    // lastID is wanted
	named   bool    // lastID is that of the line at hand already
	lastID  []byte  // of the last entry that had one
}

// newOrigin returns an origin whose lines, if neither they nor the input name a
// source, have that name.
func (s *Server) newOrigin(in *input, name string) origin {
	if in.source != "" {
		name = in.source
	}
	return origin{in: in, sources: sources{ring: s.ring}, peer: newSource(s.ring, name), tags: in.tags}
}

// publish ends a turn: it counts what became of its lines, and publishes them.
func (o *origin) publish(w *worker) {
	n := w.out.Take()
	o.in.stats.became.Add(&n)
	if o.sources.other > 0 {
		o.in.stats.other.Add(o.sources.other)
		o.sources.other = 0
	}
	w.out.Publish()
}

// room is how long a line may be, in bytes, before it is cut where it comes in: an
// entry in our own form is longer than the line it was made of, whose limit, that of
// the daemon it comes from, may be the same as here. Most escapes are of two bytes.
func (in *input) room() int {
	if in.syslog {
		return in.limit
	}
	return 2*in.limit + 4<<10
}

// bounded cuts a line at the limit, unless it is a whole entry in our own form for
// which there is room.
func (o *origin) bounded(w *worker, l entry.Line) entry.Line {
	whole := l.Cut == 0 && !l.Partial && len(l.Text) <= o.in.room()
	if len(l.Text) <= o.in.limit || whole && w.parser.IsOwn(l.Text) {
		return l
	}
	var cutter entry.Splitter
	cutter.Hold(l.Text, o.in.limit)
	cutter.End(l.Partial, o.in.limit, func(short entry.Line) {
		short.Cut += l.Cut
		l = short
	})
	return l
}

// line makes an entry of a line. On a syslog input the line is a message.
func (o *origin) line(w *worker, l entry.Line) {
	if len(l.Text) > o.in.limit {
		l = o.bounded(w, l)
	}
	d := entry.Draft{Text: l.Text, Cut: l.Cut, Partial: l.Partial, Micros: w.micros, Members: o.tags}
	from := o.peer
	switch {
	case o.in.syslog:
		from = o.message(w, &d)
	case isHeartbeat(l.Text):
		return
	}
	var r parse.Result // on the stack: pointers written to the heap cost more
	passes := w.out.Parse(&w.parser, &d, &r)
	if o.ids && !o.named && r.ID != nil {
		o.lastID = append(o.lastID[:0], r.ID...)
	}
	if !passes {
		return
	}
	if r.Source != nil {
		from = o.sources.named(r.Source)
	}
	d.Source, d.SourceID = from.name, from.id
	w.out.Write(&d, &r)
}

// whole makes an entry of a text whose end is known.
func (o *origin) whole(w *worker, text []byte) {
	if len(text) > o.in.limit || !entry.Blank(text) {
		o.line(w, entry.Line{Text: text})
	}
}

// message takes off a draft what a syslog message says beside its text. What is
// not one is taken as it is, and counted.
func (o *origin) message(w *worker, d *entry.Draft) *source {
	m, ok := w.parser.ParseSyslog(d.Text, w.micros)
	if !ok {
		o.in.stats.malformed.Add(1)
		return o.peer
	}
	d.Text, d.Micros, d.Level, d.Members = m.Text, m.Micros, m.Level, m.Members
	if tags := o.tags; tags != nil {
		w.header = append(append(append(w.header[:0], '{'), m.Members...), '}')
		w.members = entry.Merge(w.members[:0], w.header, tags)
		d.Members = w.members[1 : len(w.members)-1]
	}
	if m.Hostname == nil || o.in.source != "" {
		return o.peer
	}
	return o.sources.named(w.out.Redact(m.Hostname))
}

// isHeartbeat reports whether a line is what another LogWisp sends when it has
// nothing to say.
func isHeartbeat(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte(`{"type":"heartbeat"`))
	return ok && (string(rest) == "}" || bytes.HasPrefix(rest, []byte(`,"timestamp":"`)) || bytes.HasPrefix(rest, []byte(`,"active_clients":`)))
}
