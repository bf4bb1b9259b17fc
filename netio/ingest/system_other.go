//go:build !linux

package ingest

import "errors"

// The daemon is for Linux: these make the package build for commands that want
// no more of it than its settings.

var errNotLinux = errors.New("lines are taken in on Linux only")

func newWake() (int, error) { return -1, errNotLinux }

func forceReceiveBuffer(int) error { return errNotLinux }

func droppedAt(uintptr) uint32 { return 0 }
