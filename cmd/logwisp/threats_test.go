package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheThreatTableHasNoEmptyCellAndNamesTestsThatThereAre holds the table of
// the README against the tests of the module.
func TestTheThreatTableHasNoEmptyCellAndNamesTestsThatThereAre(t *testing.T) {
	readme, err := os.ReadFile(moduleRoot + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(readme), "| who could do what | what stops them | what shows it |\n|---|---|---|\n")
	if !found {
		t.Fatal("the README has no threat table")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")
	if len(rows) < 15 {
		t.Errorf("%d rows", len(rows))
	}
	known := testsOf(t)
	evidence := regexp.MustCompile("`([^`]+)`")
	for _, row := range rows {
		cells := strings.Split(strings.Trim(row, "|"), "|")
		if len(cells) != 3 {
			t.Errorf("%d cells: %s", len(cells), row)
			continue
		}
		for _, cell := range cells {
			if strings.TrimSpace(cell) == "" {
				t.Errorf("an empty cell: %s", row)
			}
		}
		names := evidence.FindAllStringSubmatch(cells[2], -1)
		if len(names) == 0 {
			t.Errorf("nothing shows it: %s", row)
		}
		for _, name := range names {
			path, _, _ := strings.Cut(name[1], " ")
			if _, err := os.Stat(filepath.Join(moduleRoot, path)); err != nil && !known[name[1]] {
				t.Errorf("there is neither a test nor a file %s: %s", name[1], row)
			}
		}
	}
}

// testsOf returns the names of the module's tests, fuzz targets and scripts.
func testsOf(t *testing.T) map[string]bool {
	t.Helper()
	known := make(map[string]bool)
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir(moduleRoot, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == "node_modules" {
				return fs.SkipDir
			}
			return err
		}
		if strings.HasSuffix(path, ".txtar") {
			known[d.Name()] = true
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, name := range function.FindAllStringSubmatch(string(text), -1) {
			known[name[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}
