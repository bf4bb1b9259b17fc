package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The lines whose lateness is measured: stampMark, the time of the write in
// ns with stampDigits digits (0 for a probe), padding to stampBytes.
const (
	stampMark   = "stamp "
	stampDigits = 20
	stampBytes  = 196 // not the length of the load generator's lines
)

// stamper appends stamped lines to a file.
type stamper struct {
	file    *os.File
	line    []byte
	pad     []byte
	written int // lines, but for probes
}

func newStamper(path string) (*stamper, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return &stamper{file: f, pad: bytes.Repeat([]byte("x "), stampBytes)}, nil
}

// write appends n lines of one time, in one write.
func (s *stamper) write(n int, at int64) error {
	s.line = s.line[:0]
	for range n {
		begin := len(s.line)
		s.line = fmt.Appendf(s.line, "%s%0*d ", stampMark, stampDigits, at)
		s.line = append(s.line, s.pad[:stampBytes-1-(len(s.line)-begin)]...)
		s.line = append(s.line, '\n')
	}
	if at > 0 {
		s.written += n
	}
	_, err := s.file.Write(s.line)
	return err
}

// pace appends rate lines a second for d, each when it is due.
func (s *stamper) pace(ctx context.Context, rate int, d time.Duration) error {
	runtime.LockOSThread() // it sleeps in the kernel, more precisely than a timer
	defer runtime.UnlockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(time.Microsecond), 0, 0, 0) // else 50 µs later
	defer func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }()
	written, begin := 0, time.Now()
	for {
		elapsed := time.Since(begin)
		if elapsed >= d || ctx.Err() != nil {
			return ctx.Err()
		}
		due := int(elapsed.Seconds() * float64(rate))
		if due > written {
			if err := s.write(due-written, time.Now().UnixNano()); err != nil {
				return err
			}
			written = due
		}
		next := time.Duration(float64(written+1) / float64(rate) * float64(time.Second))
		doze(next - time.Since(begin))
	}
}

// doze sleeps in the kernel, for a millisecond at most. The runtime does not hear of
// it: its monitor would come to see what takes so long, on a processor that what is
// measured needs.
func doze(d time.Duration) {
	nap := unix.NsecToTimespec(int64(max(min(d, time.Millisecond), time.Microsecond)))
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&nap)), 0, 0) // woken early: the caller looks again
}

// listener reads stamped lines from a connection, raw or inside entries, with
// a blocking read on a thread of its own.
type listener struct {
	file  *os.File        // of the connection
	mark  []byte          // only what stands behind this in a line counts
	heard atomic.Int64    // probes too
	timed atomic.Int64    // of these, those with a time
	late  []time.Duration // valid when done is closed
	done  chan struct{}
}

// listen takes over conn. Lines count in which a stamp stands at or behind mark.
func listen(conn *net.TCPConn, mark string) (*listener, error) {
	f, err := conn.File() // in blocking mode
	conn.Close()          // else every line wakes the runtime's poller, too
	if err != nil {
		return nil, err
	}
	l := &listener{file: f, mark: []byte(mark), done: make(chan struct{})}
	go l.run(int(f.Fd()))
	return l, nil
}

// end stops reading and returns how late the lines were, the earliest first.
func (l *listener) end() []time.Duration {
	_ = unix.Shutdown(int(l.file.Fd()), unix.SHUT_RD) // the read returns
	<-l.done
	l.file.Close()
	slices.Sort(l.late)
	return l.late
}

func (l *listener) run(fd int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(l.done)
	buf := make([]byte, 1<<20)
	have := 0
	for {
		n, err := unix.Read(fd, buf[have:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		now := time.Now().UnixNano()
		have += n
		end := bytes.LastIndexByte(buf[:have], '\n') + 1
		l.scan(buf[:end], now)
		have = copy(buf, buf[end:have])
	}
}

// scan takes the stamps out of whole lines.
func (l *listener) scan(lines []byte, now int64) {
	for {
		i := bytes.Index(lines, l.mark)
		if i < 0 {
			return
		}
		line, rest, _ := bytes.Cut(lines[i:], []byte("\n"))
		lines = rest
		k := bytes.Index(line, []byte(stampMark))
		if k < 0 || len(line) < k+len(stampMark)+stampDigits {
			continue
		}
		at, err := strconv.ParseInt(string(line[k+len(stampMark):][:stampDigits]), 10, 64)
		if err != nil {
			continue
		}
		l.heard.Add(1)
		if at > 0 {
			l.timed.Add(1)
			l.late = append(l.late, time.Duration(now-at))
		}
	}
}

// arriveTime is how long the last lines may take. One of a hundred may not come at
// all, and counts as that late.
const arriveTime = 5 * time.Second

// lateness writes lines at a rate for a while and returns how late they come,
// the earliest first.
func lateness(ctx context.Context, s *stamper, l *listener, rate int, d time.Duration) ([]time.Duration, error) {
	// A probe that arrives says that everything between file and reader is open.
	err := until(ctx, "the first line arrives", 10*time.Second, func() (bool, error) {
		return l.heard.Load() > 0, s.write(1, 0)
	})
	if err == nil {
		err = s.pace(ctx, rate, d)
	}
	for end := time.Now().Add(arriveTime); err == nil && l.timed.Load() < int64(s.written) && time.Now().Before(end); {
		err = pause(ctx, 20*time.Millisecond)
	}
	late := l.end()
	missing := s.written - len(late)
	switch {
	case err != nil:
	case len(late) == 0 || missing*100 > s.written:
		err = fmt.Errorf("only %d of %d lines arrived", len(late), s.written)
	case s.written < int(d.Seconds()*float64(rate))*99/100:
		err = fmt.Errorf("only %d lines were written in %v, want %d a second", s.written, d, rate)
	}
	for range missing {
		late = append(late, arriveTime)
	}
	return late, err
}

// quantile returns a quantile of sorted durations in milliseconds: the least that is
// not exceeded by that share of them (nearest rank).
func quantile(sorted []time.Duration, q float64) float64 {
	return float64(sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]) / 1e6
}
