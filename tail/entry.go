package tail

import (
	"time"

	"logwisp/ring"
	"logwisp/ring/entry"
	"logwisp/ring/parse"
)

// begin sets what the entries to come have in common: the file, and one
// reading of the clock.
func (w *Watcher) begin(f *file) {
	w.current = f
	w.micros = time.Now().UnixMicro()
}

// entry takes one line of the current file. Most files' lines are entries as
// they stand.
func (w *Watcher) entry(l entry.Line) {
	f := w.current
	w.span.take(f)
	r := f.rules
	if f.wrapping == unseen {
		f.wrapping = r.wrappingOf(l.Text, w.micros)
		if f.wrapping != bare {
			f.members = containerMembers(r.tags, f.path, nil)
		}
	}
	if f.wrapping == bare && r.joiner == nil && !r.strip {
		w.send(&entry.Draft{Text: l.Text, Cut: l.Cut, Partial: l.Partial, Micros: w.micros, Members: r.tags})
		return
	}
	w.prepare(f, l)
}

// prepare takes off what is around a line's text, and puts pieces together.
func (w *Watcher) prepare(f *file, l entry.Line) {
	d := entry.Draft{Text: l.Text, Cut: l.Cut, Partial: l.Partial, Micros: w.micros}
	from := noStream
	if c, ok := f.rules.unwrap(f.wrapping, l.Text, w.micros); ok {
		w.label(f, c.Attrs)
		p, whole := f.assemble(c, w.span.start, l.Cut, int(w.options.MaxLineBytes))
		if !whole {
			return
		}
		d.Text, d.Cut, d.Micros = p.text, p.cut, p.micros
		w.span.start = p.from
		from = streamOf(c.Stream)
	}
	w.accept(f, d, from)
}

// accept sends a line that has nothing around it any more, or joins it with
// others.
func (w *Watcher) accept(f *file, d entry.Draft, from stream) {
	if f.rules.strip {
		d.Text = f.rules.parser.StripANSI(d.Text)
	}
	if entry.Blank(d.Text) && d.Cut == 0 {
		return
	}
	if f.rules.joiner == nil {
		d.Members = f.membersOf(from)
		w.send(&d)
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
func (w *Watcher) join(f *file, d entry.Draft, from stream) {
	g, j := &f.group, f.rules.joiner
	if g.lines > 0 && (from != g.stream || g.lines >= j.maxLines ||
		len(g.text)+1+len(d.Text) > int(w.options.MaxLineBytes) || len(d.Text) > 0 && !j.continues(g, d.Text)) {
		line := w.span.end
		w.span.end = w.span.start // this line is not in it
		w.endGroup(f)
		w.span.end = line
	}
	if g.lines == 0 {
		g.micros, g.stream, g.from = d.Micros, from, w.span.start
	} else {
		g.text = append(g.text, '\n')
	}
	g.text = append(g.text, d.Text...)
	g.lines++
	g.cut += d.Cut
	if g.part = d.Partial; g.part {
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
	w.send(&entry.Draft{Text: g.text, Cut: g.cut, Partial: g.part, Micros: g.micros, Members: f.membersOf(g.stream)})
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
	w.span.end = f.ended
	w.endPieces(f, w.now())
	w.endGroup(f)
	f.settle(nil)
	w.told()
}

// send makes an entry of a draft, unless it is filtered or sampled.
func (w *Watcher) send(d *entry.Draft) {
	f := w.current
	d.Source, d.SourceID = f.source, f.sourceID
	var r parse.Result // on the stack: pointers written to the heap cost more
	if !w.out.Parse(&f.rules.parser, d, &r) {
		return
	}
	if l := f.rules.limiter; l != nil && !l.Allow() {
		w.stats.sampled.Add(1)
		return
	}
	if w.out.Len() == 0 {
		w.makeRoom()
	}
	if o := w.options.Origins; o != nil {
		o.add(f, w.span.end)
	}
	w.out.Write(d, &r)
}

// told makes the entries of a read known, once for all of them: to the counters
// and to readers that sleep.
func (w *Watcher) told() {
	n := w.out.Take()
	w.stats.became.Add(&n)
	if f := w.current; n.Lines > 0 {
		f.entries += n.Lines
		f.last = w.micros
	}
	if o := w.options.Origins; o != nil {
		o.settle(w.current)
		o.forget(w.keep.acked())
	}
	w.out.Wake()
}

// settle publishes what was collected unless another file is about to add to
// it: a page waits for company only while there is work to do anyway.
func (w *Watcher) settle() {
	if len(w.ready) == 0 || len(w.out.Text()) >= ring.PageTarget/2 {
		w.out.Publish()
	}
}
