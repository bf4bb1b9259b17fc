package ring_test

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"logwisp/ring"
)

func TestLargePagesAreInMemoryThatMayHaveHugePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip("the kernel has no huge pages:", err)
	}
	r := ring.New(ring.Options{Bytes: 8 << 20, Entries: 1 << 16})
	b := r.NewBuilder()
	for !b.Full() {
		b.Add(append(b.Text(), strings.Repeat("x", 199)+"\n"...), 0, 0)
	}
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b.Text())))
	if flags := flagsOfMapping(t, at); !slices.Contains(flags, "hg") {
		t.Errorf("the page's memory at %#x has the flags %v, not hg, for huge pages", at, flags)
	}
}

// flagsOfMapping returns the VmFlags of the mapping that an address is in, see
// proc_pid_smaps(5).
func flagsOfMapping(t *testing.T, at uintptr) []string {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	within := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var first, end uintptr
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &first, &end); n == 2 {
			within = first <= at && at < end
		} else if flags, ok := strings.CutPrefix(lines.Text(), "VmFlags:"); ok && within {
			return strings.Fields(flags)
		}
	}
	t.Fatalf("no mapping has %#x", at)
	return nil
}
