package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	longestNap  = 50 * time.Millisecond
	windowNap   = 500 * time.Microsecond // in which a sixteenth of the window is read at most; see windowWait
	windowRest  = 20 * time.Millisecond
	houseEvery  = 64 << 20  // bytes between looks at the disk
	spareDisk   = 256 << 20 // bytes left free on it
	keptHead    = 1 << 20   // bytes never punched out: the daemon may know the file by them
	keptBehind  = 64 << 20  // bytes kept behind the slowest client
	longestRamp = 5 * time.Second
)

// appender writes the lines. It is used by one goroutine.
type appender struct {
	file  *os.File  // nil when the lines go elsewhere
	out   io.Writer // whole lines a write
	name  string    // of where they go
	form  *lineForm
	board *board
	o     *options
	punch bool // the file is ours: give back the space of what everybody has

	buf     []byte
	written uint64 // numbered lines
	appends uint64
	bytes   int64 // since the file was opened, probes too
	housed  int64 // bytes at the last look at the disk
	base    int64 // size of the file when it was opened
}

func openAppender(path string, o *options, form *lineForm, b *board) (*appender, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log file: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("stat the log file: %w", err)
	}
	return &appender{file: f, out: pageCache{int(f.Fd())}, name: path, form: form, board: b, o: o, punch: o.bin != "" || len(o.args) > 0 && st.Size() == 0, base: st.Size()}, nil
}

// close ends the output.
func (a *appender) close() {
	if c, ok := a.out.(io.Closer); ok {
		c.Close()
	}
	if a.file != nil {
		a.file.Close()
	}
}

// pageCache writes to a file without telling the scheduler, which would take
// the processor away from the thread for writes that only copy.
type pageCache struct{ fd int }

func (p pageCache) Write(b []byte) (n int, err error) {
	for n < len(b) {
		k, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(p.fd), uintptr(unsafe.Pointer(&b[n])), uintptr(len(b)-n))
		if errno != 0 && errno != unix.EINTR {
			return n, errno
		}
		if errno == 0 {
			n += int(k)
		}
	}
	return n, nil
}

// probe appends one probe line.
func (a *appender) probe() error { return a.write(0, 1) }

// append appends the next n numbered lines in one write.
func (a *appender) append(n uint64) error {
	if err := a.write(a.written+1, int(n)); err != nil {
		return err
	}
	a.written += n
	a.appends++
	a.board.written.Store(a.written)
	return a.house()
}

func (a *appender) write(first uint64, n int) error {
	if now := time.Now().UnixNano(); !a.o.full && first > 1 && len(a.buf) == n*a.o.lineBytes {
		a.form.renumber(a.buf, first, now)
	} else {
		a.buf = a.form.append(a.buf[:0], first, n, now)
	}
	k, err := a.out.Write(a.buf)
	a.bytes += int64(k)
	if err != nil {
		return fmt.Errorf("append to %s: %w", a.name, err)
	}
	return nil
}

// run appends until the lines or the time are used up, or ctx ends.
func (a *appender) run(ctx context.Context) error {
	// A thread of its own: naps below a millisecond are slept in the kernel,
	// which the runtime's timers would round up.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	limit := a.o.lines
	if limit == 0 {
		limit = math.MaxInt64
	}
	start := time.Now()
	for a.written < limit && ctx.Err() == nil {
		elapsed := time.Since(start)
		if elapsed >= a.o.duration {
			return nil
		}
		n, wait, over := a.next(elapsed)
		if over {
			return nil
		}
		if n == 0 {
			nap(min(wait, a.o.duration-elapsed))
			continue
		}
		if err := a.append(min(n, limit-a.written)); err != nil {
			return err
		}
	}
	return nil
}

