package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is USER_HZ, the unit of times in /proc; fixed on Linux.
const ticksPerSecond = 100

// procUsage is what a process, or several, have used so far.
type procUsage struct {
	cpu    float64 // s, user and system
	peak   uint64  // bytes of memory, VmHWM; since the process began; of several the sum, shared pages in each
	writes int64   // write system calls; -1 = not readable
}

// usageOf reads the usage of process pid and of all its descendants that run
// now. What one that has ended had used is not in it.
func usageOf(pid int) (procUsage, error) {
	sum, err := procOf(pid)
	if err != nil {
		return sum, err
	}
	threads, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	if err != nil {
		return sum, fmt.Errorf("measure process %d: %w", pid, err)
	}
	for _, thread := range threads {
		// A kernel that keeps no such list measures the process alone.
		list, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + thread.Name() + "/children")
		for _, field := range bytes.Fields(list) {
			child, _ := strconv.Atoi(string(field))
			u, err := usageOf(child)
			if errors.Is(err, os.ErrNotExist) {
				continue // it has just ended
			}
			if err != nil {
				return sum, err
			}
			sum.cpu += u.cpu
			sum.peak += u.peak
			if sum.writes >= 0 && u.writes >= 0 {
				sum.writes += u.writes
			} else {
				sum.writes = -1
			}
		}
	}
	return sum, nil
}

// procOf reads the usage of process pid alone.
func procOf(pid int) (procUsage, error) {
	var u procUsage
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return u, fmt.Errorf("measure process %d: %w", pid, err)
	}
	// The command name may hold spaces and parentheses: count from the last.
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(f) < 13 {
		return u, fmt.Errorf("measure process %d: %s/stat has %d fields", pid, dir, len(f))
	}
	user, _ := strconv.ParseUint(string(f[11]), 10, 64)
	sys, _ := strconv.ParseUint(string(f[12]), 10, 64)
	u.cpu = float64(user+sys) / ticksPerSecond
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return u, fmt.Errorf("measure process %d: %w", pid, err)
	}
	u.peak = procField(status, "VmHWM:") << 10
	u.writes = -1
	if io, err := os.ReadFile(dir + "/io"); err == nil {
		u.writes = int64(procField(io, "syscw:"))
	}
	return u, nil
}

// procField returns the number behind name, 0 when there is none.
func procField(text []byte, name string) uint64 {
	_, after, ok := bytes.Cut(text, []byte(name))
	if !ok {
		return 0
	}
	f := bytes.Fields(after)
	if len(f) == 0 {
		return 0
	}
	v, _ := strconv.ParseUint(string(f[0]), 10, 64)
	return v
}

// ownCPU is the CPU time of this process in seconds.
func ownCPU() float64 {
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &ru) != nil {
		return 0
	}
	return float64(ru.Utime.Nano()+ru.Stime.Nano()) / 1e9
}
