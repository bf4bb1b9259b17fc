package tail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// findLogrotate returns the path of logrotate, which is not on every user's
// PATH, or skips the test.
func findLogrotate(t *testing.T) string {
	t.Helper()
	for _, candidate := range []string{"logrotate", "/usr/sbin/logrotate", "/sbin/logrotate"} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	t.Skip("logrotate is not installed: apt-get install logrotate, or run scripts/test, which does")
	return ""
}

// service is a program whose log, app.log, logrotate rotates. It writes in the
// test's goroutine, between the watcher's looks, while logrotate runs as a
// process of its own.
type service struct {
	h    *harness
	file *os.File
	id   identity
	// anew opens app.log for every write. Otherwise the descriptor is kept
	// until the script after the rotation asks for another.
	anew    bool
	next    int
	written [][]string // lines by the file they were written to
}

func (s *service) open() {
	s.file = s.h.writer("app.log")
	st, err := statFile(int(s.file.Fd()))
	s.h.must(err)
	if st.id != s.id {
		s.id = st.id
		s.written = append(s.written, nil)
	}
}

func (s *service) close() { s.h.must(s.file.Close()) }

// write appends n lines with one call.
func (s *service) write(n int) {
	if s.anew {
		s.open()
		defer s.close()
	}
	var b strings.Builder
	lines := &s.written[len(s.written)-1]
	for range n {
		s.next++
		line := fmt.Sprintf("request %07d answered.", s.next)
		*lines = append(*lines, line)
		b.WriteString(line + "\n")
	}
	s.h.write(s.file, b.String())
}

// reopens does what the script asks for, after some more lines to the old file.
// The script goes on when its question is gone.
func (s *service) reopens() {
	if _, err := os.Stat(s.h.path("reopen")); errors.Is(err, fs.ErrNotExist) {
		return
	}
	s.write(5)
	s.close()
	s.open()
	s.h.remove("reopen")
}

// last is the line written last.
func (s *service) last() string {
	lines := s.written[len(s.written)-1]
	return lines[len(lines)-1]
}

// configure writes a configuration for logrotate and returns its command.
func (s *service) configure(logrotate, directives string) func() *exec.Cmd {
	question := s.h.path("reopen")
	script := fmt.Sprintf("\tpostrotate\n\t\ttouch %q; while [ -e %[1]q ]; do sleep 0.01; done\n\tendscript\n", question)
	if s.anew || strings.Contains(directives, "copy") && !strings.Contains(directives, "renamecopy") {
		script = ""
	}
	text := fmt.Sprintf("%q {\n\t%s\n%s}\n", s.h.path("app.log"), strings.ReplaceAll(directives, "; ", "\n\t"), script)
	s.h.must(os.WriteFile(s.h.path("rotate.conf"), []byte(text), 0o600))
	return func() *exec.Cmd {
		ctx, cancel := context.WithTimeout(s.h.t.Context(), patience)
		s.h.t.Cleanup(cancel)
		return exec.CommandContext(ctx, logrotate, "-f", "-s", s.h.path("state"), s.h.path("rotate.conf"))
	}
}

// rotate runs logrotate while the service writes and the watcher looks now and
// then, until both have come to the end of it.
func (s *service) rotate(command *exec.Cmd) {
	s.h.t.Helper()
	done := make(chan error, 1)
	go func() {
		out, err := command.CombinedOutput()
		if err == nil && strings.Contains(string(out), "error:") {
			err = errors.New("it has reported an error")
		}
		if err != nil {
			err = fmt.Errorf("%s: %w: %s", command, err, out)
		}
		done <- err
	}()
	for {
		s.write(1 + rand.IntN(4))
		s.reopens()
		if rand.IntN(3) == 0 {
			s.h.w.work(s.h.t.Context())
			s.h.collect()
		}
		select {
		case err := <-done:
			s.h.must(err)
			s.write(5)
			s.h.sees(s.last())
			return
		default:
		}
	}
}

// serve starts a service and a watcher that follows it.
func serve(h *harness, anew bool, target string) *service {
	h.must(os.Chmod(h.dir, 0o755)) // logrotate refuses what others may write to
	s := &service{h: h, anew: anew}
	s.open()
	o := options(h.watch)
	o.RotateWait = 2000
	h.startWith(o, settings{}, target)
	s.write(20)
	h.sees(s.last())
	return s
}

// patterns are targets that leave out what was rotated, and that name it.
var patterns = []string{"app.log", ".:app*"}

func TestEveryModeOfLogrotateThatRenamesLosesAndRepeatsNothing(t *testing.T) {
	logrotate := findLogrotate(t)
	for name, mode := range map[string]struct {
		directives string
		rotations  int
		anew       bool
	}{
		"create":                  {"create; rotate 2", 3, false},
		"nocreate":                {"nocreate; rotate 2", 3, false},
		"nocreate, opened anew":   {"nocreate; rotate 2", 3, true},
		"sharedscripts":           {"create; rotate 2; sharedscripts", 3, false},
		"compress":                {"create; rotate 2; compress", 3, false},
		"delaycompress":           {"create; rotate 3; compress; delaycompress", 3, false},
		"dateext":                 {"create; rotate 3; dateext", 1, false},
		"dateext with extension":  {"create; rotate 3; dateext; extension .log", 1, false},
		"extension":               {"create; rotate 3; extension .log", 3, false},
		"olddir":                  {"create; rotate 2; olddir old; createolddir 755", 3, false},
		"every generation kept":   {"create; rotate -1", 3, false},
		"no generation kept":      {"create; rotate 0", 3, false},
		"numbered from elsewhere": {"create; rotate 5; start 7", 3, false},
	} {
		for i, pattern := range patterns {
			if testing.Short() && i == 0 {
				continue // the other finds more
			}
			t.Run(name+", "+pattern, func(t *testing.T) {
				scenario(t, func(t *testing.T, h *harness) {
					s := serve(h, mode.anew, pattern)
					command := s.configure(logrotate, mode.directives)
					for range mode.rotations {
						s.rotate(command())
					}
					if len(s.written) != mode.rotations+1 {
						t.Errorf("%d files were written to, want %d", len(s.written), mode.rotations+1)
					}
					h.wants(s.written...)
				})
			})
		}
	}
}

