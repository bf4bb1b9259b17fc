package ring

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

// hugePage is the size of a huge page, and what it begins at a multiple of.
const hugePage = 2 << 20

// lastAdvised is where the memory begins that was asked for last.
var lastAdvised atomic.Uintptr

// AdviseHugePages asks the kernel to use huge pages for the memory that a block
// lies in, which may be of the garbage collected heap: what is read over and over
// by others then costs fewer faults and fewer entries of the processor's
// translation buffer. It takes memory 2 MiB at a time, so it is for blocks of which
// there are many, or that are long. It is advice: where the kernel has no such
// pages, or is told to use none, nothing changes. See madvise(2), MADV_HUGEPAGE.
func AdviseHugePages(block []byte) {
	begin := uintptr(unsafe.Pointer(unsafe.SliceData(block)))
	first := begin &^ (hugePage - 1)
	end := (begin + uintptr(cap(block)) + hugePage - 1) &^ (hugePage - 1)
	if end-first == hugePage && lastAdvised.Swap(first) == first {
		return // most blocks are beside the one before
	}
	// Go's heap is mapped in multiples of 64 MiB, so nothing else is in there.
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, first, end-first, syscall.MADV_HUGEPAGE)
}
