package tcp

import (
	"context"
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"logwisp/netio"
	"logwisp/ring"
	"logwisp/ring/filter"
)

// helloKeys are what a refusal may be about.
var helloKeys = []string{"hello", "name", "token", "filter", "from", "since", "tail", "notices", "ids"}

// FuzzHello: a hello that is taken says the same when it is written anew, and
// the reason why one is not taken begins with what is wrong: a key, or that it
// is no object.
func FuzzHello(f *testing.F) {
	for _, line := range []string{
		`{"hello":1}`, `{"hello":2}`, `{"hello":"1"}`, `{"hello":1} `, `{"hello":1}{}`, `{`, `{}`, "{\"hello\":1}\r",
		`{"hello":1,"name":"grafana","token":"lw_x","filter":{"level":"warn","source":["app*","b"],"re":"timeout"},"from":"1-2","tail":100,"notices":true,"ids":true}`,
		`{"hello":1,"filter":{"field":["a.b>=1e5","c~x"],"not":"y","levels":"error,fatal"},"since":"5m"}`,
		`{"hello":1,"filter":null,"tail":null}`, `{"hello":1,"tail":-1}`, `{"hello":1,"tail":18446744073709551615}`, `{"hello":1,"tail":1e400}`,
		`{"hello":1,"from":"latest"}`, `{"hello":1,"from":"9-9-9"}`, `{"hello":1,"since":"-1s"}`, `{"hello":1,"since":"9999-12-31T23:59:59-23:59"}`,
		`{"hello":1,"filter":{"re":"(?:a{1000}){1000}"}}`, `{"hello":1,"filter":{"sauce":"x"}}`, `{"hello":1,"filter":[]}`, `{"Hello":1,"NAME":"x"}`,
		`{"hello":1,"name":"\u0007"}`, "{\"hello\":1,\"name\":\"\xff\"}", `{"hello":1,"id":true}`, `{"hello":1,"hello":3}`,
	} {
		f.Add([]byte(line))
	}
	e, err := netio.New(ring.New(ring.Options{Entries: 64, Bytes: 1 << 20}), netio.Options{Loops: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		e.Drain(ctx)
		e.Close()
	})
	forms := newForms()
	f.Fuzz(func(t *testing.T, line []byte) {
		h, err := readHello(line)
		if err != nil {
			if !names(err.Error()) {
				t.Fatalf("%q is refused with %q, which names nothing", line, err)
			}
			return
		}
		sub, err := answer(&h, netip.Addr{}, e, &forms)
		if err != nil {
			if !names(err.Error()) {
				t.Fatalf("%q is refused with %q, which names nothing", line, err)
			}
			return
		}
		if sub.Form != forms.of(h.Notices, h.IDs) || sub.Name != h.Name {
			t.Errorf("%q: %+v", line, sub)
		}
		again, err := readHello(rewritten(t, &h))
		if err != nil || !reflect.DeepEqual(again, h) {
			t.Errorf("%q is %+v, written anew %+v, %v", line, h, again, err)
		}
	})
}

// names reports whether a refusal is about a key, one of the filter's
// parameters or one there is none of, or the form of the whole.
func names(refusal string) bool {
	rest, ok := strings.CutPrefix(refusal, "hello: ")
	if !ok || strings.ContainsAny(refusal, "\r\n") {
		return false
	}
	for _, whole := range []string{"version ", "more follows the object", "unknown key ", "read the filter, "} {
		if strings.HasPrefix(rest, whole) {
			return true
		}
	}
	if strings.HasSuffix(rest, `(want an object such as {"hello":1,"filter":{"level":"warn"}})`) {
		return true
	}
	if strings.Contains(rest, ": no such filter parameter") {
		return true
	}
	return slices.ContainsFunc(append(filter.Names(), helloKeys...), func(key string) bool {
		cause, ok := strings.CutPrefix(rest, key)
		return ok && strings.ContainsAny(cause[:min(1, len(cause))], ":= ")
	})
}

// rewritten is the line of a hello.
func rewritten(t *testing.T, h *hello) []byte {
	t.Helper()
	spec := map[string]any{}
	v := reflect.ValueOf(h.Filter)
	for i := range v.NumField() {
		name := map[string]string{"NotSource": "not_source", "NotRe": "not_re"}[v.Type().Field(i).Name]
		if name == "" {
			name = strings.ToLower(v.Type().Field(i).Name)
		}
		if value := v.Field(i); value.Kind() == reflect.String && value.Len() > 0 || value.Kind() == reflect.Slice && !value.IsNil() {
			spec[name] = value.Interface()
		}
	}
	line, err := json.Marshal(map[string]any{
		"hello": h.Hello, "name": h.Name, "token": h.Token, "filter": spec, "from": h.From, "since": h.Since,
		"tail": h.Tail, "notices": h.Notices, "ids": h.IDs,
	})
	if err != nil {
		t.Fatal(err)
	}
	return line
}
