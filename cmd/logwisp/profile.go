//go:build profile

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// profileDirectory names the variable with the directory that the profiles go
// to. It is no LOGWISP_ variable: those are settings, and this is none.
const profileDirectory = "PROFILE_DIR"

// init runs the whole program when it is to be profiled: main ends by os.Exit,
// which runs nothing behind it, so the profiles have to be written here, between
// the program's end and its exit. Without the variable main runs as ever.
func init() {
	dir := os.Getenv(profileDirectory)
	if dir == "" {
		return
	}
	stop, err := startProfile(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "logwisp: "+err.Error())
		os.Exit(exitFailure)
	}
	code := run(os.Args[1:], os.Stdout, os.Stderr)
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, "logwisp: "+err.Error())
		code = max(code, exitFailure)
	}
	os.Exit(code)
}

// startProfile begins a CPU profile in dir/cpu.pprof. What it returns ends it
// and writes dir/heap.pprof and dir/allocs.pprof.
func startProfile(dir string) (stop func() error, err error) {
	cpu, err := os.Create(filepath.Join(dir, "cpu.pprof"))
	if err != nil {
		return nil, fmt.Errorf("profile: %w (%s must name a directory that can be written)", err, profileDirectory)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		cpu.Close()
		return nil, fmt.Errorf("profile: %w", err)
	}
	return func() error {
		pprof.StopCPUProfile()
		if err := cpu.Close(); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		runtime.GC() // the heap profile is as of the last collection
		for _, name := range []string{"heap", "allocs"} {
			if err := writeProfile(name, filepath.Join(dir, name+".pprof")); err != nil {
				return fmt.Errorf("profile: %w", err)
			}
		}
		return nil
	}, nil
}

func writeProfile(name, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := pprof.Lookup(name).WriteTo(f, 0); err != nil {
		f.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Close()
}
