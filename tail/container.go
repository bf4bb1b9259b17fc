package tail

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
	"unicode/utf8"

	"logwisp/ring/entry"
	"logwisp/ring/parse"
)

// wrapping says what a container runtime has put around a file's lines. The
// first line of a file decides.
type wrapping uint8

const (
	unseen wrapping = iota
	bare
	wrappedCRI    // TIME stdout F TEXT
	wrappedDocker // {"log":"TEXT\n","stream":"stdout","time":"TIME"}
)

// stream is where a container's line was written to.
type stream uint8

const (
	noStream stream = iota // no runtime says
	stdout
	stderr
)

// streamOf returns the stream of a name that a runtime gave.
func streamOf(name []byte) stream {
	if string(name) == "stderr" {
		return stderr
	}
	return stdout
}

// piece is the beginning of a container's line that the runtime has cut.
type piece struct {
	text   []byte
	cut    int64         // bytes beyond the limit of a line
	micros int64         // time of the first piece
	from   int64         // everything before it in the file was sent
	grown  time.Duration // when the last piece came
}

// unwrap returns what a container's runtime has wrapped, false for a line that
// is not of that form; that one is taken as it is.
func (r *rules) unwrap(w wrapping, line []byte, micros int64) (parse.CRI, bool) {
	switch w {
	case wrappedCRI:
		return parse.ParseCRI(line, micros)
	case wrappedDocker:
		c, ok := r.parser.ParseDocker(line, micros)
		return c, ok && len(c.Attrs) <= entry.MaxTags // or it would be kept thrice
	}
	return parse.CRI{}, false
}

// unwraps reports whether containers' lines are looked for.
func (r *rules) unwraps() bool { return r.parser.Format == parse.Auto }

// wrappingOf tells by one line what the others will be like.
func (r *rules) wrappingOf(line []byte, micros int64) wrapping {
	if !r.unwraps() {
		return bare
	}
	if _, ok := parse.ParseCRI(line, micros); ok {
		return wrappedCRI
	}
	if _, ok := r.parser.ParseDocker(line, micros); ok {
		return wrappedDocker
	}
	return bare
}

// held reports whether there is a piece.
func (p *piece) held() bool { return len(p.text) > 0 || p.cut > 0 }

// add appends text, of which lost more bytes were cut off already, as far as
// the limit goes. Nothing is appended behind what was cut.
func (p *piece) add(text []byte, lost int64, limit int) {
	room := 0
	if p.cut == 0 {
		room = max(0, min(limit-len(p.text), len(text))) // the limit may have become less
	}
	p.text = append(p.text, text[:room]...)
	p.cut += int64(len(text)-room) + lost
}

// take returns what was assembled and leaves nothing.
func (p *piece) take() piece {
	whole := *p
	*p = piece{}
	if whole.cut > 0 {
		n := len(whole.text) - runeBegun(whole.text)
		whole.cut += int64(len(whole.text) - n)
		whole.text = whole.text[:n]
	}
	return whole
}

// runeBegun returns how many bytes at the end of b begin a rune that is not
// all there.
func runeBegun(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if end := b[len(b)-n:]; utf8.RuneStart(end[0]) {
			if utf8.FullRune(end) {
				return 0
			}
			return n
		}
	}
	return 0
}

// assemble adds a piece, which begins at offset from and of which cut bytes are
// missing, to those of its stream that came before. It returns the whole line, valid until the next call, or
// false when more is to come. No more than limit bytes are held.
func (f *file) assemble(c parse.CRI, from, cut int64, limit int) (piece, bool) {
	p := &f.pieces[streamOf(c.Stream)-stdout]
	if !p.held() {
		if !c.Partial {
			return piece{text: c.Text, cut: cut, micros: c.Micros, from: from}, true
		}
		p.micros, p.from = c.Micros, from
	}
	p.add(c.Text, cut, limit)
	p.grown = f.grown
	if c.Partial {
		return piece{}, false
	}
	return p.take(), true
}

// endPieces sends what there is of the containers' lines to which nothing came
// after upTo.
func (w *Watcher) endPieces(f *file, upTo time.Duration) {
	for i := range f.pieces {
		if p := &f.pieces[i]; p.held() && p.grown <= upTo {
			whole := p.take()
			w.span.start = whole.from
			w.accept(f, entry.Draft{Text: whole.text, Cut: whole.cut, Partial: true, Micros: whole.micros}, stdout+stream(i))
		}
	}
}

// piecesHeld reports whether a container's line is under construction.
func (f *file) piecesHeld() bool { return f.pieces[0].held() || f.pieces[1].held() }

// label takes what Docker says of the container beside each line. It is the
// same in all of them, unless another container was given the file.
func (w *Watcher) label(f *file, attrs []byte) {
	if !bytes.Equal(attrs, f.attrs) {
		w.endGroup(f)
		f.attrs = bytes.Clone(attrs)
		f.members = containerMembers(f.rules.tags, f.path, f.attrs)
	}
}

// containerMembers returns the tags and the members that the path of a
// container's log and what Docker says of it add to them, by stream. Of two
// with one key the tag counts.
func containerMembers(tags []byte, path string, attrs []byte) (byStream [3][]byte) {
	namespace, pod, container, ok := parse.KubernetesPath(path)
	var own map[string]json.RawMessage
	_ = json.Unmarshal(slices.Concat([]byte("{"), tags, []byte("}")), &own) // they were marshalled
	object := bytes.Clone(tags)
	add := func(key string, value []byte) {
		if _, given := own[key]; given || value == nil {
			return
		}
		if len(object) > 0 {
			object = append(object, ',')
		}
		object = append(append(append(append(object, '"'), key...), `":`...), value...)
	}
	if ok {
		add("namespace", quoted(namespace))
		add("pod", quoted(pod))
		add("container", quoted(container))
	}
	add("attrs", attrs)
	base := object
	for i, name := range [...]string{"", "stdout", "stderr"} {
		object = bytes.Clone(base)
		add("stream", quoted(name))
		byStream[i] = object
	}
	return byStream
}

// quoted returns a name, which has nothing to be escaped, as JSON; nil for "".
func quoted(name string) []byte {
	if name == "" {
		return nil
	}
	return []byte(`"` + name + `"`)
}
