//go:build !linux

package ring

// AdviseHugePages does nothing: the kernel is Linux's to ask.
func AdviseHugePages([]byte) {}
