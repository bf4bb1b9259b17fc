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

// entry turns one line of the current file into an entry of the page under
// construction.
func (w *Watcher) entry(l line) {
	var r parse.Result // on the stack: pointers written to the heap cost more
	w.parser.Line(l.text, w.micros, &r)
	e := record.Entry{
		Micros: w.micros, Source: w.current.source, Level: r.Level,
		Message: r.Message, Quoted: r.Quoted, Fields: r.Fields,
		Partial: l.partial, Truncated: l.cut,
	}
	if r.HasTime {
		e.Micros = r.Micros
	}
	text := w.encoder.Append(w.builder.Text(), &e)
	w.builder.Add(text, w.current.sourceID, r.Level)
	w.lines++
	if l.cut > 0 {
		w.stats.cut.Add(1)
	}
	if l.text[0] == '{' && !r.Quoted && r.Fields == nil && len(r.Message) == len(l.text) {
		w.stats.parseErrors.Add(1)
	}
	if w.builder.Full() {
		w.builder.PublishMore() // told wakes the readers
	}
}

// told makes the entries of a read known, once for all of them: to the counters
// and to readers that sleep.
func (w *Watcher) told() {
	w.stats.lines.Add(w.lines)
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
