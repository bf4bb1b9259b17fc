package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"logwisp/ring/entry"
	"logwisp/ring/parse"
)

// Batch is the body of one POST /ingest.
type Batch struct {
	Body        []byte
	ContentType string
	Source      string // of entries that name none; "" = Peer
	Peer        string // the sender's host
}

// Outcome says what became of a Batch: entries were made of the accepted lines,
// unless [filter] kept them out.
type Outcome struct {
	Accepted int         `json:"accepted"`
	Rejected int         `json:"rejected"`
	Errors   []Rejection `json:"errors,omitempty"` // the first maxErrors
}

// Rejection says why there is no entry of a line.
type Rejection struct {
	Line  int    `json:"line"` // from 1; in an array the element
	Error string `json:"error"`
}

// maxErrors is how many rejections are told.
const maxErrors = 10

// ErrStopping is what Post returns after Stop.
var ErrStopping = errors.New("the daemon is stopping")

// Post takes in lines: those of JSON when the content type says so, one a line
// or as an array, else of any kind. All of it is in the ring when Post returns.
func (s *Server) Post(b Batch) (Outcome, error) {
	var outcome Outcome
	done := make(chan struct{})
	if !s.start(func() {
		defer close(done)
		outcome = s.take(b)
	}) {
		return Outcome{}, ErrStopping
	}
	<-done
	return outcome, nil
}

// batch is a Batch at work.
type batch struct {
	origin
	server *Server
	worker *worker
	taken  int // bytes in this turn
	number int // of the line or element
	Outcome
}

func (s *Server) take(given Batch) Outcome {
	in := s.post
	in.stats.accepted.Add(1)
	in.stats.bytes.Add(uint64(len(given.Body)))
	name := given.Source
	if name == "" {
		name = given.Peer
	}
	b := &batch{origin: s.newOrigin(in, name), server: s}
	b.begin()
	body := bytes.TrimPrefix(given.Body, []byte("\xef\xbb\xbf"))
	media, _, _ := strings.Cut(given.ContentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	isJSON := strings.HasPrefix(media, "application/") && strings.Contains(media, "json")
	switch text := bytes.TrimSpace(body); {
	case len(text) > 0 && text[0] == '[' && (isJSON || media != "text/plain" && json.Valid(text)):
		b.array(text)
	case media == "application/json" && json.Valid(text):
		b.number = 1
		b.element(text)
	default:
		b.lines(body, isJSON)
	}
	b.end()
	return b.Outcome
}

func (b *batch) begin() {
	b.worker = b.server.workers.take()
	b.worker.begin(b.in)
	b.taken = 0
}

func (b *batch) end() {
	b.publish(b.worker)
	b.server.workers.give(b.worker)
}

// turn lets others have the worker when this batch has had it for long.
func (b *batch) turn(n int) {
	if b.taken += n; b.taken > readSize {
		b.end()
		b.begin()
	}
}

func (b *batch) reject(why string) {
	b.Rejected++
	b.in.stats.rejected.Add(1)
	if len(b.Errors) < maxErrors {
		b.Errors = append(b.Errors, Rejection{b.number, why})
	}
}

// lines takes a body of lines.
func (b *batch) lines(body []byte, isJSON bool) {
	var lines entry.Splitter
	emit := func(l entry.Line) {
		l.Partial = false // the end of the body ends the line
		b.accept(l, isJSON)
	}
	for len(body) > 0 {
		b.number++
		n := bytes.IndexByte(body, '\n') + 1
		if n == 0 {
			n = len(body)
		}
		lines.Feed(body[:n], b.in.room(), emit)
		b.turn(n)
		body = body[n:]
	}
	lines.Flush(b.in.room(), emit)
}

// array takes a body that is an array of JSON.
func (b *batch) array(body []byte) {
	elements := json.NewDecoder(bytes.NewReader(body))
	_, err := elements.Token()
	for elements.More() {
		b.number++
		var element json.RawMessage
		if err = elements.Decode(&element); err != nil {
			break
		}
		b.element(element)
		b.turn(len(element))
	}
	if err == nil {
		_, err = elements.Token()
	}
	if err == nil && elements.More() {
		b.number++
		err = errors.New("there is more behind the array")
	}
	if err != nil {
		if err == io.ErrUnexpectedEOF || err == io.EOF {
			err = errors.New("the array has no end")
		}
		b.reject(err.Error() + "; what follows is left out")
	}
}

// element takes one element of an array: an entry, or a line in a string.
func (b *batch) element(element []byte) {
	switch {
	case len(element) > b.in.room():
		b.reject("longer than the limit of a line")
	case element[0] == '{':
		b.accept(entry.Line{Text: element}, true)
	case element[0] == '"':
		var text string
		_ = json.Unmarshal(element, &text) // it is valid
		if !entry.Blank([]byte(text)) {
			b.accept(entry.Line{Text: []byte(text)}, false)
		}
	default:
		b.reject("want an object or a string")
	}
}

// accept makes an entry of a line, unless it was to be JSON and is not.
func (b *batch) accept(l entry.Line, isJSON bool) {
	w := b.worker
	w.parser.Format = parse.Auto
	if isJSON {
		w.parser.Format = parse.JSON
		if l = b.bounded(w, l); l.Cut > 0 {
			b.reject("longer than the limit of a line")
			return
		}
		if !json.Valid(l.Text) || bytes.TrimLeft(l.Text, " \t\r\n")[0] != '{' {
			b.reject("not a JSON object")
			return
		}
	}
	b.Accepted++
	b.line(w, l)
}
