//go:build !linux

package forward

import (
	"errors"
	"time"
)

// The daemon is for Linux: these make the package build for commands that want
// no more of it than its settings.

var errNotLinux = errors.New("entries are pushed on Linux only")

func acknowledged(int) (bytes uint64, all bool, err error) { return 0, false, errNotLinux }

func setUserTimeout(int, time.Duration) error { return errNotLinux }
