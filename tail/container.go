package tail

import (
	"bytes"

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

// piece is the beginning of a container's line that the runtime has cut.
type piece struct {
	text   []byte
	cut    int64 // bytes beyond the limit of a line
	micros int64 // time of the first piece
	from   int64 // everything before it in the file was sent
}

// unwrap returns what a container's runtime has wrapped, false for a line that
// is not of that form; that one is taken as it is.
func (r *rules) unwrap(w wrapping, line []byte, micros int64) (parse.CRI, bool) {
	switch w {
	case wrappedCRI:
		return parse.ParseCRI(line, micros)
	case wrappedDocker:
		return r.parser.ParseDocker(line, micros)
	}
	return parse.CRI{}, false
}

// wrappingOf tells by one line what the others will be like. It asks for more
// than the form of the line where that might be an application's own: Docker's
// only under a name that Docker gives.
func (r *rules) wrappingOf(f *file, line []byte, micros int64) wrapping {
	if r.parser.Format != parse.Auto {
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

// assemble adds a piece to those of its stream that came before. It returns
// the whole line, valid until the next call, or false when more is to come.
// No more than limit bytes are held.
func (f *file) assemble(c parse.CRI, limit int) (text []byte, cut, micros int64, whole bool) {
	p := &f.pieces[0]
	if string(c.Stream) == "stderr" {
		p = &f.pieces[1]
	}
	if len(p.text) == 0 && p.cut == 0 {
		if !c.Partial {
			return c.Text, 0, c.Micros, true
		}
		p.micros, p.from = c.Micros, f.whole
	}
	room := min(limit-len(p.text), len(c.Text))
	p.text = append(p.text, c.Text[:room]...)
	p.cut += int64(len(c.Text) - room)
	if c.Partial {
		return nil, 0, 0, false
	}
	done := *p
	*p = piece{}
	if n := runeEnd(done.text, len(done.text)); done.cut > 0 && n < len(done.text) {
		done.cut += int64(len(done.text) - n)
		done.text = done.text[:n]
	}
	return done.text, done.cut, done.micros, true
}

// endPieces sends what there is of a container's lines whose end has not come.
func (w *Watcher) endPieces(f *file) {
	for i := range f.pieces {
		p := f.pieces[i]
		if len(p.text) == 0 {
			continue
		}
		f.pieces[i] = piece{}
		d := draft{text: p.text, cut: p.cut, partial: true, micros: p.micros, members: f.membersOf(i == 1)}
		if f.rules.joiner != nil {
			w.join(f, d, i == 1)
		} else {
			w.send(d)
		}
	}
}

// piecesHeld reports whether a container's line is under construction.
func (f *file) piecesHeld() bool {
	return len(f.pieces[0].text) > 0 || len(f.pieces[1].text) > 0
}

// containerMembers returns the members that the path of a container's log adds
// to the tags, for its standard output and its standard error.
func containerMembers(tags []byte, path string) (members [2][]byte) {
	namespace, pod, container, ok := parse.KubernetesPath(path)
	object := bytes.Clone(tags)
	add := func(key, value string) {
		if value == "" {
			return
		}
		if len(object) > 0 {
			object = append(object, ',')
		}
		m, _ := membersOf(key, value)
		object = append(object, m...)
	}
	if ok {
		add("namespace", namespace)
		add("pod", pod)
		add("container", container)
	}
	base := object
	for i, stream := range [...]string{"stdout", "stderr"} {
		object = bytes.Clone(base)
		add("stream", stream)
		members[i] = object
	}
	return members
}

func membersOf(key, value string) ([]byte, error) {
	return members(map[string]string{key: value})
}