// next says how many lines to append now, or, if none, how long to wait. over
// means that there is nobody left to write for.
func (a *appender) next(elapsed time.Duration) (n uint64, wait time.Duration, over bool) {
	size := uint64(a.o.lineBytes)
	if a.o.rate == 0 {
		n = max(uint64(a.o.batch), 1)
		if a.o.batch == 0 {
			n = max(flatBatch/size, 1)
		}
		slowest := a.board.slowest()
		if slowest == allAccounted {
			return 0, 0, true
		}
		window := uint64(float64(flatWindow) * a.ramp(elapsed))
		if a.written > slowest && (a.written-slowest+n)*size > max(window, n*size) {
			return 0, windowWait(slowest*size, elapsed), false
		}
		return n, 0, false
	}
	unit := max(uint64(a.o.batch), 1)
	if a.o.lines > 0 {
		unit = min(unit, a.o.lines-a.written) // the last batch may be short
	}
	due := a.due(elapsed)
	if due < a.written+unit {
		return 0, a.when(a.written+unit) - elapsed, false
	}
	if a.o.batch > 0 {
		return unit, 0, false
	}
	return min(due-a.written, maxAppend/size), 0, false
}

// windowWait is how long to wait for the slowest client, which has read so many
// bytes: until it has read a sixteenth of the window more, at its pace so far. To
// look more often takes from the processors that the daemon shares.
func windowWait(read uint64, elapsed time.Duration) time.Duration {
	if read == 0 {
		return windowNap
	}
	sixteenth := float64(elapsed) * flatWindow / 16 / float64(read)
	return min(max(time.Duration(sixteenth), windowNap), windowRest)
}

// rampTime is how long -slow-start takes; 0 without it.
func (a *appender) rampTime() time.Duration {
	if !a.o.slowStart {
		return 0
	}
	run := a.o.duration
	if a.o.lines > 0 && a.o.rate > 0 {
		run = min(run, time.Duration(float64(a.o.lines)/float64(a.o.rate)*float64(time.Second)))
	}
	return min(run/4, longestRamp)
}

// ramp is the share of the full load at elapsed, above 0 and at most 1.
func (a *appender) ramp(elapsed time.Duration) float64 {
	t := a.rampTime()
	if elapsed >= t {
		return 1
	}
	return max(float64(elapsed)/float64(t), 0.001)
}

// due is how many lines should have been written at elapsed.
func (a *appender) due(elapsed time.Duration) uint64 {
	t, ramp, rate := elapsed.Seconds(), a.rampTime().Seconds(), float64(a.o.rate)
	if t < ramp {
		return uint64(rate * t * t / (2 * ramp))
	}
	return uint64(rate * (t - ramp/2))
}

// when is the inverse of due: the time at which line n falls due, rounded up.
func (a *appender) when(n uint64) time.Duration {
	ramp, rate, k := a.rampTime().Seconds(), float64(a.o.rate), float64(n)
	t := k/rate + ramp/2
	if t < ramp {
		t = math.Sqrt(2 * ramp * k / rate)
	}
	return time.Duration(t*float64(time.Second)) + 1
}

// nap sleeps in the kernel, at most longestNap, so that ctx is looked at.
func nap(d time.Duration) {
	d = max(min(d, longestNap), time.Microsecond)
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&ts, nil) // woken early: the caller looks again
}

// house keeps the disk from filling up: a flat-out run writes hundreds of
// megabytes a second.
func (a *appender) house() error {
	if a.file == nil || a.bytes-a.housed < houseEvery {
		return nil
	}
	a.housed = a.bytes
	if low := a.board.slowest(); a.punch && low != allAccounted {
		end := a.base + int64(low)*int64(a.o.lineBytes) - keptBehind
		if end > keptHead {
			// Not every file system can; the check below is what counts.
			_ = unix.Fallocate(int(a.file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, keptHead, end-keptHead)
		}
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(a.file.Fd()), &st); err != nil {
		return fmt.Errorf("statfs %s: %w", a.file.Name(), err)
	}
	if free := st.Bavail * uint64(st.Bsize); free < spareDisk {
		return fmt.Errorf("only %d MiB left on the disk of %s: write less (-lines, -duration) or set TMPDIR to a larger one", free>>20, a.file.Name())
	}
	return nil
}
