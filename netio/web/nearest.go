package web

import "strings"

// nearest returns the candidate that name was most likely meant to be: one that
// begins with it or is at most two edits away, "" when there is none.
func nearest(name string, candidates []string) string {
	const longest = 32 // no candidate is longer
	if name == "" || len(name) > longest {
		return ""
	}
	name = strings.ToLower(name)
	best, bound := "", min(2, len(name)/2)
	for _, c := range candidates {
		d := distance(name, c)
		if len(name) >= 3 && strings.HasPrefix(c, name) {
			d = min(d, 1)
		}
		if d <= bound {
			best, bound = c, d-1
		}
	}
	return best
}

// distance is the number of bytes to insert, delete or replace that turns a
// into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
