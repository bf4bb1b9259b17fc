package tcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"time"
	"unicode"

	"logwisp/netio"
	"logwisp/netio/access"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// maxNameBytes is how long a client's name may be.
const maxNameBytes = 128

// hello is the line with which a client shapes its stream.
type hello struct {
	Hello   int         `json:"hello"` // version, 1
	Name    string      `json:"name"`
	Token   string      `json:"token"`
	Filter  filter.Spec `json:"filter"`
	From    string      `json:"from"`  // earliest, latest or an id
	Since   string      `json:"since"` // a duration or a time, when there is no from
	Tail    *uint64     `json:"tail"`  // last entries that pass, when there is neither
	Notices bool        `json:"notices"`
	IDs     bool        `json:"ids"`
}

// forms are how streams look that were asked for with a hello, by notices and
// ids.
type forms [2][2]*netio.Form

func newForms() (f forms) {
	for notices := range f {
		for ids := range f[notices] {
			f[notices][ids] = netio.JSONLines(notices == 1, ids == 1)
		}
	}
	return f
}

func (f *forms) of(notices, ids bool) *netio.Form {
	index := map[bool]int{true: 1}
	return f[index[notices]][index[ids]]
}

// newHandshake returns the handshake of a mode: off, optional or required. Where
// there are tokens it is required whatever the mode.
func newHandshake(mode string, e *netio.Engine, gate *access.Gate) *netio.Handshake {
	forms := newForms()
	return &netio.Handshake{
		Off:      func() bool { return mode == "off" && !gate.Closed() },
		Required: func() bool { return mode == "required" || gate.Closed() },
		Answer: func(line []byte, from netip.Addr) (netio.Subscription, error) {
			h, err := readHello(line)
			if err != nil {
				return netio.Subscription{}, err
			}
			grant, err := gate.Check(h.Token, access.Stream, from)
			if err != nil {
				return netio.Subscription{}, fmt.Errorf("hello: token: %w", err)
			}
			sub, err := answer(&h, from, e, &forms)
			sub.Still = gate.Right(grant, access.Stream, from)
			return sub, err
		},
		Refuse: func(dst []byte, err error) []byte {
			return record.AppendLine(dst, refusal{"error", err.Error()})
		},
	}
}

// refusal is the control line for a bad hello.
type refusal struct {
	Type  string `json:"type"`
	Error string `json:"error"`
}

// answer is what a hello asks for.
func answer(h *hello, from netip.Addr, e *netio.Engine, forms *forms) (sub netio.Subscription, err error) {
	sub = netio.Subscription{Name: h.Name, Form: forms.of(h.Notices, h.IDs), Greet: greet}
	if sub.Filter, err = filter.Compile(h.Filter, e.SourceName); err != nil {
		return sub, fmt.Errorf("hello: %w", err)
	}
	if h.Since != "" || h.Tail != nil && netio.Selective(sub.Filter) {
		end, err := e.LookBack(from)
		if err != nil {
			return sub, fmt.Errorf("hello: %w", err)
		}
		defer end()
	}
	switch {
	case h.From != "":
		if sub.From, err = e.From(h.From); err != nil {
			return sub, fmt.Errorf("hello: from %.80q: %w", h.From, err)
		}
	case h.Since != "":
		t, err := netio.ParseSince(h.Since, time.Now())
		if err != nil {
			return sub, fmt.Errorf("hello: since %.80q: %w", h.Since, err)
		}
		sub.From = e.Since(t)
	case h.Tail != nil:
		sub.From = e.Last(*h.Tail, sub.Filter, e.Head(), nil)
	}
	return sub, nil
}

// readHello decodes and checks a hello.
func readHello(line []byte) (h hello, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return h, explain(err)
	}
	switch {
	case len(bytes.TrimSpace(line[d.InputOffset():])) > 0:
		return h, errors.New("hello: more follows the object")
	case h.Hello != 1:
		return h, fmt.Errorf(`hello: version %d: want "hello":1`, h.Hello)
	case len(h.Name) > maxNameBytes || strings.ContainsFunc(h.Name, unicode.IsControl):
		return h, fmt.Errorf("hello: name: want at most %d bytes, none of them a control character", maxNameBytes)
	}
	return h, nil
}

// kinds are what the keys of a hello have for values.
var kinds = map[reflect.Kind]string{
	reflect.Int: "a number", reflect.Uint64: "a number from 0", reflect.Bool: "true or false", reflect.String: "a text",
}

// explain says what is wrong with a hello in the words of who wrote it.
func explain(err error) error {
	if _, ok := errors.AsType[*filter.Error](err); ok {
		return fmt.Errorf("hello: %w", err)
	}
	if mistake, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && kinds[mistake.Type.Kind()] != "" {
		return fmt.Errorf("hello: %s: want %s, not a %s", mistake.Field, kinds[mistake.Type.Kind()], mistake.Value)
	}
	if key, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("hello: unknown key %s; there are hello, name, token, filter, from, since, tail, notices and ids", key)
	}
	return fmt.Errorf(`hello: %w (want an object such as {"hello":1,"filter":{"level":"warn"}})`, err)
}

func greet(dst []byte, g netio.Greeting) []byte {
	c := g.Connected()
	c.Type = "connected"
	return record.AppendLine(dst, c)
}
