package tail

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// FuzzCheckpoint: what is refused is foreign, damaged or newer; what is taken can
// be written again and is the same then, to the byte from the second time on.
func FuzzCheckpoint(f *testing.F) {
	whole, err := encode(nil, []position{
		{Path: "/var/log/b.log", Dev: 1, Inode: 2, Born: 3, Size: 100, Offset: 90, Head: prefix{64, 1 << 63}, Marker: window{100, 32, 7}},
		{Path: "/var/log/a.log", Inode: 1 << 63, Offset: 5, Marker: window{10, 0, 0}, Rotated: true, MissingSince: 1},
		{Path: "/var/log/a.log", Inode: 4, Closed: true},
	}, 1795361890502, 42, 1795361890502000001)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(bytes.Replace(whole, []byte(`"version":1`), []byte(`"version":2`), 1))
	f.Add(bytes.Replace(whole, []byte(`"offset":90`), []byte(`"offset":101`), 1))
	f.Add(bytes.Replace(whole, []byte(`"/var/log/b.log"`), []byte(`"b.log"`), 1))
	for _, text := range []string{
		"", "{}", `{"program":"logwisp"}`, `{"program":"logwisp","version":1}`, `{"program":"logwisp","version":1,"written":"2024-01-01T00:00:00Z","files":[]}`,
		`{"program":"logwisp","version":1,"written":"0000-01-01T00:00:00Z","files":[{"path":"/a"}]}`, `{"program":"logwisp","version":1,"written":"9999-12-31T23:59:59+14:00"}`,
		`{"program":"logwisp","version":1,"epoch":1,"head":18446744073709551615,"files":null}`, `{"program":"logwisp","program":"x","version":1}`, `{"program":"logwisp","version":-1}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := decode(text)
		if err != nil {
			if !errors.Is(err, errForeign) && !errors.Is(err, errDamaged) && !errors.Is(err, errNewer) {
				t.Fatalf("%q is refused with %v, which is no reason to set it aside", text, err)
			}
			return
		}
		for i := range d.Positions {
			p := &d.Positions[i]
			if p.Offset > p.Marker.End || p.Marker.Length > int(p.Marker.End) {
				t.Errorf("%+v is taken", p)
			}
		}
		newSaved(d)
		first := again(t, d)
		d2, err := decode(first)
		if err != nil {
			t.Fatalf("%q is taken, but not what is written of it: %v", text, err)
		}
		if d.Epoch == 0 {
			d.Head = 0 // a head is of an epoch
		}
		if !d2.Written.Equal(d.Written) || d2.Epoch != d.Epoch || d2.Head != d.Head || len(d2.Positions) != len(d.Positions) ||
			len(d.Positions) > 0 && !reflect.DeepEqual(d2.Positions, d.Positions) {
			t.Errorf("%q is\n%+v, written anew\n%+v", text, d, d2)
		}
		if second := again(t, d2); !bytes.Equal(second, first) {
			t.Errorf("%q is written\n%s and then\n%s", text, first, second)
		}
	})
}

// again writes a document, whose positions it puts in order.
func again(t *testing.T, d *document) []byte {
	t.Helper()
	text, err := encode(nil, d.Positions, d.Epoch, d.Head, d.Written.UnixNano())
	if err != nil {
		t.Fatal(err)
	}
	return text
}
