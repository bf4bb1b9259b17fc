package tail

import (
	"bytes"
	"fmt"
	"regexp"
	"time"
)

// Multiline are the settings of a target whose entries may have several lines.
// They are off while neither Start nor Preset is given.
type Multiline struct {
	Start    string `toml:"start"`                                         // RE2 that the first line of an entry matches, and no other
	Preset   string `toml:"preset" enum:",java,python,go,indent"`          // lines that belong to the one before, by kind of log
	MaxLines int    `toml:"max_lines" default:"500" min:"1" max:"100000"`  // 0 = 500
	Flush    int    `toml:"flush_ms" default:"1000" min:"1" max:"3600000"` // an entry ends when no line has come for so long; 0 = 1000
}

// maxStart is the length in bytes of the longest start pattern.
const maxStart = 4096

// joiner decides which lines make one entry. It has no state: what it needs to
// know of the lines before is in the group.
type joiner struct {
	continues func(g *group, line []byte) bool // the line, which is not empty, belongs to g, which has at least one
	maxLines  int
	flush     time.Duration
}

// newJoiner returns nil when the settings are off.
func newJoiner(m Multiline) (*joiner, error) {
	j := &joiner{maxLines: m.MaxLines, flush: milliseconds(m.Flush)}
	if j.maxLines == 0 {
		j.maxLines = 500
	}
	if j.flush == 0 {
		j.flush = time.Second
	}
	switch {
	case m.MaxLines < 0 || m.Flush < 0:
		return nil, fmt.Errorf("multiline: max_lines is %d and flush_ms %d: neither may be negative", m.MaxLines, m.Flush)
	case m.Start != "" && m.Preset != "":
		return nil, fmt.Errorf("multiline: both start and preset are given: leave one out")
	case len(m.Start) > maxStart:
		return nil, fmt.Errorf("multiline: start has %d bytes: at most %d", len(m.Start), maxStart)
	case m.Start != "":
		start, err := regexp.Compile(m.Start)
		if err != nil {
			return nil, fmt.Errorf("multiline: start: %w", err)
		}
		j.continues = func(_ *group, line []byte) bool { return !start.Match(line) }
		return j, nil
	}
	switch m.Preset {
	case "":
		return nil, nil
	case "indent":
		j.continues = func(_ *group, line []byte) bool { return indented(line) }
	case "java":
		j.continues = continuesJava
	case "python":
		j.continues = continuesPython
	case "go":
		j.continues = continuesGo
	default:
		return nil, fmt.Errorf("multiline: preset is %q: must be java, python, go or indent", m.Preset)
	}
	return j, nil
}

// group is an entry of several lines under construction.
type group struct {
	text   []byte // the lines with newlines between them
	lines  int    // 0 = there is none
	cut    int64  // bytes cut off lines of it
	micros int64  // time of the first line where it has none of its own
	from   int64  // everything before it in the file was sent
	part   bool   // the last line had no newline
	stream stream // of a container, that the lines are from
	trace  bool   // a stack trace has begun
	deep   bool   // the last line was part of its frames
}

func indented(line []byte) bool { return line[0] == ' ' || line[0] == '\t' }

// continuesJava takes what a throwable prints: frames and counts, which are
// indented, causes, and the class of the throwable itself.
func continuesJava(g *group, line []byte) bool {
	if indented(line) || bytes.HasPrefix(line, []byte("Caused by: ")) || bytes.HasPrefix(line, []byte("Suppressed: ")) {
		return true
	}
	return throwable(line)
}

// throwable reports whether a line begins with the qualified name of a class
// that is one by its name: a.b.SomeException: text.
func throwable(line []byte) bool {
	end, dots := 0, 0
	for end < len(line) && (isWord(line[end]) || line[end] == '$' || line[end] == '.') {
		if line[end] == '.' {
			dots++
		}
		end++
	}
	if dots == 0 || end < len(line) && line[end] != ':' {
		return false
	}
	name := line[:end]
	return bytes.HasSuffix(name, []byte("Exception")) || bytes.HasSuffix(name, []byte("Error")) ||
		bytes.HasSuffix(name, []byte("Throwable"))
}

var traceback = []byte("Traceback (most recent call last):")

// continuesPython takes a traceback: its head, its frames, the line that names
// the exception behind them, and what chains one traceback to the next.
func continuesPython(g *group, line []byte) bool {
	if g.lines == 1 && bytes.HasPrefix(g.text, traceback) {
		g.trace = true // nothing was before it
	}
	if bytes.HasPrefix(line, traceback) ||
		bytes.HasPrefix(line, []byte("During handling of the above exception")) ||
		bytes.HasPrefix(line, []byte("The above exception was the direct cause")) {
		g.trace, g.deep = true, false
		return true
	}
	if indented(line) {
		g.deep = true
		return true
	}
	named := g.trace && g.deep
	g.deep = false
	return named
}

// continuesGo takes what the runtime prints about a panic or a fatal error,
// with the goroutines behind it.
func continuesGo(g *group, line []byte) bool {
	if g.lines == 1 && !g.trace {
		g.trace = bytes.HasPrefix(g.text, []byte("panic: ")) || bytes.HasPrefix(g.text, []byte("fatal error: ")) ||
			bytes.HasPrefix(g.text, []byte("SIG")) || bytes.HasPrefix(g.text, []byte("goroutine "))
	}
	if !g.trace {
		return indented(line)
	}
	for _, head := range [...]string{"goroutine ", "created by ", "[signal ", "[recovered]", "runtime stack:", "exit status ", "panic: ", "PC="} {
		if bytes.HasPrefix(line, []byte(head)) {
			return true
		}
	}
	return indented(line) || call(line)
}

// call reports whether a line is a function with its arguments, as a frame
// begins: main.(*server).run(0xc000010000, {0x1, 0x2}). Dots in the last element of
// a path are written %2e.
func call(line []byte) bool {
	if line[len(line)-1] != ')' {
		return false
	}
	end := 0
	for end < len(line) && (isWord(line[end]) || bytes.IndexByte([]byte("./*()[]-%·…"), line[end]) >= 0 || line[end] >= 0x80) {
		if line[end] == '(' && end+1 < len(line) && line[end+1] != '*' {
			break
		}
		end++
	}
	return end < len(line) && line[end] == '(' && bytes.IndexByte(line[:end], '.') > 0
}

func isWord(c byte) bool {
	return c == '_' || c-'0' < 10 || (c|0x20)-'a' < 26
}
