//go:build linux && (amd64 || arm64) && !go1.28

// The constraint is sonic's own for the encoder that loads code.

package mdwe

import "syscall"

// exitConfig is the exit code for a bad configuration, here that of the unit.
const exitConfig = 78

func init() {
	if reason := refused(); reason != 0 {
		text := "logwisp: memory cannot be made executable here (" + reason.Error() + "), and the JSON encoder has code to load: " +
			"set MemoryDenyWriteExecute=no in the unit, or allow execmem where SELinux or seccomp denies it\n"
		_, _ = syscall.Write(syscall.Stderr, []byte(text)) // the exit code says it, too
		syscall.Exit(exitConfig)
	}
}

// refused tries what sonic's loader does: it maps a page to write to, then makes
// it executable. Asking for PR_GET_MDWE would not do: systemd before 254, and
// SELinux, deny the call without that flag. 0 means that it may be done.
func refused() syscall.Errno {
	page, err := syscall.Mmap(-1, 0, syscall.Getpagesize(), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return 0 // out of memory is for others to say
	}
	defer func() { _ = syscall.Munmap(page) }()
	reason, _ := syscall.Mprotect(page, syscall.PROT_READ|syscall.PROT_EXEC).(syscall.Errno)
	return reason
}
