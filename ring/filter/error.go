package filter

import (
	"fmt"
	"strconv"
	"strings"
)

// Error is what is wrong with one value of one parameter. The parameter is
// also that of a key of a JSON object that is none, without a value then.
type Error struct {
	Parameter  string
	Value      string // as given, however long
	Suggestion string // what may have been meant, "" for no idea
	Err        error
}

// shownBytes is how much of a value an error shows.
const shownBytes = 80

// Error names the parameter, its value, cut if it is long, the cause and what
// may have been meant.
func (e *Error) Error() string {
	text := e.Parameter
	if e.Value != "" {
		text += "=" + shown(e.Value)
	}
	text += ": " + e.Err.Error()
	if e.Suggestion != "" {
		text += fmt.Sprintf("; did you mean %s?", e.Suggestion)
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// shown makes a value fit for a line of text.
func shown(value string) string {
	rest := ""
	if len(value) > shownBytes {
		value, rest = strings.ToValidUTF8(value[:shownBytes], ""), "…"
	}
	if quoted := strconv.Quote(value); quoted != `"`+value+`"` {
		value = quoted
	}
	return value + rest
}

// nearest returns the candidate that name was most likely meant to be: one that
// begins it or that it begins, else one at most two edits away, or one for
// short names; "" if there is none. Of equal ones it is the first.
func nearest(name string, candidates []string) string {
	const longest = 32 // no name is longer, and the distance is quadratic
	if name == "" || len(name) > longest {
		return ""
	}
	name = strings.ToLower(name)
	best, bound := "", 2
	if len(name) <= 3 {
		bound = 1
	}
	for _, c := range candidates {
		d := distance(name, c)
		if len(name) >= 3 && len(c) >= 3 && (strings.HasPrefix(name, c) || strings.HasPrefix(c, name)) {
			d = min(d, 1)
		}
		if d <= bound {
			best, bound = c, d-1
		}
	}
	return best
}

// distance is the number of bytes to insert, delete or replace, or of
// neighbours to swap, that turns a into b.
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
