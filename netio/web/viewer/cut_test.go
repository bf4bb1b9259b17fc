package viewer_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// knife passes connections on until it is told to cut the one in which a text
// comes, in the middle of it.
type knife struct {
	net.Listener
	text atomic.Pointer[string] // nil: none
}

func newKnife(t *testing.T, s *site) *knife {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &knife{Listener: ln}
	t.Cleanup(func() { ln.Close() })
	target := s.server.Addr().String()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", target)
			if err != nil {
				c.Close()
				return
			}
			go func() { _, _ = io.Copy(to, c); to.Close() }()
			go k.pass(c, to)
		}
	}()
	s.url = "http://" + ln.Addr().String()
	return k
}

func (k *knife) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if text := k.text.Load(); text != nil {
			if at := bytes.Index(buf[:n], []byte(*text)); at >= 0 {
				k.text.Store(nil)
				_, _ = to.Write(buf[:at+len(*text)/2])
				return
			}
		}
		if _, failed := to.Write(buf[:n]); err != nil || failed != nil {
			return
		}
	}
}

// TestAConnectionCutInTheMiddleOfAnEventGoesOn cuts in an entry, in an id and in
// the name of an event: half a line must not become the beginning of the next.
func TestAConnectionCutInTheMiddleOfAnEventGoesOn(t *testing.T) {
	s := newSite(t)
	k := newKnife(t, s)
	s.number(1, 10)
	p := s.open("/")
	p.ends("entry 10")
	for i, where := range []string{"entry 15", "id: ", "data: "} {
		k.text.Store(&where)
		s.number(10*i+11, 10*i+20)
		p.waitFor("it is cut", func() bool { return k.text.Load() == nil })
		p.ends(fmt.Sprintf("entry %d", 10*i+20))
	}
	want := make([]string, 40)
	for i := range want {
		want[i] = fmt.Sprintf("entry %d", i+1)
	}
	p.says("#fill", "40 of")
	p.keys(kb.Home)
	p.until("the first is in sight", `document.querySelector(".row .msg").textContent === "entry 1"`)
	for i, row := range p.rows() {
		if row != want[i] {
			t.Fatalf("row %d is %q", i, row)
		}
	}
	p.until("nothing is lost", "document.querySelector('#lost').hidden")
}
