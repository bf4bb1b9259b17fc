package viewer_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"logwisp/netio/access"
	"logwisp/netio/web"
	"logwisp/ring"
)

func TestWhereATokenIsNeededThePageAsksForIt(t *testing.T) {
	const token = "the token of a person"
	s := startSite(t, web.Options{Viewer: true}, ring.Options{Entries: 1 << 10, Bytes: 1 << 20})
	rules := access.Rules{Auth: access.Auth{Tokens: []access.Token{{Name: "person", Hash: access.Hash(token)}}}}
	if err := s.gate.Set(rules); err != nil {
		t.Fatal(err)
	}
	s.write(line{message: "not for everybody"})
	p := s.open("/")
	p.until("the dialog", `document.querySelector("#login[open]")`)
	p.keys("wrong" + kb.Enter)
	p.until("what is wrong", `document.querySelector("#login [role=alert]").textContent === "the token is not known"`)
	if got := strings.TrimSpace(p.text("#list")); got != "" {
		t.Errorf("without a token there is %q", got)
	}
	p.keys(token + kb.Enter) // what was typed before is selected
	p.shows("not for everybody")
	p.until("the dialog is gone", `!document.querySelector("#login[open]")`)
	if got := eval[string](p, "document.cookie"); got != "" {
		t.Errorf("a script can see the cookie %q", got)
	}
	s.write(line{message: "and what comes later"})
	p.ends("and what comes later")
}
