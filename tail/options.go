package tail

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
)

// Options are the settings of a Watcher. The defaults in the tags are filled
// in by whoever reads the configuration; New takes the values as they are.
type Options struct {
	CheckInterval int      `toml:"check_interval_ms" name:"check-interval" default:"100" min:"10" max:"3600000" placeholder:"MS" help:"How often files are looked at where events do not serve, in milliseconds (default: ${default})."`
	Targets       []Target `toml:"targets" kong:"-"` // nil = *.log here; empty = none

	Checkpoint string `toml:"checkpoint" name:"checkpoint" default:"off" placeholder:"off|auto|FILE" help:"Keep how far files were read in FILE, and go on from there after a restart; auto is a file in the state directory (default: ${default})."` // opened by the caller, for Resume

	ReadFrom     string `toml:"read_from" kong:"-" enum:"beginning,end" default:"end"`                       // where files present at the start begin; "" = end
	Watch        string `toml:"watch" kong:"-" enum:"auto,inotify,poll" default:"auto"`                      // "" = auto
	RotateWait   int    `toml:"rotate_wait_ms" kong:"-" default:"5000" min:"0"`                              // a nameless file is followed this long past its last growth, milliseconds
	PartialFlush int    `toml:"partial_flush_ms" kong:"-" default:"5000" min:"0"`                            // how long an unterminated line is held, milliseconds; 0 = for ever
	MaxLineBytes int64  `toml:"max_line_bytes" kong:"-" type:"bytes" default:"1MiB" min:"16" max:"67108864"` // longer lines are cut
	SourceName   string `toml:"source_name" kong:"-" enum:"basename,relative,path" default:"basename"`       // what of a path names the source of entries; "" = basename
	Filter       Filter `toml:"-" kong:"-"`

	// Acked makes a watcher of one reader that acknowledges: the seq up to which
	// entries need not be read again. What the checkpoint keeps is never beyond
	// it, and files are read no further ahead of it than the ring holds, however
	// long that takes. nil: what is in the ring counts as read. Settle is called
	// after Run then.
	Acked func() uint64 `toml:"-" kong:"-"`

	// Reached, without Acked, is the seq up to which the readers of the ring have
	// what there is, as far as they make progress. The checkpoint waits for them,
	// for some seconds at most: what is on its way to somebody in a crash is read
	// again. nil: nobody is waited for. It is called some times a second and must
	// not wait.
	Reached func() uint64 `toml:"-" kong:"-"`

	// Origins, with Acked, notes of every entry of the ring where in which file
	// it ended. Nobody else may publish to the ring then. nil: nothing is noted.
	Origins *Origins `toml:"-" kong:"-"`

	MaxFiles int `toml:"max_files" kong:"-" default:"65536" min:"1"` // files beyond are not followed until there is room
}

// Target names files to follow: one file, or the files in a directory whose
// path below it matches a pattern. An empty Pattern means *.log when Path is a
// directory. Pattern may contain **. A Path that does not exist is waited for.
type Target struct {
	Path    string `toml:"path"`
	Pattern string `toml:"pattern"`
	IsFile  bool   `toml:"is_file"`

	Exclude           []string          `toml:"exclude"`                                                  // files not to follow; without a slash the base name is meant
	Format            string            `toml:"format" enum:"auto,json,logfmt,text,regex" default:"auto"` // "" = auto
	Regex             string            `toml:"regex"`                                                    // of format regex: named groups time, level, message; others become fields
	Multiline         Multiline         `toml:"multiline"`
	Tags              map[string]string `toml:"tags"`                                     // merged into the fields of every entry
	Timezone          string            `toml:"timezone" default:"local"`                 // of times that name none; "" = local
	StripANSI         bool              `toml:"strip_ansi" default:"false"`               // take colours and other escape sequences out
	MaxLinesPerSecond int               `toml:"max_lines_per_second" default:"0" min:"0"` // over all files of the target; what is beyond is counted and left out; 0 = no limit
}

// defaultPattern selects the files of a directory that is named alone.
const defaultPattern = "*.log"

// ParseTarget reads path[:pattern[:isfile]]. A string that exists as a path is
// that path, colons and all; otherwise the longest leading part that exists is
// the path, or what stands before the first colon. A path with wildcards that
// does not exist is split into its fixed part and a pattern.
func ParseTarget(s string) (Target, error) {
	if strings.TrimSpace(s) == "" {
		return Target{}, errors.New("target is empty: name a file, a directory or path:pattern")
	}
	if exists(s) {
		return plainTarget(s), nil
	}
	path, rest, found := splitPath(s)
	if !found {
		return plainTarget(path), nil
	}
	if path == "" {
		path = "."
	}
	pattern, word, hasWord := strings.Cut(rest, ":")
	t := Target{Path: path, Pattern: pattern}
	if hasWord && word != "" {
		isFile, err := strconv.ParseBool(word)
		if err != nil {
			return Target{}, fmt.Errorf("target %q: isfile is %q, want true or false", s, word)
		}
		t.IsFile = isFile
	}
	if t.Pattern == "" && !t.IsFile {
		return plainTarget(path), nil
	}
	return t, t.named(t.Check())
}

// splitPath cuts a target behind its path.
func splitPath(s string) (path, rest string, found bool) {
	for i := len(s) - 1; i > 0; i-- {
		if s[i] == ':' && strings.Count(s[i:], ":") <= 2 && exists(s[:i]) {
			return s[:i], s[i+1:], true
		}
	}
	return strings.Cut(s, ":")
}

