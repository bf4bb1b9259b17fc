package viewer

import (
	"bytes"
	"regexp"
)

// What modules say to each other, always in one line and in these forms.
var (
	imports = regexp.MustCompile(`(?m)^import \{[\w, ]+\} from "\./([\w-]+\.js)";\n`)
	exports = regexp.MustCompile(`(?m)^export `)
)

// join makes one script of a module and all that it imports, each behind what it
// imports itself. A browser fetches and links it at once: twenty modules took a
// hundred milliseconds more until the first line was on screen. The modules share
// the script's names, so no two may have one in common; a browser refuses it.
func join(modules map[string][]byte, name string) []byte {
	var b bytes.Buffer
	joined := make(map[string]bool)
	var add func(name string)
	add = func(name string) {
		if joined[name] {
			return
		}
		joined[name] = true
		body := modules[name]
		for _, m := range imports.FindAllSubmatch(body, -1) {
			add(string(m[1]))
		}
		b.WriteString("// " + name + "\n")
		b.Write(exports.ReplaceAll(imports.ReplaceAll(body, nil), nil))
	}
	add(name)
	return b.Bytes()
}
