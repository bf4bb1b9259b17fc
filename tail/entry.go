package tail

import (
	"time"

	"logwisp/ring"
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
	w.parser.Line(l.text, w.micros, &w.result)
	r, e := &w.result, &w.record
	e.Micros = w.micros
	if r.HasTime {
		e.Micros = r.Micros
	}
	e.Source = w.current.source
	e.Level, e.Message, e.Quoted, e.Fields = r.Level, r.Message, r.Quoted, r.Fields
	e.Partial, e.Truncated = l.partial, l.cut
	text := w.encoder.Append(w.builder.Text(), e)
	w.builder.Add(text, w.current.sourceID, r.Level)
	w.stats.lines.Add(1)
	if l.cut > 0 {
		w.stats.cut.Add(1)
	}
	if l.text[0] == '{' && !r.Quoted && r.Fields == nil && len(r.Message) == len(l.text) {
		w.stats.parseErrors.Add(1)
	}
	if w.builder.Full() {
		w.builder.Publish()
	}
}

// settle publishes what was collected unless another file is about to add to
// it: a page waits for company only while there is work to do anyway.
func (w *Watcher) settle() {
	if len(w.ready) == 0 || len(w.builder.Text()) >= ring.PageTarget/2 {
		w.builder.Publish()
	}
}
