package entry

import (
	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/parse"
	"logwisp/ring/record"
)

// Draft is what becomes an entry.
type Draft struct {
	Text     []byte     // may be empty when bytes were cut off
	Cut      int64      // bytes that were cut off
	Partial  bool       // the line had no end
	Micros   int64      // its time where the text has none
	Level    ring.Level // its level, unless the text is JSON or logfmt
	Members  []byte     // for the fields, without braces; what the text says counts
	Source   string
	SourceID uint16
}

// Writer makes entries and adds them to pages of the ring. Its owner publishes
// the last of them, and wakes the readers (see ring.Builder.PublishMore). One
// goroutine at a time uses a Writer.
type Writer struct {
	*ring.Builder
	filter  *filter.Intake
	encoder record.Encoder
	merged  []byte // fields and what is merged into them
	counts  Counts

	members, json, values, message jsonText // without what is redacted
	text, unescaped                []byte   // the same of a line that is no JSON
}

// NewWriter returns a Writer of pages of b that lets pass what f, which may be
// nil, admits.
func NewWriter(b *ring.Builder, f *filter.Intake) *Writer {
	return &Writer{Builder: b, filter: f}
}

// SetFilter has what is parsed from now on go through f, which may be nil.
func (w *Writer) SetFilter(f *filter.Intake) { w.filter = f }

// Parse parses d into r and reports whether it may become an entry. What is
// redacted is taken out of both.
func (w *Writer) Parse(p *parse.Parser, d *Draft, r *parse.Result) bool {
	w.line(p, d, r)
	if w.filter == nil {
		return true
	}
	if !w.filter.Admit(d.Text, r.Level) {
		w.counts.Filtered++
		return false
	}
	if w.filter.Redacts() {
		d.Members = w.members.redacted(d.Members, w.filter, true)
		w.redact(p, d, r)
	}
	return true
}

// Redact returns a name that a line gives without what is redacted, valid until the
// next call of the Writer.
func (w *Writer) Redact(name []byte) []byte { return w.filter.Redact(name) }

func (w *Writer) line(p *parse.Parser, d *Draft, r *parse.Result) {
	p.Line(d.Text, d.Micros, r)
	if d.Level != ring.LevelUnknown && (r.Level == ring.LevelUnknown || whole(d, r)) {
		r.Level = d.Level
	}
}

// whole reports whether all of the text is the message.
func whole(d *Draft, r *parse.Result) bool {
	return !r.Quoted && r.Fields == nil && len(r.Message) == len(d.Text)
}

// Write makes an entry of what Parse has parsed.
func (w *Writer) Write(d *Draft, r *parse.Result) {
	e := record.Entry{
		Micros: d.Micros, Source: d.Source, Level: r.Level,
		Message: r.Message, Quoted: r.Quoted, Fields: r.Fields,
		Partial: d.Partial, Truncated: d.Cut,
	}
	if r.HasTime {
		e.Micros = r.Micros
	}
	if d.Members != nil {
		w.merged = Merge(w.merged[:0], r.Fields, d.Members)
		e.Fields = w.merged
	}
	text := w.encoder.Append(w.Text(), &e)
	w.Add(text, d.SourceID, r.Level)
	w.counts.Lines++
	w.counts.Levels[r.Level]++
	if d.Cut > 0 {
		w.counts.Cut++
	}
	if len(d.Text) > 0 && d.Text[0] == '{' && whole(d, r) {
		w.counts.ParseErrors++
	}
	if w.Full() {
		w.PublishMore() // the owner wakes the readers
	}
}

// Take returns what was counted since the last call.
func (w *Writer) Take() Counts {
	c := w.counts
	w.counts = Counts{}
	return c
}
