package main

import (
	"errors"
	"fmt"
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// moduleRoot is the module's directory, seen from this package's.
const moduleRoot = "../.."

// arrows are what each package may import of the module, its tests included.
// A package that is not here has no place yet: give it one.
var arrows = map[string][]string{
	"ring":             {},
	"ring/record":      {"ring"},
	"ring/parse":       {"ring"},
	"ring/filter":      {"ring"},
	"ring/entry":       {"ring", "ring/record", "ring/parse", "ring/filter"},
	"tail":             {"ring", "ring/entry", "ring/record", "ring/parse", "ring/filter"},
	"netio":            {"ring", "ring/record", "ring/filter"},
	"netio/tcp":        {"netio", "netio/access", "ring", "ring/record", "ring/filter"},
	"netio/web":        {"netio", "netio/access", "netio/web/viewer", "ring", "ring/record", "ring/filter"},
	"netio/access":     {"netio"},
	"netio/forward":    {"netio", "ring", "ring/record", "ring/filter"},
	"netio/nats":       {"netio", "ring", "ring/entry", "ring/record", "ring/parse", "ring/filter"},
	"netio/ingest":     {"netio", "ring", "ring/entry", "ring/parse", "ring/filter"},
	"netio/web/viewer": {},
	"netio/netiotest":  {"netio", "ring", "ring/record", "ring/filter"},
	// daemon.go joins all parts, so it has to make the ring.
	"cmd/logwisp":      {"tail", "netio", "netio/access", "netio/forward", "netio/tcp", "netio/web", "netio/ingest", "netio/nats", "ring", "cmd/logwisp/mdwe"},
	"bench":            {"tail", "netio", "netio/access", "netio/tcp", "netio/web", "netio/ingest", "ring", "ring/entry", "ring/record", "ring/parse", "ring/filter"},
	"bench/load":       {"bench/freeport"},
	"bench/cluster":    {"bench/freeport"},
	"bench/compare":    {"bench/freeport"},
	"bench/figures":    {"bench/freeport"},
	"bench/collectors": {"bench/freeport"},
	"bench/freeport":   {},
	"scripts/otelcol":  {}, // built with scripts/collectors.mod
	"bench/soak":       {"bench/freeport"},
	"bench/viewer":     {"bench/freeport"},

	"cmd/logwisp/mdwe": {}, // nothing but syscall, so that it is initialised first
}

// testArrows are what the tests of a package may import on top.
var testArrows = map[string][]string{
	"ring/filter":      {"ring/record"},                                // entries to match are encoded as they always are
	"cmd/logwisp":      {"bench/freeport"},                             // scripts start servers on ports that they know
	"netio/web/viewer": {"netio", "netio/access", "netio/web", "ring"}, // it is looked at where it is served
}

// testSupport are packages that only tests, and each other, may import.
var testSupport = []string{"netio/netiotest"}

// rooms are the packages that may import a third-party library. Their tests
// may as well.
var rooms = map[string][]string{
	"github.com/alecthomas/kong":              {"cmd/logwisp"},
	"github.com/dustin/go-humanize":           {"cmd/logwisp"},
	"github.com/jotaen/kong-completion":       {"cmd/logwisp"},
	"github.com/posener/complete":             {"cmd/logwisp"},
	"github.com/alecthomas/mango-kong":        {"cmd/logwisp"},
	"github.com/muesli/roff":                  {"cmd/logwisp"},
	"github.com/lmittmann/tint":               {"cmd/logwisp"},
	"github.com/pelletier/go-toml/v2":         {"cmd/logwisp"},
	"github.com/prometheus/client_golang":     {"cmd/logwisp"},
	"github.com/prometheus/common":            {"cmd/logwisp"},
	"github.com/coreos/go-systemd/v22":        {"cmd/logwisp"},
	"github.com/panjf2000/gnet/v2":            {"netio"},
	"github.com/valyala/fasthttp":             {"netio/web"},
	"github.com/fsnotify/fsnotify":            {"tail"},
	"github.com/google/renameio/v2":           {"tail"},
	"github.com/bmatcuk/doublestar/v4":        {"tail"},
	"golang.org/x/time":                       {"tail", "netio", "netio/access"},
	"github.com/bytedance/sonic":              {"ring/record"},
	"github.com/HdrHistogram/hdrhistogram-go": {"bench", "bench/load", "bench/soak"},
	"github.com/klauspost/compress":           {"netio/forward", "netio/web"}, // to pack, and to unpack
	"github.com/nats-io/nats.go":              {"netio/nats"},
	"golang.org/x/sys":                        {"cmd/logwisp", "tail", "netio", "netio/forward", "netio/ingest", "bench", "bench/load", "bench/figures", "bench/soak"},
	"github.com/chromedp/chromedp":            {"bench/viewer"},
	"github.com/chromedp/cdproto":             {"bench/viewer"},
	"go.uber.org/goleak":                      {"netio/netiotest"},

	"go.opentelemetry.io/collector":                             {"scripts/otelcol"},
	"github.com/open-telemetry/opentelemetry-collector-contrib": {"scripts/otelcol"},
}

// testLibraries may be imported by the tests of any package.
var testLibraries = []string{
	"github.com/chromedp/cdproto", "github.com/chromedp/chromedp",
	"github.com/rogpeppe/go-internal", "go.uber.org/goleak", "golang.org/x/sys", "pgregory.net/rapid",
}

// imports is what one package of the module imports.
type imports struct {
	path  string // below the module, "netio/web"
	code  []string
	tests []string
}

func TestPackagesImportOnlyWhatTheArrowsAllow(t *testing.T) {
	packages, err := modulePackages(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	for _, known := range []string{"cmd/logwisp", "netio/web", "ring", "tail"} {
		if !slices.ContainsFunc(packages, func(p imports) bool { return p.path == known && len(p.code) > 0 }) {
			t.Errorf("package %s has not been found: the walk is broken", known)
		}
	}
	for _, p := range packages {
		for _, violation := range violations(p) {
			t.Error(violation)
		}
	}
}

func TestArrowsRefusePlantedViolations(t *testing.T) {
	const gnet, kong = "github.com/panjf2000/gnet/v2/pkg/logging", "github.com/alecthomas/kong"
	cases := map[string]struct {
		planted imports
		want    int
	}{
		"tail imports netio":                {imports{path: "tail", code: []string{"logwisp/netio"}}, 1},
		"netio imports tail":                {imports{path: "netio", code: []string{"logwisp/tail"}}, 1},
		"a test of netio imports tail":      {imports{path: "netio", tests: []string{"logwisp/tail"}}, 1},
		"tcp imports web":                   {imports{path: "netio/tcp", code: []string{"logwisp/netio/web"}}, 1},
		"web imports tcp":                   {imports{path: "netio/web", code: []string{"logwisp/netio/tcp"}}, 1},
		"ring imports record":               {imports{path: "ring", code: []string{"logwisp/ring/record"}}, 1},
		"parse imports record":              {imports{path: "ring/parse", code: []string{"logwisp/ring/record"}}, 1},
		"filter imports record":             {imports{path: "ring/filter", code: []string{"logwisp/ring/record"}}, 1},
		"filter's test imports record":      {imports{path: "ring/filter", tests: []string{"logwisp/ring/record"}}, 0},
		"bench imports cmd":                 {imports{path: "bench", code: []string{"logwisp/cmd/logwisp"}}, 1},
		"code imports the test support":     {imports{path: "netio/tcp", code: []string{"logwisp/netio/netiotest"}}, 1},
		"ring imports a library":            {imports{path: "ring", code: []string{"golang.org/x/sys/unix"}}, 1},
		"a library out of its room":         {imports{path: "netio/web", code: []string{gnet, kong}}, 2},
		"a library out of its room, tested": {imports{path: "tail", tests: []string{gnet}}, 1},
		"a library without a room":          {imports{path: "tail", code: []string{"example.org/new"}}, 1},
		"a test library in code":            {imports{path: "tail", code: []string{"go.uber.org/goleak"}}, 1},
		"a name that only begins alike":     {imports{path: "netio", code: []string{"github.com/panjf2000/gnet/v2x"}}, 1},
		"a package without a place":         {imports{path: "helpers", code: []string{"fmt"}}, 1},
		"everything that is allowed": {imports{
			path: "netio", code: []string{"fmt", "net/http", "logwisp/ring", "logwisp/ring/record", gnet},
			tests: []string{"logwisp/netio", "logwisp/netio/netiotest", "pgregory.net/rapid", gnet},
		}, 0},
	}
	for name, c := range cases {
		if found := violations(c.planted); len(found) != c.want {
			t.Errorf("%s: %d violations %q, want %d", name, len(found), found, c.want)
		}
	}
}

// violations lists what a package imports against the tables.
func violations(p imports) []string {
	allowed, placed := arrows[p.path]
	if !placed {
		return []string{fmt.Sprintf("package %s has no place in the table of arrows", p.path)}
	}
	var found []string
	check := func(path, kind string, mayTest bool) {
		if own, ok := strings.CutPrefix(path, "logwisp/"); ok {
			tested := mayTest && (slices.Contains(testSupport, own) || slices.Contains(testArrows[p.path], own))
			if !slices.Contains(allowed, own) && own != p.path && !tested {
				found = append(found, fmt.Sprintf("%s of %s imports %s, which is against the arrows", kind, p.path, own))
			}
			return
		}
		if standard(path) || mayTest && slices.ContainsFunc(testLibraries, func(l string) bool { return within(path, l) }) {
			return
		}
		for library, of := range rooms {
			if within(path, library) {
				if !slices.Contains(of, p.path) {
					found = append(found, fmt.Sprintf("%s of %s imports %s, whose room is %s", kind, p.path, path, strings.Join(of, " and ")))
				}
				return
			}
		}
		found = append(found, fmt.Sprintf("%s of %s imports %s, which has no room", kind, p.path, path))
	}
	for _, path := range p.code {
		check(path, "the code", slices.Contains(testSupport, p.path))
	}
	for _, path := range p.tests {
		check(path, "a test", true)
	}
	return found
}

// within reports whether a package is of a library.
func within(path, library string) bool {
	return path == library || strings.HasPrefix(path, library+"/")
}

// standard reports whether a package is of the standard library: the first part
// of its path has no dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// modulePackages reads the imports of every package below root, under whatever
// build constraints hold where the test runs.
func modulePackages(root string) ([]imports, error) {
	var packages []imports
	err := filepath.WalkDir(root, func(dir string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if name := entry.Name(); dir != root && (name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
			return filepath.SkipDir
		}
		pkg, err := build.ImportDir(dir, 0)
		if _, none := errors.AsType[*build.NoGoError](err); none {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the package in %s: %w", dir, err)
		}
		path, err := filepath.Rel(root, dir)
		if err != nil {
			return err
		}
		packages = append(packages, imports{
			path: filepath.ToSlash(path), code: pkg.Imports, tests: append(pkg.TestImports, pkg.XTestImports...),
		})
		return nil
	})
	return packages, err
}

func TestModuleRootIsWhereTheModuleIs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(moduleRoot, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "module logwisp\n") {
		t.Errorf("%s/go.mod is not that of the module logwisp", moduleRoot)
	}
}
