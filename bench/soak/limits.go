package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// limitDescriptors sets how many descriptors a process may have.
func limitDescriptors(pid int, n uint64) error {
	var now unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &now); err != nil {
		return fmt.Errorf("read the limit of descriptors of process %d: %w", pid, err)
	}
	now.Cur = min(n, now.Max)
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &now, nil); err != nil {
		return fmt.Errorf("set the limit of descriptors of process %d: %w", pid, err)
	}
	return nil
}

// mountSmall mounts a file system of 64 KiB.
func mountSmall(dir string) error {
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k")
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("mounting a file system takes root: %w", errCannot)
	}
	return err
}

func unmount(dir string) error { return unix.Unmount(dir, unix.MNT_DETACH) }

// setClock sets the machine's clock to what is right, and so much on top.
func setClock(ahead time.Duration) error {
	ts := unix.NsecToTimespec(nanos(time.Now().Add(ahead)))
	err := unix.ClockSettime(unix.CLOCK_REALTIME, &ts)
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("setting the clock takes root: %w", errCannot)
	}
	return err
}
