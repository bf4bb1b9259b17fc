package tail

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Checkpoint is the file that keeps how far files were read, so that the next
// run goes on from there. One process at a time has it.
//
// INVARIANT: the file on disk says how the ids of its run go on (epoch and
// head) only while nothing was published since.
type Checkpoint struct {
	path   string
	log    *slog.Logger
	lock   *os.File // nil: the directory cannot be written to, nothing is kept
	before *saved   // nil: there was no file to go on from

	writing atomic.Bool // a write is under way; it owns what is below
	writes  sync.WaitGroup
	now     []position // written last, or being written
	spare   []position // its memory is used for the next
	known   bool       // now holds the state of affairs
	at      int64      // when names were last compared with files before, nanoseconds since 1970
	text    []byte
	problem string // of the last write, told once
	failed  atomic.Uint64
}

// saved is what an earlier run has left.
type saved struct {
	positions   []*position
	byKey       map[identity]*position
	since       int64 // what was born later was not known to it, nanoseconds since 1970
	written     int64
	epoch, head uint64 // 0 unless that run ended in good order
	unsorted    bool   // positions were adopted

	claimed map[*file]bool      // files that go on, while the watcher is made
	listed  map[string][]beside // directories looked at meanwhile
}

// InUseError says that another process has the checkpoint.
type InUseError struct{ Path string }

func (e *InUseError) Error() string {
	return fmt.Sprintf("checkpoint %s is in use by another daemon: give each daemon a file of its own with --checkpoint", e.Path)
}

// OpenCheckpoint takes possession of the checkpoint at path and reads what is
// there. Directories that are missing are made, mode 0700. A file that is no
// checkpoint, or a damaged or newer one, is renamed to path.bad and warned
// about; a place that cannot be written to is warned about as well, and then
// nothing is kept. The error is an *InUseError, or says that path cannot be a
// checkpoint or not be read. The caller closes it, after the Watcher's Run.
func OpenCheckpoint(path string, log *slog.Logger) (*Checkpoint, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: make absolute: %w", path, err)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("checkpoint %s is not a regular file: name a file that may be created", path)
	}
	c := &Checkpoint{path: path, log: log}
	err = os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = c.acquire()
	}
	if _, inUse := errors.AsType[*InUseError](err); inUse {
		return nil, err
	}
	if err != nil {
		log.Warn("checkpoint cannot be written, positions are not kept: make its directory writable for the daemon's user",
			"path", path, "error", err)
	} else {
		removeLeftovers(path)
	}
	if err := c.load(); err != nil {
		c.release()
		return nil, err
	}
	c.takeOver()
	return c, nil
}

// acquire locks the file beside the checkpoint. That one is never removed:
// whoever waits for it could lock what is no longer there.
func (c *Checkpoint) acquire() error {
	lock, err := os.OpenFile(c.path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	err = lockFile(lock)
	switch {
	case err == syscall.EWOULDBLOCK:
		lock.Close()
		return &InUseError{c.path}
	case err != nil:
		c.log.Warn("checkpoint cannot be locked: see to it that no other daemon uses it", "path", c.path, "error", err)
	}
	c.lock = lock
	return nil
}

func (c *Checkpoint) release() {
	if c.lock != nil {
		c.lock.Close()
		c.lock = nil
	}
}

// takeOver makes the file say that a run is under way. Where that cannot be
// written, and last, the ids must not go on: after a crash they would be given
// twice.
func (c *Checkpoint) takeOver() {
	b := c.before
	if b == nil {
		return
	}
	for _, p := range b.positions {
		c.now = append(c.now, *p)
	}
	c.known, c.at = true, b.written
	if b.epoch == 0 {
		return
	}
	if c.lock == nil || c.write(0, 0) != nil || syncDirectory(filepath.Dir(c.path)) != nil {
		b.epoch, b.head = 0, 0
	}
}

// failures returns how many writes have failed. c may be nil.
func (c *Checkpoint) failures() uint64 {
	if c == nil {
		return 0
	}
	return c.failed.Load()
}

// loaded returns what an earlier run has left, nil if nothing. c may be nil.
func (c *Checkpoint) loaded() *saved {
	if c == nil {
		return nil
	}
	if b := c.before; b != nil && b.unsorted {
		b.unsorted = false
		slices.SortStableFunc(b.positions, byPath)
	}
	return c.before
}

// Kept reports whether positions can be kept: the place can be written to.
func (c *Checkpoint) Kept() bool { return c != nil && c.lock != nil }

// Loaded reports whether there are positions to go on from.
func (c *Checkpoint) Loaded() bool { return c.loaded() != nil }

// Written returns when the positions were true that there are to go on from; zero
// when there are none.
func (c *Checkpoint) Written() time.Time {
	if b := c.loaded(); b != nil && b.written > 0 {
		return time.Unix(0, b.written)
	}
	return time.Time{}
}

// Continues returns the epoch of the run before this one and the seq of its
// last entry, so that ids go on; ok is false when that run did not end in good
// order, and this one must have an epoch of its own.
func (c *Checkpoint) Continues() (epoch, head uint64, ok bool) {
	b := c.loaded()
	if b == nil || b.epoch == 0 {
		return 0, 0, false
	}
	return b.epoch, b.head, true
}

// save has positions written by a goroutine; the memory is the Checkpoint's
// from here on. Call it only while idle.
func (c *Checkpoint) save(positions []position, at int64) {
	c.set(positions, at)
	c.writing.Store(true)
	c.writes.Go(func() {
		_ = c.write(0, 0)
		c.writing.Store(false)
	})
}

func (c *Checkpoint) idle() bool { return !c.writing.Load() }

// set makes positions the state of affairs at the time given.
func (c *Checkpoint) set(positions []position, at int64) {
	c.spare, c.now = c.now, positions
	c.known, c.at = true, at
}

// write writes what is known. It says once what is wrong; the next write is
// another try.
func (c *Checkpoint) write(epoch, head uint64) error {
	if c.lock == nil {
		return nil
	}
	var err error
	if c.text, err = encode(c.text[:0], c.now, epoch, head, c.at); err == nil {
		err = replace(c.path, c.text)
	}
	switch {
	case err == nil && c.problem != "":
		c.log.Info("checkpoint is written again", "path", c.path)
		c.problem = ""
	case err != nil:
		c.failed.Add(1)
		if c.problem == err.Error() {
			break
		}
		c.problem = err.Error()
		c.log.Warn("checkpoint not written, will be tried again: what is read meanwhile is read again after a restart",
			"path", c.path, "error", err)
	}
	return err
}

// Close writes how far the files were read, and the epoch and head of the ring
// they were published to, behind which the next run goes on; then it gives the
// checkpoint up. It is called when nothing is published any more. The error is
// that of the write. Calling it again, or on nil, does nothing.
func (c *Checkpoint) Close(epoch, head uint64) error {
	if c == nil || c.lock == nil {
		return nil
	}
	c.writes.Wait()
	defer c.release()
	if !c.known {
		return nil
	}
	if err := c.write(epoch, head); err != nil {
		return fmt.Errorf("write checkpoint %s: %w", c.path, err)
	}
	return nil
}