func TestLogThatLogrotateCopiesIsReadOnce(t *testing.T) {
	logrotate := findLogrotate(t)
	for _, pattern := range patterns {
		t.Run(pattern, func(t *testing.T) {
			scenario(t, func(_ *testing.T, h *harness) {
				s := serve(h, false, pattern)
				command := s.configure(logrotate, "copy; rotate 2")
				for range 3 {
					s.rotate(command())
				}
				h.wants(s.written...)
			})
		})
	}
}

func TestCopyFoundAfterItsLogWasReadOnIsNotReadAgain(t *testing.T) {
	for _, truncates := range []bool{false, true} {
		t.Run(fmt.Sprintf("truncated %v", truncates), func(t *testing.T) {
			scenario(t, func(_ *testing.T, h *harness) {
				h.start(".:*.log*")
				h.append("app.log", text(lines("a", 60)))
				h.sees("a row 00059")
				h.copy("app.log", "side.tmp")
				h.append("app.log", text(lines("b", 60)))
				h.sees("b row 00059")
				if truncates {
					h.truncate("app.log")
				}
				h.append("app.log", text(lines("c", 4)))
				h.sees("c row 00003")
				h.rename("side.tmp", "app.log.1")
				h.wants(lines("a", 60), lines("b", 60), lines("c", 4))
			})
		})
	}
}

func TestCopytruncateOfAPausedServiceLosesAndRepeatsNothing(t *testing.T) {
	logrotate := findLogrotate(t)
	for _, pattern := range patterns {
		t.Run(pattern, func(t *testing.T) {
			scenario(t, func(t *testing.T, h *harness) {
				s := serve(h, false, pattern)
				command := s.configure(logrotate, "copytruncate; rotate 2")
				for range 4 {
					s.write(40)
					h.sees(s.last())
					out, err := command().CombinedOutput()
					if err != nil {
						t.Fatalf("%v: %s", err, out)
					}
					h.until("the truncation is seen", func() bool { return h.w.names[h.path("app.log")].file.pos == 0 })
					s.write(40)
					h.sees(s.last())
				}
				h.wants(s.written...)
				if n := h.w.Stats().LostBytes; n != 0 {
					t.Errorf("%d bytes are counted as lost, want none", n)
				}
			})
		})
	}
}

// What is written between the end of the copy and the truncation is lost to
// everybody; nothing else may be.
func TestCopytruncateOfABusyServiceRepeatsNothingAndLosesNothingOfLogAndCopies(t *testing.T) {
	logrotate := findLogrotate(t)
	for _, pattern := range patterns {
		t.Run(pattern, func(t *testing.T) {
			scenario(t, func(t *testing.T, h *harness) {
				s := serve(h, false, pattern)
				command := s.configure(logrotate, "copytruncate; rotate 9")
				for range 4 {
					s.rotate(command())
				}
				wanted := s.linesIn("app.log*")
				count := map[string]int{}
				h.until("every line that is in a file", func() bool {
					clear(count)
					for _, e := range h.got {
						count[e.Message]++
					}
					return !slices.ContainsFunc(wanted, func(line string) bool { return count[line] == 0 })
				})
				s.wantsNoneTwice()
				s.wantsNoneTorn()
				t.Logf("%d lines written, %d entries, %d bytes known to be lost", s.next, len(h.got), h.w.Stats().LostBytes)
			})
		})
	}
}

// wantsNoneTwice looks at everything once more and checks that no line came
// twice.
func (s *service) wantsNoneTwice() {
	s.h.t.Helper()
	s.h.lookAtAll()
	count := map[string]int{}
	for _, m := range s.h.messages() {
		if count[m]++; count[m] == 2 {
			s.h.t.Errorf("%q came twice", m)
		}
	}
}

// wantsNoneTorn checks that every entry is a line as it was written, unless it
// says that its end is missing.
func (s *service) wantsNoneTorn() {
	s.h.t.Helper()
	written := map[string]bool{}
	for _, line := range slices.Concat(s.written...) {
		written[line] = true
	}
	for _, e := range s.h.got {
		if !written[e.Message] && e.Fields["_partial"] != true {
			s.h.t.Errorf("%q is no line that was written", e.Message)
		}
	}
}

// linesIn returns the whole lines that are in the files of a pattern.
func (s *service) linesIn(pattern string) (all []string) {
	paths, err := filepath.Glob(s.h.path(pattern))
	s.h.must(err)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		s.h.must(err)
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(line, "request ") && strings.HasSuffix(line, ".\n") {
				all = append(all, strings.TrimSuffix(line, "\n"))
			}
		}
	}
	return all
}
