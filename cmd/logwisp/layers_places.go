package main

import (
	"slices"

	"github.com/pelletier/go-toml/v2/unstable"
)

// place is a position in a file: line and column from 1, the column in bytes.
type place struct{ line, column int }

// places holds where each key of a file begins, by its dotted path; elements
// of arrays are there as "monitor.targets[0]".
type places map[string]place

// survey collects places while it walks the expressions of a document.
type survey struct {
	parser unstable.Parser
	lines  []int // offset of the first byte of each line
	places places
	tables map[string]int // elements so far of each array written as [[…]]
}

// placesOf finds the keys of a document. The document must be valid TOML: of
// another one the places before the first error are found.
func placesOf(doc []byte) places {
	s := &survey{lines: []int{0}, places: places{}, tables: map[string]int{}}
	for i, c := range doc {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	s.parser.Reset(doc)
	table := ""
	for s.parser.NextExpression() {
		switch node := s.parser.Expression(); node.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = s.header(node)
		case unstable.KeyValue:
			s.keyValue(node, table)
		}
	}
	return s.places
}

// header notes the keys of a [table] or [[table]] and returns its path. Parts
// that name an array of tables mean its last element so far.
func (s *survey) header(node *unstable.Node) string {
	var path string
	var start place
	keys := node.Key()
	for keys.Next() {
		key := keys.Node()
		path, start = joinKey(path, string(key.Data)), s.at(key)
		s.note(path, start)
		if node.Kind == unstable.ArrayTable && keys.IsLast() {
			s.tables[path]++
		}
		if n := s.tables[path]; n > 0 {
			path = elementKey(path, n-1)
			s.note(path, start)
		}
	}
	return path
}

func (s *survey) keyValue(node *unstable.Node, parent string) {
	path, start := parent, place{}
	keys := node.Key()
	for keys.Next() {
		key := keys.Node()
		path, start = joinKey(path, string(key.Data)), s.at(key)
		s.note(path, start)
	}
	s.inside(node.Value(), path, start)
}

// inside notes the keys and elements within a value. An element that has no
// position of its own gets that of the key or element before it.
func (s *survey) inside(value *unstable.Node, path string, start place) {
	items := value.Children()
	switch value.Kind {
	case unstable.InlineTable:
		for items.Next() {
			s.keyValue(items.Node(), path)
		}
	case unstable.Array:
		for i := 0; items.Next(); i++ {
			element := items.Node()
			if element.Raw.Length > 0 {
				start = s.at(element)
			}
			s.note(elementKey(path, i), start)
			s.inside(element, elementKey(path, i), start)
		}
	}
}

// note keeps the first place of a path: a table that several headers and
// dotted keys belong to is where it is first named.
func (s *survey) note(path string, at place) {
	if _, ok := s.places[path]; !ok {
		s.places[path] = at
	}
}

func (s *survey) at(node *unstable.Node) place {
	offset := int(node.Raw.Offset)
	line, exact := slices.BinarySearch(s.lines, offset)
	if !exact {
		line--
	}
	return place{line: line + 1, column: offset - s.lines[line] + 1}
}
