//go:build linux && (amd64 || arm64) && !go1.28

package mdwe_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// denials are the ways in which a service manager denies executable memory.
var denials = map[string]func() error{
	"PR_SET_MDWE": func() error {
		return unix.Prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)
	},
	"seccomp": denyMprotect,
}

// TestMain is the launcher, too: with DENY set it denies itself executable
// memory and becomes the program that its arguments name.
func TestMain(m *testing.M) {
	deny, ok := denials[os.Getenv("DENY")]
	if !ok {
		os.Exit(m.Run())
	}
	runtime.LockOSThread() // a filter is the thread's that has set it, and so is what it executes
	err := deny()
	if err == nil {
		err = syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "cannot deny:", err)
	os.Exit(125)
}

// denyMprotect does what systemd does where the kernel has no PR_SET_MDWE: a
// filter has mprotect(…, PROT_EXEC) fail.
func denyMprotect() error {
	const (
		numberAt = 0  // in struct seccomp_data
		thirdAt  = 32 // the low half of the third argument
	)
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	jump := func(test uint16, k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, K: k, Jt: yes, Jf: no}
	}
	end := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	filter := []unix.SockFilter{
		load(numberAt),
		jump(unix.BPF_JEQ, unix.SYS_MPROTECT, 0, 3),
		load(thirdAt),
		jump(unix.BPF_JSET, unix.PROT_EXEC, 0, 1),
		end(unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)),
		end(unix.SECCOMP_RET_ALLOW),
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}

func TestWhereMemoryCannotBeMadeExecutableTheProgramSaysSoInOneLine(t *testing.T) {
	program := filepath.Join(t.TempDir(), "logwisp")
	if out, err := exec.Command("go", "build", "-o", program, "logwisp/cmd/logwisp").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	launcher, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name := range denials {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(launcher, program, "version")
			cmd.Env = append(os.Environ(), "DENY="+name)
			out, _ := cmd.CombinedOutput() // the code is in ProcessState
			code, text := cmd.ProcessState.ExitCode(), string(out)
			if code == 125 && strings.Contains(text, "invalid argument") {
				t.Skip("this kernel has no PR_SET_MDWE: Linux 6.3 and later do")
			}
			if code != 78 || strings.Count(text, "\n") != 1 || !strings.Contains(text, "MemoryDenyWriteExecute=no") {
				t.Errorf("exit code %d, want 78 and one line that names MemoryDenyWriteExecute=no; it printed:\n%s", code, text)
			}
		})
	}
	if out, err := exec.Command(program, "version").CombinedOutput(); err != nil {
		t.Errorf("where nothing is denied: %v\n%s", err, out)
	}
}

// TestTheLoaderIsInitialisedAfterThisPackage holds what doc.go says must stay
// true, on the architecture that this test does not run on as well.
func TestTheLoaderIsInitialisedAfterThisPackage(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		imports := func(path string) []string {
			cmd := exec.Command("go", "list", "-deps", path)
			cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("go list -deps %s: %v", path, err)
			}
			return strings.Fields(string(out))
		}
		if own := imports("logwisp/cmd/logwisp/mdwe"); slices.Contains(own, "os") {
			t.Errorf("%s: the package needs os", arch)
		}
		if !slices.Contains(imports("github.com/bytedance/sonic/loader"), "os") {
			t.Errorf("%s: sonic's loader does not need os", arch)
		}
	}
}
