package main

import (
	"hash/fnv"
	"io"
)

// The colours, as SGR sequences. Reverse and upright do not end a colour.
const (
	dim     = "\x1b[2m"
	red     = "\x1b[31m"
	green   = "\x1b[32m"
	yellow  = "\x1b[33m"
	blue    = "\x1b[34m"
	magenta = "\x1b[35m"
	cyan    = "\x1b[36m"
	alarm   = "\x1b[1;37;41m"
	plain   = "\x1b[0m"
	reverse = "\x1b[7m"
	upright = "\x1b[27m"
)

var levelColors = map[string]string{
	"trace": dim, "debug": blue, "info": green, "warn": yellow, "error": red, "fatal": alarm,
}

// sourceColor is always the same for a name.
func sourceColor(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	all := [...]string{cyan, magenta, blue, green, yellow}
	return all[h.Sum32()%uint32(len(all))]
}

// palette colours text, if it is on.
type palette struct{ on bool }

func (p palette) wrap(dst []byte, color, text string) []byte {
	if !p.on || color == "" {
		return append(dst, text...)
	}
	return append(append(append(dst, color...), text...), plain...)
}

// colors reports whether to write colours to w, given the value of --color. The
// variables NO_COLOR, CLICOLOR_FORCE and TERM count for auto only.
func colors(when string, w io.Writer, env func(string) string) bool {
	switch {
	case when != "auto":
		return when == "always"
	case env("NO_COLOR") != "":
		return false
	case env("CLICOLOR_FORCE") != "" && env("CLICOLOR_FORCE") != "0":
		return true
	}
	return isTerminal(w) && env("TERM") != "dumb"
}
