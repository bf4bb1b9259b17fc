package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestATokenIsNotTakenAlongToAnotherPort(t *testing.T) {
	var shown string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { shown = r.Header.Get("Authorization") }))
	defer other.Close()
	var again string
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/status":
			http.Redirect(w, r, "/here", http.StatusFound)
		case "/here":
			again = r.Header.Get("Authorization")
			http.Redirect(w, r, other.URL+"/there", http.StatusFound)
		}
	}))
	defer first.Close()
	u, err := url.Parse(first.URL)
	if err != nil {
		t.Fatal(err)
	}
	a := &address{scheme: "http", host: u.Host, url: u, token: "secret"}
	if status, _, err := a.get(t.Context(), "/status"); err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	if shown != "" || again != "Bearer secret" {
		t.Errorf("the other port was shown %q, the same one %q", shown, again)
	}
}