// plainTarget returns the target that a path means by itself.
func plainTarget(path string) Target {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir(), err != nil && strings.HasSuffix(path, "/"):
		return Target{Path: path, Pattern: defaultPattern}
	case err == nil:
		return Target{Path: path, IsFile: true}
	case strings.ContainsAny(path, "*?[{"):
		base, pattern := doublestar.SplitPattern(path)
		return Target{Path: base, Pattern: pattern}
	}
	return Target{Path: path} // a file or a directory, whichever appears
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// DirectoryError says that a target is a directory though IsFile says that it
// is a file.
type DirectoryError struct{ Path string }

func (e *DirectoryError) Error() string {
	return fmt.Sprintf("target %s is a directory, but is_file says that it is a file: leave is_file out, or name a file in it", e.Path)
}

// IsDirectory reports whether the target is a directory though IsFile says that
// it is a file. One that becomes a directory later is waited for.
func (t Target) IsDirectory() bool {
	st, err := statPath(t.Path)
	return t.IsFile && err == nil && st.dir
}

// Check reports what is wrong with a target. The error begins with the key.
func (t Target) Check() error {
	if t.Path == "" {
		return errors.New("has no path: set path to a file or a directory")
	}
	if !doublestar.ValidatePattern(t.Pattern) {
		return fmt.Errorf("pattern %q is malformed: close every [ and {", t.Pattern)
	}
	for _, p := range t.Exclude {
		if !doublestar.ValidatePattern(p) {
			return fmt.Errorf("exclude: pattern %q is malformed: close every [ and {", p)
		}
	}
	_, err := newRules(&t)
	return err
}

// named adds which target an error is about.
func (t Target) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("target %s: %w", t.Path, err)
}

// check reports the first setting that is out of range.
func (o *Options) check() error {
	switch {
	case o.CheckInterval < 10 || o.CheckInterval > 3600000:
		return fmt.Errorf("check_interval_ms is %d: must be 10 to 3600000", o.CheckInterval)
	case o.ReadFrom != "" && o.ReadFrom != "end" && o.ReadFrom != "beginning":
		return fmt.Errorf("read_from is %q: must be beginning or end", o.ReadFrom)
	case o.Watch != "" && o.Watch != "auto" && o.Watch != "inotify" && o.Watch != "poll":
		return fmt.Errorf("watch is %q: must be auto, inotify or poll", o.Watch)
	case o.RotateWait < 0:
		return fmt.Errorf("rotate_wait_ms is %d: must not be negative", o.RotateWait)
	case o.PartialFlush < 0:
		return fmt.Errorf("partial_flush_ms is %d: must not be negative (0 = hold for ever)", o.PartialFlush)
	case o.MaxLineBytes < 16 || o.MaxLineBytes > 64<<20:
		return fmt.Errorf("max_line_bytes is %d: must be 16 to 67108864", o.MaxLineBytes)
	case o.SourceName != "" && o.SourceName != "basename" && o.SourceName != "relative" && o.SourceName != "path":
		return fmt.Errorf("source_name is %q: must be basename, relative or path", o.SourceName)
	case o.MaxFiles < 1:
		return fmt.Errorf("max_files is %d: must be at least 1", o.MaxFiles)
	}
	for _, t := range o.Targets {
		if err := t.Check(); err != nil {
			return t.named(err)
		}
		if t.IsDirectory() {
			return &DirectoryError{t.Path}
		}
	}
	return nil
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// root is a target made absolute.
type root struct {
	path    string
	pattern string
	isFile  bool
	depth   int // directories below path that the pattern can reach, -1 = any
	exclude []string
	rules   *rules
	target  Target             // what it was made from
	adopted bool               // rules are those of a target before a change
	still   map[string]listing // directories that need no listing while they are the same
}

// roots makes the targets absolute.
func roots(targets []Target) ([]root, error) {
	if targets == nil {
		targets = []Target{{Path: ".", Pattern: defaultPattern}}
	}
	var all []root
	for _, t := range targets {
		if t.Pattern == "" && !t.IsFile {
			p := plainTarget(t.Path)
			t.Path, t.Pattern, t.IsFile = p.Path, p.Pattern, p.IsFile
		}
		path, err := filepath.Abs(t.Path)
		if err != nil {
			return nil, fmt.Errorf("target %s: make absolute: %w", t.Path, err)
		}
		r := root{path: path, pattern: t.Pattern, isFile: t.IsFile, exclude: t.Exclude, target: t}
		if r.rules, err = newRules(&t); err != nil {
			return nil, t.named(err)
		}
		if r.pattern == "" {
			r.pattern = defaultPattern
		}
		r.depth = strings.Count(r.pattern, "/")
		if strings.Contains(r.pattern, "**") {
			r.depth = -1
		}
		all = append(all, r)
	}
	return all, nil
}

// matches reports whether the path is one that the target names.
func (r *root) matches(path string) bool {
	if path == r.path {
		return true // a directory there is told apart when it is looked at
	}
	rest, below := strings.CutPrefix(path, slashed(r.path))
	return below && !r.isFile && doublestar.MatchUnvalidated(r.pattern, rest) && !r.excludes(rest)
}

// excludes reports whether a path below the target's is not to be followed.
func (r *root) excludes(rest string) bool {
	for _, p := range r.exclude {
		name := rest
		if !strings.Contains(p, "/") {
			name = filepath.Base(rest)
		}
		if doublestar.MatchUnvalidated(p, name) {
			return true
		}
	}
	return false
}

// concerns reports whether a directory that comes or goes at path changes what
// the target can reach.
func (r *root) concerns(path string) bool {
	if path == r.path || strings.HasPrefix(r.path, slashed(path)) {
		return true
	}
	return r.depth != 0 && !r.isFile && strings.HasPrefix(path, slashed(r.path))
}

func slashed(dir string) string {
	if strings.HasSuffix(dir, "/") {
		return dir
	}
	return dir + "/"
}
