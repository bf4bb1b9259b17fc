package tail

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// limitVariable tells a test that it runs in a user namespace of its own, and
// which limit of inotify it is to lower there.
const limitVariable = "TAIL_TEST_LIMIT"

// mayMount is in the place of a limit: the test mounts a file system.
const mayMount = "mount"

// inNamespace runs a test once more in a user namespace, with one limit of
// inotify lowered. It reports whether it is already there.
func inNamespace(t *testing.T, limit, value string) bool {
	t.Helper()
	if os.Getenv(limitVariable) == limit {
		if limit == mayMount {
			return true
		}
		if err := os.WriteFile("/proc/sys/user/"+limit, []byte(value), 0o644); err != nil {
			t.Skipf("the limits of a user namespace cannot be set here: %v", err)
		}
		return true
	}
	name, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+name+"$", "-test.v")
	cmd.Env = append(os.Environ(), limitVariable+"="+limit)
	own := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	groups := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, UidMappings: own, GidMappings: groups}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || strings.Contains(string(out), "--- SKIP") {
		t.Skipf("user namespaces are not allowed here: %v", err)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v: %s", err, out)
	}
	return false
}

func TestFilesAreLookedAtWhenInotifyHasRunOut(t *testing.T) {
	for _, limit := range []struct{ name, value string }{{"max_inotify_watches", "2"}, {"max_inotify_instances", "0"}} {
		if now := os.Getenv(limitVariable); now != "" && now != limit.name {
			continue
		}
		if !inNamespace(t, limit.name, limit.value) {
			continue
		}
		h := &harness{t: t, dir: t.TempDir(), watch: "auto"}
		var all [][]string
		for i := range 8 {
			h.must(os.Mkdir(h.path(fmt.Sprint("d", i)), 0o755))
		}
		h.start(".:**/*.log")
		for i := range 8 {
			name := fmt.Sprintf("d%d/app.log", i)
			h.append(name, text(lines(name, 3)))
			h.sees(name + " row 00002")
			h.rename(name, name+".1")
			h.append(name, name+" new\n")
			all = append(all, append(lines(name, 3), name+" new"))
		}
		h.wants(all...)
		if n := strings.Count(h.logged.String(), "events do not serve"); n != 1 {
			t.Errorf("it was said %d times, want once: %s", n, h.logged.String())
		}
	}
}
