package main

import "strings"

// nearest returns the candidate that name was most likely meant to be, or ""
// when none is close: at most two edits away, or a third of the name's length
// if that is more, and one edit for names of up to three characters. Case
// does not count, and of equally close candidates the first is returned. A
// swap of two neighbours is one edit.
func nearest(name string, candidates []string) string {
	wanted := []rune(strings.ToLower(name))
	bound := max(2, len(wanted)/3)
	if len(wanted) <= 3 {
		bound = 1
	}
	best := ""
	for _, candidate := range candidates {
		if candidate == "" {
			continue
		}
		if d := distance(wanted, []rune(strings.ToLower(candidate)), bound); d <= bound {
			best, bound = candidate, d-1
		}
	}
	return best
}

// distance is the number of insertions, deletions, substitutions and swaps of
// neighbours that turn a into b, no part being edited twice (optimal string
// alignment). Above bound it returns some number above bound.
func distance(a, b []rune, bound int) int {
	if d := len(a) - len(b); d > bound || -d > bound {
		return bound + 1
	}
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
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
		before, row, next = row, next, before
	}
	return row[len(b)]
}

// nearestKey finds the key that an unknown one was meant to be, as a dotted
// path: one of the same table, one that is spelt like its flag, the same name
// in another table, a similar path or a similar name anywhere; "" for none.
func (a *assignment) nearestKey(siblings []*setting, parent, name string) string {
	names := make([]string, len(siblings))
	for i, s := range siblings {
		names[i] = s.name
	}
	if meant := nearest(name, names); meant != "" {
		return joinKey(parent, meant)
	}
	var paths, everyName []string
	byName := map[string]string{}
	flag, same := "", ""
	eachPath(a.settings, "", func(s *setting, path string) {
		paths, everyName = append(paths, path), append(everyName, s.name)
		if byName[s.name] == "" {
			byName[s.name] = path
		}
		if s.flag != "" && strings.EqualFold(strings.ReplaceAll(s.flag, "-", "_"), strings.ReplaceAll(name, "-", "_")) {
			flag = path
		}
		if strings.EqualFold(s.name, name) && (same == "" || shared(path, parent) > shared(same, parent)) {
			same = path
		}
	})
	for _, meant := range []string{flag, same, nearest(joinKey(parent, name), paths), byName[nearest(name, everyName)]} {
		if meant != "" {
			return meant
		}
	}
	return ""
}

// shared is the length of the common beginning of two paths.
func shared(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
