package tail

import (
	"time"

	"logwisp/ring"
	"logwisp/ring/parse"
	"logwisp/ring/record"
)

// begin sets what the entries to come have in common: the file, and one
// reading of the clock.
func (w *Watcher) begin(f *file) {
	w.current = f
	w.micros = time.Now().UnixMicro()
}

// entry takes one line of the current file. Most files' lines are entries as
// they stand.
func (w *Watcher) entry(l line) {
	f := w.current
	r := f.rules
	if f.wrapping == unseen {
		f.wrapping = r.wrappingOf(l.text, w.micros)
		if f.wrapping != bare {
			f.members = containerMembers(r.tags, f.path, nil)
		}
	}
	if f.wrapping == bare && r.joiner == nil && !r.strip {
		w.send(draft{text: l.text, cut: l.cut, partial: l.partial, micros: w.micros, members: r.tags})
		return
	}
	w.prepare(f, l)
}

// draft is what becomes an entry.
type draft struct {
	text    []byte // may be empty when bytes were cut off
	cut     int64
	partial bool
	micros  int64  // its time where the text has none
	members []byte // for the fields
}

// prepare takes off what is around a line's text, and puts pieces together.
func (w *Watcher) prepare(f *file, l line) {
	d := draft{text: l.text, cut: l.cut, partial: l.partial, micros: w.micros}
	from := noStream
	if c, ok := f.rules.unwrap(f.wrapping, l.text, w.micros); ok {
		w.label(f, c.Attrs)
		p, whole := f.assemble(c, l.cut, int(w.options.MaxLineBytes))
		if !whole {
			return
		}
		d.text, d.cut, d.micros = p.text, p.cut, p.micros
		from = streamOf(c.Stream)
	}
	w.accept(f, d, from)
}

// accept sends a line that has nothing around it any more, or joins it with
// others.
func (w *Watcher) accept(f *file, d draft, from stream) {
	if f.rules.strip {
		d.text = f.rules.parser.StripANSI(d.text)
	}
	if blank(d.text) && d.cut == 0 {
		return
	}
	if f.rules.joiner == nil {
		d.members = f.membersOf(from)
		w.send(d)
		return
	}
	w.join(f, d, from)
}

// membersOf returns what the tags and the container add to the fields.
func (f *file) membersOf(from stream) []byte {
	if f.wrapping == bare {
		return f.rules.tags
	}
	return f.members[from]
}

// join adds a line to the entry under construction, or sends that and begins
// another.
func (w *Watcher) join(f *file, d draft, from stream) {
	g, j := &f.group, f.rules.joiner
	if g.lines > 0 && (from != g.stream || g.lines >= j.maxLines ||
		len(g.text)+1+len(d.text) > int(w.options.MaxLineBytes) || len(d.text) > 0 && !j.continues(g, d.text)) {
		w.endGroup(f)
	}
	if g.lines == 0 {
		g.micros, g.stream, g.from = d.micros, from, f.whole
	} else {
		g.text = append(g.text, '\n')
	}
	g.text = append(g.text, d.text...)
	g.lines++
	g.cut += d.cut
	if g.part = d.partial; g.part {
		w.endGroup(f)
	}
}

// endGroup sends the entry under construction, if there is one.
func (w *Watcher) endGroup(f *file) {
	g := f.group
	if g.lines == 0 {
		return
	}
	f.group = group{}
	w.send(draft{text: g.text, cut: g.cut, partial: g.part, micros: g.micros, members: f.membersOf(g.stream)})
	if cap(g.text) <= 4<<10 {
		f.group.text = g.text[:0] // most are short and follow each other
	}
}

// endHeld sends the whole lines that wait for more.
func (w *Watcher) endHeld(f *file) {
	if f.group.lines == 0 && !f.piecesHeld() {
		return
	}
	w.begin(f)
	w.endPieces(f, w.now())
	w.endGroup(f)
	w.told()
	f.settle(nil)
}

// send parses a draft and puts it into the page under construction.
func (w *Watcher) send(d draft) {
	f := w.current
	var r parse.Result // on the stack: pointers written to the heap cost more
	f.rules.parser.Line(d.text, d.micros, &r)
	if (w.intake != nil || f.rules.limiter != nil) && !w.pass(&d, &r) {
		return
	}
	e := record.Entry{
		Micros: d.micros, Source: f.source, Level: r.Level,
		Message: r.Message, Quoted: r.Quoted, Fields: r.Fields,
		Partial: d.partial, Truncated: d.cut,
	}
	if r.HasTime {
		e.Micros = r.Micros
	}
	if d.members != nil {
		w.merged = merge(w.merged[:0], r.Fields, d.members)
		e.Fields = w.merged
	}
	text := w.encoder.Append(w.builder.Text(), &e)
	w.builder.Add(text, f.sourceID, r.Level)
	w.lines++
	w.levels[r.Level]++
	if d.cut > 0 {
		w.stats.cut.Add(1)
	}
	if len(d.text) > 0 && d.text[0] == '{' && !r.Quoted && r.Fields == nil && len(r.Message) == len(d.text) {
		w.stats.parseErrors.Add(1)
	}
	if w.builder.Full() {
		w.builder.PublishMore() // told wakes the readers
	}
}

// pass applies [filter] and the target's limit to a parsed line. What is
// redacted is parsed anew.
func (w *Watcher) pass(d *draft, r *parse.Result) bool {
	if !w.admit(d.text, r.Level) {
		return false
	}
	if len(d.text) == 0 {
		return true
	}
	if clean := w.intake.Redact(d.text); len(clean) != len(d.text) || &clean[0] != &d.text[0] {
		d.text = clean
		w.current.rules.parser.Line(d.text, d.micros, r)
	}
	return true
}

// told makes the entries of a read known, once for all of them: to the counters
// and to readers that sleep.
func (w *Watcher) told() {
	w.stats.lines.Add(w.lines)
	if f := w.current; w.lines > 0 {
		f.entries += w.lines
		f.last = w.micros
		for level, n := range w.levels {
			if n > 0 {
				w.stats.levels[level].Add(n)
			}
		}
		clear(w.levels[:])
	}
	w.lines = 0
	w.builder.Wake()
}

// settle publishes what was collected unless another file is about to add to
// it: a page waits for company only while there is work to do anyway.
func (w *Watcher) settle() {
	if len(w.ready) == 0 || len(w.builder.Text()) >= ring.PageTarget/2 {
		w.builder.Publish()
	}
}
