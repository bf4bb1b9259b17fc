// Package viewer is the page that shows the stream in a browser: plain ES
// modules, styles and one picture. There is no build step: the modules are put
// one behind the other when the daemon starts, the rest is served as it lies
// here. scripts/test checks the types that the comments declare.
//
// A line's way: worker.js reads /stream and parses it with sse.js, once for all
// tabs that ask for the same; store.js holds the last rows of a tab and what of
// them is shown; list.js lays out those in sight; row.js, text.js and detail.js
// make them up. state.js is what the address says, filters.js and panel.js are
// how the user says it, login.js asks for a token, main.js joins all.
package viewer

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed index.html *.css *.js logo.svg
var files embed.FS

// Policy is the Content-Security-Policy of every asset: nothing but what comes
// from the same origin, and nothing inline. A worker has that of its script.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data:; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Asset is one file of the page.
type Asset struct {
	Body, Gzip  []byte
	ContentType string
	ETag        string
	// Forever tells that the path never has another content: a part of it is
	// the hash of all files.
	Forever bool
}

// Lookup returns what is served at a path below that of the page, which itself
// is at "". nil: there is nothing.
func Lookup(name string) *Asset { return assets()[name] }

var assets = sync.OnceValue(load)

// Prepare has everything ready to be served, which takes a tenth of a second:
// who is first to look need not wait for it.
func Prepare() { assets() }

// load makes what is served of the files that lie here: the page, and below a
// directory that is named after the hash of all, two scripts of all modules, one
// style sheet and the rest.
func load() map[string]*Asset {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("viewer: the embedded files cannot be read: " + err.Error())
	}
	all := make(map[string][]byte)
	hash := sha256.New()
	for _, e := range entries {
		body, err := files.ReadFile(e.Name())
		if err != nil {
			panic("viewer: an embedded file cannot be read: " + err.Error())
		}
		fmt.Fprintf(hash, "%s %d\n%s", e.Name(), len(body), body)
		all[e.Name()] = body
	}
	sum := hex.EncodeToString(hash.Sum(nil))[:16]
	dir := "assets/" + sum + "/"
	served := make(map[string]*Asset)
	serve := func(at, name string, body []byte) {
		served[at] = &Asset{Body: body, Gzip: compress(body), ContentType: contentType(name), ETag: `"` + sum + `"`, Forever: at != ""}
	}
	serve("", "index.html", bytes.ReplaceAll(all["index.html"], []byte("{{assets}}/"), []byte(dir)))
	for name, body := range map[string][]byte{
		"main.js": join(all, "main.js"), "worker.js": join(all, "worker.js"), "theme.js": all["theme.js"],
		"style.css": slices.Concat(all["style.css"], all["rows.css"]), "logo.svg": all["logo.svg"],
	} {
		serve(dir+name, name, body)
	}
	return served
}

func contentType(name string) string {
	if strings.HasSuffix(name, ".js") {
		return "text/javascript; charset=utf-8" // whatever the machine's tables say
	}
	return mime.TypeByExtension(path.Ext(name))
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("viewer: compressing into memory cannot fail: " + err.Error())
	}
	return b.Bytes()
}
