//go:build !linux

package tail

import "errors"

// The daemon is for Linux: these make the package build for commands that want
// no more of it than its settings.

var errNotLinux = errors.New("files are followed on Linux only")

func statPath(string) (status, error) { return status{}, errNotLinux }

func statFile(int) (status, error) { return status{}, errNotLinux }

func readCached(int, []byte, int64) (n int, unknown bool) { return 0, true }

func pathOf(int) (path string, there bool) { return "", false }

func remoteFS(string) bool { return false }
